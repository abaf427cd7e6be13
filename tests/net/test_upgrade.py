# SPDX-License-Identifier: ISC
#
# The program of a running daemon is run anew and takes its place; or cannot, and nothing has happened.
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from cases import case, main
from heirs import RULES, Heirs, daemons, next_pid, pid_of, program, replace, version_of
from lab import CAP_NET_ADMIN, CAP_NET_RAW, SLOW, SMCROUTECTL, check, gone, need_users, same, wait_until
from manager import Manager


def other_version(path):
    """The same program with another version in it, of the same length."""
    with open(path, "rb") as f:
        content = f.read()
    old = re.search(rb"([\w.+-]+) \(ipv4 ipv6", content).group(1)
    new = (b"9.9-" + b"x" * len(old))[:len(old)]
    check(old != new and len(old) > 4, "the same version")
    return content.replace(old, new), new.decode()


def upgrade(h, in_place=False):
    rc, out, err = h.d.ctl("upgrade")
    same((rc, err), (0, ""), "upgrade")
    if in_place:
        check(f"pid {h.pid} as before" in out, f"answer: {out}")
        h.d.do("ping")
        same(pid_of(h.d), h.pid, "PID")
        return out
    before, pid = h.pid, h.next()
    check(f"pid {before} to {pid}" in out, f"answer: {out}")
    return out


@case("three times, the second time to another version: no packet is lost, and nothing else is heard")
def thrice(lab):
    path = program(lab)
    h = Heirs(lab)
    old = version_of(lab, path)
    follower = subprocess.Popen([*SMCROUTECTL, "-u", h.d.sock, "-j", "monitor"], stdout=subprocess.PIPE, text=True)
    upgrade(h)
    content, new = other_version(path)
    replace(path, content)
    check(f"{old} to {new}" in upgrade(h), "both versions")
    upgrade(h)
    # Who followed still does.
    h.d.do("add", "a1", "225.30.0.0/16", "a2")
    lines = []
    while not any("added" in line for line in lines):
        lines.append(follower.stdout.readline())
        check(lines[-1], f"the follower was left after {lines}")
    check(all(json.loads(line) for line in lines), f"{lines}")
    follower.kill()
    follower.wait()
    h.d.do("remove", "a1", "225.30.0.0/16")
    check(h.end() > 100, "too few packets to tell")
    # What the first one opened the last one closes.
    os.kill(h.pid, signal.SIGTERM)
    wait_until(lambda: gone(h.pid), "its end")
    same(lab.mroutes(), {}, "routes")
    check(not os.path.exists(h.d.sock) and not os.path.exists(h.d.pid_file), "its files")


@case("by a signal, and counters go on")
def by_signal(lab):
    h = Heirs(lab, RULES)
    before = lab.counted(*("10.1.0.2", "225.1.2.3"))
    os.kill(h.pid, signal.SIGUSR2)
    h.next()
    check(lab.counted("10.1.0.2", "225.1.2.3") >= before > 0, "the kernel's counters")
    h.end()


def refused(h, rc, *words):
    h.refuses(h.d.ctl("upgrade"), rc, *words)


@case("a program that cannot be started, or is none")
def no_program(lab):
    path = program(lab)
    h = Heirs(lab)
    with open(path, "rb") as f:
        whole = f.read()
    replace(path, whole, 0o644)
    refused(h, 71, path, os.strerror(13))
    os.unlink(path)
    refused(h, 71, path, os.strerror(2))
    replace(path, whole[:1000])
    refused(h, 71, path)
    replace(path, "#!/nonexistent\n")
    refused(h, 71, path, os.strerror(2))
    replace(path, whole)
    upgrade(h)
    h.end()


@case("one that ends at once: what it says and how it ended")
def ends(lab):
    path = program(lab)
    h = Heirs(lab)
    replace(path, "#!/bin/sh\necho no such library >&2; exit 127\n")
    refused(h, 71, "no such library", "status 127")
    replace(path, "#!/bin/sh\nkill -SEGV $$\n")
    refused(h, 71, "signal 11")
    # As versions before this one, and SMCRoute, do.
    replace(path, "#!/bin/sh\necho \"smcrouted: unknown option $1\" >&2; exit 64\n")
    refused(h, 71, "unknown option -T", "older version")
    replace(path, "#!/bin/sh\nexit 0\n")
    refused(h, 71, "status 0")
    h.end()


@case("one that refuses the configuration")
def bad_config(lab):
    h = Heirs(lab)
    h.d.write(RULES + "nonsense\n")
    refused(h, 78, "nonsense", "status 78")
    h.d.write(RULES)
    upgrade(h)
    h.end()


@case("one that hangs is given up")
def hangs(lab):
    path = program(lab)
    h = Heirs(lab, pps=300)
    replace(path, "#!/bin/sh\nexec sleep 1000\n")
    refused(h, 71, "10 s")
    h.end()


