# SPDX-License-Identifier: ISC
#
# A handover whose new or old process is killed, or told to end, at each of its calls of the system in turn: exactly one
# daemon afterwards, and nothing lost; or none, where the one in charge was told to end, and nothing is left.
# `make handover-faults` tries each of them, here it is one in so many.
import contextlib
import os
import signal
import subprocess

from cases import case, main
from heirs import FLOWS, OTHERS, RULES, Heirs, daemons, pid_of
from lab import SLOW, SMCROUTED, Skip, check, gone, note, same, wait_until
from stream import Stream

FAULT = os.path.abspath(os.environ.get("B", "build") + "/tests/fault.so")
EACH = "HANDOVER_FAULTS" in os.environ
HERE = RULES.replace("a5", "a1")


def steps(few):
    n = 1
    while True:
        yield n
        n += 1 if EACH else few


def setup(lab):
    if os.environ.get("SANITIZE") or not os.path.exists(FAULT):
        raise Skip("nothing can be loaded before a sanitizer" if os.environ.get("SANITIZE") else f"no {FAULT}")
    with open(SMCROUTED[0], "rb") as f:
        if b"/ld-" not in f.read(4096):		# the path of the loader
            raise Skip("nothing can be loaded before a static program")
    return lab.path("fault"), {**os.environ, "LD_PRELOAD": FAULT, "FAULT": lab.path("fault")}


def order(path, text):
    """What is to be told what, and when: see fault.c."""
    with open(path + ".tmp", "w") as f:
        f.write(text + "\n")
    os.rename(path + ".tmp", path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path + ".over")


def start_with(d, env, log, conf=None):
    """A new one that takes over from d; what it says is in the file `log`."""
    with open(log, "w") as f:
        return subprocess.Popen([*SMCROUTED, "-T", "-n", "-l", "debug", "-f", conf or d.conf, "-P", d.pid_file,
                                 "-u", d.sock], env=env, stdin=subprocess.DEVNULL, stdout=f, stderr=f)


def start(h, *args):
    return start_with(h.d, *args)


def text(log):
    with open(log, errors="replace") as f:
        return f.read()


@case("the new one of a takeover, with the same configuration", RULES)
@case("the new one of a takeover that changes ten rules", RULES + OTHERS)
def new(lab, conf):
    path, env = setup(lab)
    h = Heirs(lab, pps=500)
    other = lab.write("other", lab.MARKS + conf)
    for n in steps(9):
        order(path, f"new {n} kill")
        heir = start(h, env, lab.path("log"), other)
        wait_until(lambda: heir.poll() is not None or os.path.exists(path + ".over"), f"the end of one killed at {n}")
        if os.path.exists(path + ".over"):
            break
        same(heir.wait(SLOW), -9, f"exit status of one to be killed at {n}: {text(lab.path('log'))}")
        h.one()
        same(lab.mroutes(), h.before, f"routes after one that was killed at {n}")
    h.next()
    note(f"measured: the new process has {n} calls")
    check(n > 20, "too few to tell")
    h.end()
    heir.terminate()
    same(heir.wait(SLOW), 0, "exit status")


