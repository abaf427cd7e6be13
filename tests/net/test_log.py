# SPDX-License-Identifier: ISC
#
# Where messages go and what they look like; nothing that comes from outside can
# make many of them or draw on the administrator's terminal.
import os
import re
import signal
import socket

from cases import case, main
from lab import MS_BIND, SMCROUTED, Daemon, check, gone, need_users, same, sys_call, wait_until

ROUTE = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\n"


def private_dev(lab):
    """A /dev of our own with a socket for the log, and a file for what goes to the kernel's."""
    os.mkdir("/run/dev")
    for name in ("null", "urandom", "random", "zero"):
        with open(f"/run/dev/{name}", "w"):
            pass
        sys_call("mount", f"/dev/{name}", f"/run/dev/{name}", None, MS_BIND, None)
    with open("/run/dev/kmsg", "w"):
        pass
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind("/run/dev/log")
    s.setblocking(False)
    sys_call("mount", "/run/dev", "/dev", None, MS_BIND | 16384, None)
    return s


def syslog_lines(s):
    lines = []
    while True:
        try:
            lines.append(s.recv(4096).decode())
        except BlockingIOError:
            return lines


def files(lab):
    return ("-f", lab.write("x.conf", ROUTE), "-P", lab.path("x.pid"), "-u", lab.path("x.sock"))


def end(lab):
    pid = int(open(lab.path("x.pid")).read())
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: gone(pid), "its end")
    return pid


@case("in the background: syslog with name and pid; errors of the start to stderr, too")
def background(lab):
    s, name = private_dev(lab), "east" * 16	# as long as -i takes it
    same(lab.run(*SMCROUTED, "-i", name, *files(lab)), (0, "", ""), "start")
    pid = end(lab)
    lines = syslog_lines(s)
    check(any(re.search(rf"^<29>.*\b{name}\[{pid}\]: started: 1 rule", line) for line in lines), f"started: {lines}")
    check(any(re.search(rf"^<29>.*\b{name}\[{pid}\]: leaving", line) for line in lines), f"leaving: {lines}")
    rc, _, err = lab.run(*SMCROUTED, "-p", "no-such-user", *files(lab))
    same(rc, 64, "exit status")
    options = files(lab)
    lab.write("x.conf", ROUTE + "nonsense\n")
    same(lab.run(*SMCROUTED, *options)[0], 0, "a start with an error in the file")
    end(lab)
    both = "".join(syslog_lines(s))
    check("no-such-user" in err and "no-such-user" in both, f"stderr: {err!r}, syslog: {both!r}")
    check("x.conf:2:1: error: " in both, f"syslog: {both!r}")


@case("a syslog that takes a stream of lines")
def stream(lab):
    private_dev(lab).close()
    os.unlink("/dev/log")
    s = socket.socket(socket.AF_UNIX)
    s.bind("/dev/log")
    s.listen()
    s.setblocking(False)
    same(lab.run(*SMCROUTED, "-i", "east", *files(lab)), (0, "", ""), "start")
    pid = end(lab)
    text = b""
    reader = s.accept()[0]
    reader.setblocking(True)
    while got := reader.recv(4096):
        text += got
    lines = text.decode().split("\n")
    check(any(re.search(rf"^<29>.*\beast\[{pid}\]: started: 1 rule", line) for line in lines), f"started: {lines}")
    same(lines[-1], "", "what is behind the last line")


@case("a syslog that nobody reads holds nothing up, and is told more when it goes on")
def stuck(lab):
    s = private_dev(lab)
    options = files(lab)
    lab.write("x.conf", ROUTE + "nonsense\n" * 500)
    same(lab.run(*SMCROUTED, *options)[0], 0, "exit status")
    full = syslog_lines(s)
    check(full and len(full) < 400, f"{len(full)} lines waited")
    end(lab)
    check(any("leaving" in line for line in syslog_lines(s)), "nothing came later")


@case("in the background without syslog: the kernel's log")
def kernel_log(lab):
    private_dev(lab)
    os.unlink("/dev/log")
    same(lab.run(*SMCROUTED, "-i", "east", *files(lab)), (0, "", ""), "start")
    pid = end(lab)
    log = open("/dev/kmsg").read()
    check(re.search(rf"^<29>east\[{pid}\]: started: 1 rule", log, re.M), f"started: {log!r}")
    need_users()
    os.chmod(os.path.dirname(lab.path("x.pid")), 0o755)
    same(lab.run(*SMCROUTED, "-i", "west", "-p", "65534", *files(lab)), (0, "", ""), "start with -p")
    pid = end(lab)
    log = open("/dev/kmsg").read()
    check(re.search(rf"^<29>west\[{pid}\]: started: 1 rule", log, re.M), f"started, then without privileges: {log!r}")