def waits(lab, path):
    """In place of the program one that waits for a line in a FIFO before it becomes it: the FIFO, the program."""
    os.mkdir(lab.path("bin/r"))
    os.rename(path, lab.path("bin/r/smcrouted"))
    os.mkfifo(lab.path("fifo"))
    replace(path, f"#!/bin/sh\nread x <{lab.path('fifo')}\nexec {lab.path('bin/r/smcrouted')} \"$@\"\n")
    return lab.path("fifo"), lab.path("bin/r/smcrouted")


def begin(h):
    """An upgrade goes on: its client."""
    client = subprocess.Popen([*SMCROUTECTL, "-u", h.d.sock, "upgrade"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    wait_until(lambda: "is started as pid" in h.d.log(), "the first one")
    return client


def go(fifo):
    with open(fifo, "w") as f:
        f.write("go\n")


@case("two at once: the second one is told so; a takeover as well")
def two(lab):
    path = program(lab)
    h = Heirs(lab)
    fifo, real = waits(lab, path)
    first = begin(h)
    rc, _, err = h.d.ctl("upgrade")
    same(rc, 69, f"the second one: {err}")
    check("under way" in err, err)
    rc, _, err = lab.run(real, "-T", "-n", "-f", h.d.conf, "-u", h.d.sock, "-P", h.d.pid_file)
    same(rc, 69, f"a takeover: {err}")
    check("under way" in err, err)
    go(fifo)
    out, _ = first.communicate(timeout=SLOW)
    check("upgraded" in out, f"the first one: {out}")
    h.next()
    h.end()


@case("one that asks in time and is given what there is when that time is over: it stays")
def late(lab):
    path = program(lab)
    h = Heirs(lab, pps=300)
    fifo, real = waits(lab, path)
    start = time.monotonic()
    client = begin(h)
    # Half a request, whose end is waited for once the new one has asked.
    half = socket.socket(socket.AF_UNIX)
    half.connect(h.d.sock)
    half.send(b"\0")
    wait_until(lambda: time.monotonic() > start + 5, "half of its time", SLOW)
    go(fifo)
    wait_until(lambda: any(os.path.realpath(f"/proc/{pid}/exe") == real for pid in daemons() if pid != h.pid),
               "the new one")
    time.sleep(0.5)		# there is no sign that it has asked
    os.kill(h.pid, signal.SIGSTOP)
    wait_until(lambda: time.monotonic() > start + 11, "the end of its time", SLOW)
    os.kill(h.pid, signal.SIGCONT)
    out, err = client.communicate(timeout=SLOW)
    # On a busy machine it has not asked before.
    check("upgraded" in out or client.returncode == 71, f"{out}{err}")
    if "upgraded" in out:
        h.next()
    h.one()
    h.end()


@case("after -p nobody, who may not write the PID file: in the same process, whose number it says", "-p", "nobody")
@case("the same below a keeper, also after a kill -9", "-k", "-p", "nobody")
@case("the same with a hook, which keeps its capabilities", "-e", "/bin/true", "-p", "nobody")
def dropped(lab, *options):
    need_users()
    path = program(lab)
    os.chmod(lab.dir, 0o755)
    h = Heirs(lab, RULES, *options)
    h.d.do("-o", "x", "add", "a5", "225.31.0.0/16", "a2")
    for _ in range(2):
        upgrade(h, in_place=True)
        with open(f"/proc/{h.pid}/status") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        want = 1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW if "-e" in options else 0
        same([int(status[c], 16) for c in ("CapPrm", "CapEff")], [want] * 2, "capabilities")
        check("0" not in status["Uid"].split(), "root again")
        check("225.31.0.0/16" in h.d.show("show", "config"), "what an owner asked for")
    with open(path, "rb") as f:
        whole = f.read()
    replace(path, "#!/bin/sh\nexit 64\n")
    same(h.d.ctl("upgrade")[0], 71, "upgrade to what does not start")
    replace(path, whole)
    same(pid_of(h.d), h.pid, "PID")
    if "-k" in options:
        os.kill(h.pid, signal.SIGKILL)
        h.pid = next_pid(h.d, h.pid)
        check("225.31.0.0/16" in h.d.show("show", "config"), "what an owner asked for, after a death")
    h.end()


@case("the init system hears MAINPID from the old one, then READY from the new one")
def main_pid(lab):
    m = Manager(lab, "/run/notify", WATCHDOG_USEC="2000000000")
    h = Heirs(lab, RULES, wrap=("env", *(f"{k}={v}" for k, v in m.environ.items())))
    m.wait("READY")
    upgrade(h)
    heard = m.wait("READY")
    mains = [x["MAINPID"] for x in heard if "MAINPID" in x]
    same(mains, [str(h.pid)], f"MAINPID before READY, in {heard}")
    check(not any("STOPPING" in x for x in heard + m.messages()), f"STOPPING in {heard}")
    m.wait("WATCHDOG")
    h.end()


@case("with a hook, which goes on and has nothing of the handover in its environment")
@case("the same in the same process", "-p", "nobody")
def hook(lab, *options):
    if options:
        need_users()
        program(lab)
    out = lab.write("out", "")
    os.chmod(lab.dir, 0o755)
    os.chmod(out, 0o666)
    script = lab.write("hook", f"#!/bin/sh\n(echo \"$1 $group\"; env; ls /proc/self/fd) >>{out}\n")
    os.chmod(script, 0o755)
    h = Heirs(lab, RULES, "-e", script, *options)
    upgrade(h, bool(options))
    # At the start of a line: the environment may have the word as well, from the command line of make.
    wait_until(lambda: len(re.findall("^reload ", open(out).read(), re.M)) == 2, "the hook of the new one")
    lab.passes("a5", "10.1.0.77", "225.9.7.7", "a2", "a3", n=5)
    wait_until(lambda: "install 225.9.7.7" in open(out).read(), "install")
    check(not [line for line in open(out) if line.startswith("SMCROUTE_") and line.split("=")[0] not in os.environ],
          "its environment")
    # What was learned before an upgrade, and still waits to be told, is told.
    lab.write("hook", f"#!/bin/sh\nsleep 0.2; (echo \"$1 $group\"; env; ls /proc/self/fd) >>{out}\n")
    flows = [lab.send("a5", "10.1.0.78", f"225.9.8.{i}") for i in range(10)]
    for flow in flows:
        lab.wait(flow, "a2", "a3")
    upgrade(h, bool(options))
    for i in range(10):
        wait_until(lambda i=i: f"install 225.9.8.{i}\n" in open(out).read(), f"install of the flow {i} before")
    h.stream.end()
    h.stream.expect("a2", "a3")


def waits_in_trial(lab, path):
    """A program at path whose trial waits for go()."""
    folder = tempfile.mkdtemp(dir=lab.dir)
    real, fifo = os.path.join(folder, "smcrouted"), os.path.join(folder, "go")
    os.chmod(folder, 0o755)
    shutil.copy(path, real)
    os.mkfifo(fifo)
    os.chmod(fifo, 0o666)
    replace(path, f"#!/bin/sh\nfor a; do test \"$a\" != -F || read x <{fifo}; done\nexec {real} \"$@\"\n")
    return fifo


@case("in the same process: SIGTERM while the trial ends is heard")
def told_in_trial(lab):
    need_users()
    path = program(lab)
    os.chmod(lab.dir, 0o755)
    d = lab.daemon(RULES, "-p", "nobody")
    fifo = waits_in_trial(lab, path)
    client = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "upgrade"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    child = int(wait_until(lambda: re.search(r"is started as pid (\d+)", d.log()), "the trial").group(1))
    os.kill(d.proc.pid, signal.SIGSTOP)
    go(fifo)
    wait_until(lambda: gone(child), "the end of the trial")
    os.kill(d.proc.pid, signal.SIGTERM)
    os.kill(d.proc.pid, signal.SIGCONT)
    same(d.wait(), 0, "exit status")
    out, _ = client.communicate(timeout=SLOW)
    check(client.returncode and "upgraded" not in out, f"the client: {out}")


@case("in the same process: no request that is under way is cut off")
def under_way(lab):
    need_users()
    path = program(lab)
    os.chmod(lab.dir, 0o755)
    d = lab.daemon("".join(f"mroute from a1 group {226 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.0/24 to a2\n"
                           for i in range(10000)), "-p", "nobody")
    fifo = waits_in_trial(lab, path)
    client = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "upgrade"], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: "is started as pid" in d.log(), "the trial")
    asked = [subprocess.Popen([*SMCROUTECTL, "-u", d.sock, word], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True) for word in ("reload", "show") * 6]
    go(fifo)
    for p in asked:
        same((p.wait(SLOW), p.stderr.read()), (0, ""), " ".join(p.args[-1:]))
    out, _ = client.communicate(timeout=SLOW)
    check("as before" in out, out)