def stopped(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()[0] == "T"


def stop_in_the_middle(lab, at="it had applied"):
    """A new one that stands still before it says this: it has all sockets and has changed some of what there is."""
    path, env = setup(lab)
    h = Heirs(lab, pps=300)
    order(path, f"new 1 stop at {at}")
    heir = start(h, env, lab.path("log"), lab.write("other", lab.MARKS + RULES + OTHERS))
    wait_until(lambda: stopped(heir.pid), "the new one to stand still")
    check("handing over" in h.d.log() and "going on" not in h.d.log(), f"where it stands: {h.d.log()}")
    return h, heir


@case("a new one that hangs in the middle is given up, and ended")
def hangs(lab):
    h, heir = stop_in_the_middle(lab)
    # Ten seconds of silence, and one to leave.
    same(heir.wait(5 * SLOW), -9, "exit status of the new one")
    wait_until(lambda: "going on as before" in h.d.log(), "the old one to go on")
    h.one()
    h.end(silent=False)


@case("SIGTERM to a new one in the middle: the old one goes on", "it had applied")
def told(lab, at):
    h, heir = stop_in_the_middle(lab, at)
    heir.terminate()
    heir.send_signal(signal.SIGCONT)
    same(heir.wait(SLOW), 0, "exit status of the new one")
    wait_until(lambda: "going on as before" in h.d.log(), "the old one to go on")
    h.one()
    h.end(silent=False)


@case("SIGTERM to the old one in the middle: both end, and nothing is left")
def told_old(lab):
    h, heir = stop_in_the_middle(lab)
    h.stream.end()
    same(h.d.stop(), 0, "exit status of the old one")
    same(heir.wait(SLOW), -9, "exit status of the new one")
    same((daemons(), lab.mroutes()), ([], {}), "daemons and routes")
    check(not os.path.exists(h.d.pid_file) and not os.path.exists(h.d.sock), "files")


def nothing_left(lab, d):
    wait_until(lambda: not daemons(), lambda: f"the end of {daemons()}")
    same(lab.mroutes(), {}, "routes when all have ended")
    check(not os.path.exists(d.pid_file) and not os.path.exists(d.sock), "files when all have ended")


@case("SIGTERM to the new one of a takeover: the old one goes on, or all is over once it is the daemon")
def told_new(lab):
    path, env = setup(lab)
    h = Heirs(lab, pps=500)
    for n in steps(9):
        order(path, f"new {n} term")
        heir = start(h, env, lab.path("log"))
        wait_until(lambda: heir.poll() is not None or os.path.exists(path + ".over"), f"the end of one told at {n}")
        if os.path.exists(path + ".over"):
            heir.terminate()		# the daemon now
        check(heir.wait(SLOW) in (0, -15), f"exit status of one told at {n}: {text(lab.path('log'))}")
        if "took over from" in text(lab.path("log")):
            break
        h.one()
        same(lab.mroutes(), h.before, f"routes after one that was told at {n}")
    check(n > 20, "too few to tell")
    h.stream.end()
    same(h.d.wait(), 0, "exit status of the old one")
    nothing_left(lab, h.d)


@case("SIGTERM to the old one of a takeover: all is over, or the new one is the daemon")
def told_old_each(lab):
    path, env = setup(lab)
    ends = {True: 0, False: 0}
    for n in steps(7):
        d = lab.daemon(HERE, wrap=("env", f"LD_PRELOAD={FAULT}", f"FAULT={path}"))
        d.do("ping")
        order(path, f"{d.proc.pid} {n} term")
        log, heir = lab.path("log"), start_with(d, env, lab.path("log"))
        same(d.wait(), 0, f"exit status of the old one, told at {n}")
        # One that has got nothing, or everything, goes on.
        goes_on = wait_until(lambda: heir.poll() is not None or ("started" in text(log) and [heir.pid]),
                             f"the end or the start of the new one: {n}") != True
        ends[goes_on] += 1
        if goes_on:
            same((daemons(), pid_of(d)), ([heir.pid], heir.pid), f"daemons after one was told at {n}")
            lab.passes("a1", *FLOWS[0], "a2", "a3", n=5)
            heir.terminate()
            same(heir.wait(SLOW), 0, "exit status of the new one")
        nothing_left(lab, d)
        if os.path.exists(path + ".over"):
            break
    note(f"measured: the old process has {n} calls, the new one went on {ends[True]} times of {n}")
    # Which of the two it is at one of them is for the two processes to race for.
    check(n > 10 and (not EACH or min(ends.values())), f"too few to tell: {ends}")


@case("SIGTERM to a daemon that is upgraded: the new one ends, too")
def told_old_upgrade(lab):
    path, _ = setup(lab)
    for n in steps(7):
        d = lab.daemon(HERE, wrap=("env", f"LD_PRELOAD={FAULT}", f"FAULT={path}"))
        d.do("ping")
        order(path, f"{d.proc.pid} {n} term")
        d.ctl("upgrade")
        same(d.wait(), 0, f"exit status of the old one, told at {n}")
        if os.path.exists(path + ".over"):
            break
        nothing_left(lab, d)
    note(f"measured: the old process has {n} calls")
    check(n > 10, "too few to tell")
    os.kill(wait_until(daemons, "the new one")[0], signal.SIGTERM)
    nothing_left(lab, d)


@case("the program of an upgrade", "kill")
@case("the same with SIGTERM", "term")
def upgrade(lab, how):
    path, env = setup(lab)
    h = Heirs(lab, pps=500, wrap=("env", f"LD_PRELOAD={FAULT}", f"FAULT={path}"))
    for n in steps(14):
        order(path, f"new {n} {how}")
        rc, out, err = h.d.ctl("upgrade")
        if not rc:
            break
        check("signal" in err or "ended" in err or "status 0" in err, f"the answer when it was told at {n}: {err}")
        h.one()
        same(lab.mroutes(), h.before, f"routes after one that was told at {n}")
    check("upgraded" in out and n > 20, f"{n}: {out}")
    if os.path.exists(path + ".over"):
        h.next()
        h.end()
    else:				# told when it was the daemon already
        same(how, "term", "signal")
        h.stream.end()
        nothing_left(lab, h.d)


@case("the old one of a takeover: the new one goes on, by itself if need be")
def old(lab):
    path, env = setup(lab)
    h = Heirs(lab, pps=500, wrap=("env", f"LD_PRELOAD={FAULT}", f"FAULT={path}"))
    running, lost = h.d.proc, False
    for n in steps(3):
        order(path, f"{running.pid} {n} kill")
        heir = start(h, env, lab.path("log"))
        wait_until(lambda: running.poll() is not None, f"the end of one killed at {n}")
        pid = wait_until(lambda: pid_of(h.d) == heir.pid and pid_of(h.d),
                         lambda n=n: f"the PID of the new one, {n}: {text(lab.path('log'))}")
        h.pid = pid
        h.one()
        # Whoever had not got everything when the old one was killed could not keep it.
        lost |= text(lab.path("log")).count("routing goes on as it was handed over") < 2
        if lost:
            h.stream.end()
            for flow in FLOWS[:3]:
                lab.passes("a5", *flow, "a2", "a3", n=5)
            h.stream, lost = Stream(lab, "a5", FLOWS[:2], 500), False
        if running.returncode == 0:
            break
        running = heir
    note(f"measured: the old process has {n} calls")
    check(n > 10, "too few to tell")
    h.stream.end()
    h.stream.expect("a2", "a3")
    same(daemons(), [heir.pid], "daemons")
    heir.terminate()
    same(heir.wait(SLOW), 0, "exit status")
    check(gone(heir.pid) and not os.path.exists(h.d.pid_file), "its files")


if __name__ == "__main__":
    main()
