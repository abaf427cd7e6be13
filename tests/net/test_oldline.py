# SPDX-License-Identifier: ISC
#
# Start scripts for SMCRoute 0.9 to 2.5, whose one program was `smcroute`: they
# add their routes without a word, and end the daemon.
import contextlib
import os
import signal
import subprocess

from cases import case, main
from lab import SMCROUTE, check, child_setup, same, sys_call, wait_until
from screen import open_terminal

FLOW = ("10.1.0.9", "225.1.1.1")


@contextlib.contextmanager
def script(lab):
    """Runs lines of a script, with a config of its own; no daemon is left at the end."""
    sys_call("mount", "lab", "/etc", "tmpfs", 0, None)
    with open("/etc/smcroute.conf", "w") as f:
        f.write(lab.MARKS)
    try:
        yield lambda line: lab.run(SMCROUTE, *line.split())
    finally:
        with contextlib.suppress(OSError), open("/run/smcroute.pid") as f:
            os.kill(int(f.read()), signal.SIGKILL)


def silent(do, *lines):
    for line in lines:
        same(do(line), (0, "", ""), f"smcroute {line}")


@case("-d, -a, -j, -l, -r, -k: each silent and done")
def sequence(lab):
    with script(lab) as do:
        silent(do, "-d", "-a a1 10.1.0.9 225.1.1.1 a2 a3", "-j a1 225.1.1.1", "-a a1 fd00:1::9 ff2e::9 a2")
        same(lab.route(*FLOW), ("a1", ["a2", "a3"]), "route")
        same(lab.route("fd00:1::9", "ff2e::9"), ("a1", ["a2"]), "IPv6 route")
        check("225.1.1.1" in lab.ip("maddr", "show", "dev", "a1"), "not joined")
        lab.passes("a1", *FLOW, "a2", "a3")
        silent(do, "-l a1 225.1.1.1", "-r a1 10.1.0.9 225.1.1.1", "-x a1 10.1.0.9 232.1.1.1")
        same(lab.route(*FLOW), None, "no route")
        check("225.1.1.1" not in lab.ip("maddr", "show", "dev", "a1"), "not left")
        check("232.1.1.1" in lab.ip("maddr", "show", "dev", "a1"), "source not joined")
        silent(do, "-y a1 10.1.0.9 232.1.1.1", "-F", "-k")
        same(os.path.exists("/run/smcroute.pid"), False, "PID file afterwards")
        rc, out, err = do("-k")
        check((rc, out) == (69, "") and "no daemon answers" in err, f"kill without a daemon: {rc} {err}")


@case("several in one line, in order; options of the daemon behind -d; the status of the first that failed")
def one_line(lab):
    with script(lab) as do:
        silent(do, "-d -f /etc/smcroute.conf -l warning -j a1 225.1.1.1 -a a1 10.1.0.9 225.1.1.1 a2")
        same(lab.route(*FLOW), ("a1", ["a2"]), "route")
        rc, out, err = do("-r a1 225.9.9.9 -a a1 nonsense a2 -a a1 10.1.0.9 225.1.1.2 a3")
        check((rc, out) == (66, "") and "no rule" in err, f"{rc} {err}")
        same(lab.route("10.1.0.9", "225.1.1.2"), ("a1", ["a3"]), "the route behind what failed")
        rc, out, err = do("-d -a a1 10.1.0.9 225.1.1.3 a3")
        check((rc, out) == (69, "") and "already running" in err, f"{rc} {err}")
        same(lab.route("10.1.0.9", "225.1.1.3"), None, "a route behind a start that failed")
        silent(do, "-k -d -v -L none")
        same(lab.route(*FLOW), None, "a route of the daemon before")
        silent(do, "-u /run/smcroute.sock -k")
        rc, out, err = do("-j a1 225.1.1.1 -d")
        same((rc, out, "no daemon answers" in err), (69, "", True), f"a start behind what failed: {err}")
        silent(do, "-k")


@case("-n keeps the process, and says that nothing behind it is run")
def foreground(lab):
    with script(lab), open(lab.path("log"), "w+") as log:
        p = subprocess.Popen([SMCROUTE, "-d", "-n", "-j", "a1", "225.1.1.1"], stdin=subprocess.DEVNULL,
                             stdout=log, stderr=log, preexec_fn=child_setup)
        wait_until(lambda: os.path.exists("/run/smcroute.pid"), "the PID file")
        same(int(open("/run/smcroute.pid").read()), p.pid, "its process")
        check("225.1.1.1" not in lab.ip("maddr", "show", "dev", "a1"), "joined")
        p.terminate()
        same(p.wait(20), 0, "exit status")
        log.seek(0)
        check("what stands behind it is not run" in log.read(), "no word of it")


@case("at a terminal the new form is named, once")
def terminal(lab):
    master, slave = open_terminal()
    p = subprocess.Popen([SMCROUTE, "-j", "a1", "225.1.1.1", "-k"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=slave, preexec_fn=child_setup)
    same((p.communicate()[0], p.returncode), (b"", 69), "without a daemon")
    os.close(slave)
    said = os.read(master, 65536).decode()
    same(said.count("today: smcroutectl join a1 225.1.1.1; smcroutectl kill"), 1, said)


@case("a mistyped program is answered with the nearest one, an unknown one with all")
def mistyped(lab):
    same(lab.run(SMCROUTE, "smcroutctl", "show"),
         (64, "", 'smcroute: smcroutctl: no such applet, did you mean "smcroutectl"?\n'), "smcroutctl")
    same(lab.run(SMCROUTE, "show"), (64, "", "smcroute: show is a command of smcroutectl: smcroutectl show\n"), "show")
    check("unknown option -z\n" in lab.run(SMCROUTE, "-z")[2], "-z")
    rc, out, err = lab.run(SMCROUTE, "nonsense")
    check((rc, out) == (64, "") and "no such applet" in err and "smcroute-check " in err, f"{rc} {out!r} {err!r}")


if __name__ == "__main__":
    main()