@case("in the background, by a relative path")
def background(lab):
    path = program(lab)
    d = lab.daemon("")
    d.stop()
    rc, _, err = lab.run("sh", "-c", f"cd {lab.path('bin')} && "
                         "exec ./smcrouted -f ../smcroute.conf -P ../b.pid -u ../b.sock")
    same(rc, 0, f"start: {err}")
    d.pid_file, d.sock = lab.path("b.pid"), lab.path("b.sock")
    first = pid_of(d)
    rc, out, err = d.ctl("upgrade")
    same((rc, err), (0, ""), "upgrade")
    second = wait_until(lambda: pid_of(d) != first and pid_of(d), "another PID")
    d.do("ping")
    check(path.rsplit("/", 2)[0] in os.readlink(f"/proc/{second}/exe"), "its program")
    for fd in range(3):
        same(os.readlink(f"/proc/{second}/fd/{fd}"), "/dev/null", f"descriptor {fd}")
    same(d.ctl("kill")[0], 0, "kill")


@case("under a keeper: the new one is kept as the old one was")
def kept(lab):
    h = Heirs(lab, RULES, "-k")
    keeper = h.d.proc.pid
    check(h.pid != keeper, "the daemon's own PID is in the file")
    h.d.do("-o", "x", "add", "a5", "225.31.0.0/16", "a2")
    rc, out, err = h.d.ctl("upgrade")
    same((rc, err), (0, ""), "upgrade")
    old, h.pid = h.pid, wait_until(lambda: pid_of(h.d) != h.pid and pid_of(h.d), "another PID")
    wait_until(lambda: gone(old), "the end of the old one")
    h.d.do("ping")
    # And again, by a signal to the keeper.
    h.d.proc.send_signal(signal.SIGUSR2)
    old, h.pid = h.pid, wait_until(lambda: pid_of(h.d) != h.pid and pid_of(h.d), "another PID")
    wait_until(lambda: gone(old), "the end of the old one")
    h.d.do("ping")
    check("225.31.0.0/16" in h.d.show("show", "config"), "what an owner asked for")
    os.kill(h.pid, signal.SIGKILL)
    wait_until(lambda: pid_of(h.d) not in (0, h.pid), "the next one")
    h.d.do("ping")
    check("225.31.0.0/16" in h.d.show("show", "config"), "what an owner asked for, after a death")
    h.end()
    same(h.d.stop(), 0, "exit status of the keeper")