@case("-n: to stderr, bare; with -s to syslog instead")
def foreground(lab):
    s = private_dev(lab)
    d = Daemon(lab, ROUTE, name="one")
    same(d.stop(), 0, "exit status")
    check(re.search("^started: 1 rule", d.log(), re.M), f"log: {d.log()}")
    same(syslog_lines(s), [], "syslog")
    d = Daemon(lab, ROUTE, ("-s",), name="two")
    same(d.stop(), 0, "exit status with -s")
    same(d.log(), "", "stderr with -s")
    check(any("two[" in line and "started" in line for line in syslog_lines(s)), "nothing in syslog with -s")


@case("-n -s without a syslog: to stderr, until one comes and after it has gone; so does a start that fails")
def late(lab):
    private_dev(lab).close()
    os.unlink("/dev/log")
    rc, _, err = lab.run(*SMCROUTED, "-n", "-s", "-p", "no-such-user", *files(lab))
    check(rc == 64 and "no-such-user" in err, f"{rc} {err}")
    d = Daemon(lab, ROUTE, ("-s",), name="one")
    wait_until(lambda: "started: 1 rule" in d.log(), lambda: d.log())
    for _ in range(2):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind("/dev/log")
        s.setblocking(False)
        before = d.log()
        same(d.ctl("reload")[0], 0, "reload")
        check(any("one[" in line and "reloaded" in line for line in syslog_lines(s)), "nothing in a new syslog")
        same(d.log(), before, "stderr while syslog listens")
        s.close()
        same(d.ctl("reload")[0], 0, "reload")
        same(d.log()[len(before):].count("reloaded"), 1, "lines when syslog has gone")
        os.unlink("/dev/log")
    same(d.stop(), 0, "exit status")
    kernels = open("/dev/kmsg").read()
    check("one[" in kernels and "started: 1 rule" in kernels, kernels)


@case("a level before each line only where stderr is the journal's")
def journal(lab):
    d = Daemon(lab, ROUTE, name="one",
               wrap=("sh", "-c", 'export JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr); exec "$@"', "sh"))
    same(d.stop(), 0, "exit status")
    same([line for line in d.log().splitlines() if not re.match("<[3567]>[^<]", line)], [], "lines without a level")
    wait_until(lambda: "<5>started" in d.log(), lambda: f"log: {d.log()}")
    d = Daemon(lab, ROUTE, name="two", wrap=("env", "JOURNAL_STREAM=1:1"))
    same(d.stop(), 0, "exit status")
    check("<" not in d.log(), f"log: {d.log()}")


@case("levels: none is silent, err and notice tell less than info")
def levels(lab):
    bad, counts = ROUTE + "nonsense\n", []
    for level in ("none", "err", "notice", "info", "debug"):
        d = Daemon(lab, bad, ("-l", level), name=level)
        d.do("add", "a1", "225.1.2.0/24", "a2")
        lab.send("a1", "10.1.0.9", "225.1.2.3", 3)
        wait_until(lambda: lab.route("10.1.0.9", "225.1.2.3"), "the learned route")
        same(d.stop(), 0, "exit status")
        counts.append(len(d.log().splitlines()))
    same((counts[0], counts == sorted(counts)), (0, True), f"lines by level: {counts}")
    check(counts[1] < counts[2] < counts[4], f"lines by level: {counts}")


@case("control bytes from a file or a client never reach the log as they are")
def control_bytes(lab):
    nasty = "\x1b[2J\x07\u009b31m"
    d = lab.daemon(f"mroute {nasty} a1\nmroute from a1 group {nasty} to a2\ninclude /no/{nasty}*/x\n" + ROUTE)
    d.ctl("add", nasty, "225.1.1.2", "a2")
    d.ctl("join", "a1", nasty)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(d.sock)
        s.send(b"\x1b[2J" * 100)
    d.do("ping")
    found = [c for c in d.log() if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160]
    same(found, [], "control characters in the log")
    check("\\x1b[2J" in d.log(), f"log: {d.log()}")


@case("what packets and clients can trigger fills no log")
def limits(lab):
    d = lab.daemon("mroute from a1 group 225.1.0.0/16 to a3\nmroute from a2 group 225.1.0.0/16 to a3\n", "-l", "info")
    lab.mark()
    before = len(d.log().splitlines())
    for i in range(200):
        lab.send("a4", f"10.4.1.{i}", "239.1.1.1", 1)	# no rule: blocked
        lab.send("a4", f"10.4.1.{i}", "225.1.1.1", 1)	# no rule there, either: blocked, then moved
        lab.send("a1", f"10.4.1.{i}", "225.1.1.1", 1)
    lab.mark()
    wait_until(lambda: sum(v[0] == "a1" for v in lab.mroutes("225.1.1.1").values()) == 200, "200 moved entries")
    for i in range(100):
        d.ctl("add", "a1", f"10.0.0.{i}", "no-group")
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(d.sock)
            s.send(b"nonsense" * 3)
    grown = d.log().splitlines()[before:]
    check(len(grown) < 60, f"{len(grown)} lines, as {grown[-3:]}")
    same(sum(" moved to " in line for line in grown), 20, "lines about moves")


if __name__ == "__main__":
    main()