@case("as process 1: a trial, then in the same process")
def process_1(lab):
    path = program(lab)
    h = Heirs(lab, RULES, wrap=("unshare", "--pid", "--fork", "--kill-child"))
    same(h.pid, 1, "PID")
    with open(path, "rb") as f:
        whole = f.read()
    h.d.do("-o", "x", "add", "a5", "225.31.0.0/16", "a2")
    for content, rc, word in (("#!/bin/sh\nexit 64\n", 71, "status 64"), ("nonsense", 71, ""), (whole, 0, "")):
        replace(path, content)
        got = h.d.ctl("upgrade")
        same(got[0], rc, f"upgrade: {got}")
        check(word in got[2], f"{got}")
        h.d.do("ping")
    check("pid 1 as before" in got[1], f"{got}")
    replace(path, whole)
    h.d.write(RULES + "nonsense\n")
    same(h.d.ctl("upgrade")[0], 78, "a configuration with an error")
    h.d.write(RULES)
    same(h.d.ctl("upgrade")[0], 0, "upgrade")
    same(pid_of(h.d), 1, "PID")
    check("225.31.0.0/16" in h.d.show("show", "config"), "what an owner asked for")
    h.end()
    same(h.d.ctl("kill")[0], 0, "kill")


@case("SIGTERM to the old one while the new one starts: both end")
def told_to_end(lab):
    path = program(lab)
    h = Heirs(lab)
    replace(path, "#!/bin/sh\nexec sleep 1000\n")
    client = subprocess.Popen([*SMCROUTECTL, "-u", h.d.sock, "upgrade"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    child = int(wait_until(lambda: re.search(r"is started as pid (\d+)", h.d.log()), "the child").group(1))
    h.stream.end()
    same(h.d.stop(), 0, "exit status")
    check(client.wait(SLOW) != 0, "the client")
    wait_until(lambda: gone(child), "the end of the child")
    check(not os.path.exists(h.d.pid_file) and not os.path.exists(h.d.sock), "its files")


@case("SIGTERM to the old one that has handed over: the new one ends")
def told_late(lab):
    # The old one waits for room to say MAINPID: long enough to be told something.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stopped:
        stopped.bind(lab.path("notify"))
        d = lab.daemon(RULES.replace("a5", "a1"), wrap=("env", f"NOTIFY_SOCKET={lab.path('notify')}"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s, contextlib.suppress(BlockingIOError):
            s.setblocking(False)
            while True:
                s.sendto(b"X=1", lab.path("notify"))
        old = pid_of(d)
        os.kill(old, signal.SIGUSR2)
        wait_until(lambda: "handed over to" in d.log(), "the handover")
        os.kill(max(daemons()) if gone(old) else old, signal.SIGTERM)
        wait_until(lambda: not daemons(), lambda: f"the end of {daemons()}")


if __name__ == "__main__":
    main()
