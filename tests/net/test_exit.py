# SPDX-License-Identifier: ISC
#
# More of the start and the end: the delay, PID 1, SIGTERM in the middle of work,
# what the parent of a background daemon returns, and exit codes that take some
# doing.  The plain ones are in test_start.py.
import os
import resource
import signal
import socket
import struct
import subprocess
import threading
import time

from cases import case, main
from lab import SLOW, SMCROUTECTL, SMCROUTED, Daemon, Skip, check, child_setup, need_users, note, resting
from lab import gone, same, wait_until

ROUTE = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\nmroute from a1 source fd00:1::9 group ff2e::11 to a2\n"


def files(lab, name="x", conf=ROUTE):
    """Options that name files of its own for a daemon."""
    return ("-f", lab.write(name + ".conf", conf), "-P", lab.path(name + ".pid"), "-u", lab.path(name + ".sock"))


def there(lab, name="x"):
    return [os.path.exists(lab.path(f"{name}.{kind}")) for kind in ("pid", "sock")]


def background(lab, *options, **kw):
    """Starts in the background: (exit status of the parent, what it said)."""
    p = subprocess.run([*SMCROUTED, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=60, preexec_fn=kw.get("before", child_setup))
    return p.returncode, p.stdout + p.stderr


@case("-d: nothing is taken and no PID file is there until the time is up")
def delay(lab):
    d = Daemon(lab, ROUTE, ("-d", "1000"), ready=False)
    wait_until(lambda: os.path.exists(d.sock) and resting(d.proc.pid), "the delay")
    same((lab.mroutes(), os.path.exists(d.pid_file)), ({}, False), "entries and PID file during the delay")
    same(d.stop(), 0, "exit status during the delay")
    d = Daemon(lab, ROUTE, ("-d", "1"), ready=False)
    wait_until(lambda: os.path.exists(d.pid_file), "the PID file")
    check(lab.route("10.1.0.9", "225.1.1.1"), "no route when the PID file is there")
    lab.links("a5")
    same(d.stop(), 0, "exit status")


@case("-d: an interface and a file that come during the delay are seen")
def delay_sees(lab):
    d = Daemon(lab, "", ("-d", "1"), ready=False)
    lab.write("smcroute.conf", lab.MARKS + "mroute from a5 source 10.5.0.9 group 225.1.1.1 to a2\n")
    lab.links("a5")
    wait_until(lambda: os.path.exists(d.pid_file), "the PID file")
    lab.passes("a5", "10.5.0.9", "225.1.1.1", "a2")


@case("-d: SIGTERM ends it at once, and so does SIGINT; SIGHUP does not")
def delay_term(lab):
    for sig in (signal.SIGTERM, signal.SIGINT):
        d = Daemon(lab, ROUTE, ("-d", "1000"), name=f"d{sig}", ready=False)
        wait_until(lambda d=d: os.path.exists(d.sock), "the socket")
        d.proc.send_signal(signal.SIGHUP)
        wait_until(lambda d=d: d.proc.poll() is not None or resting(d.proc.pid), "SIGHUP to be seen")
        same(d.proc.poll(), None, "alive after SIGHUP")
        same(d.stop(sig), 0, "exit status")
        same([os.path.exists(p) for p in (d.pid_file, d.sock)], [False, False], "files")


@case("-d: a client waits until it is ready, and what it adds stays")
def delay_client(lab):
    d = Daemon(lab, ROUTE, ("-d", "1"), ready=False)
    wait_until(lambda: os.path.exists(d.sock), "the socket")
    d.do("add", "a1", "10.1.0.9", "225.1.1.2", "a2")
    check(os.path.exists(d.pid_file), "no PID file when the answer came")
    check(lab.route("10.1.0.9", "225.1.1.1") and lab.route("10.1.0.9", "225.1.1.2"), "no route")


def holder(path):
    """The process that listens on a socket, as a client sees it."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        return struct.unpack("iII", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


@case("-d in the background: the parent does not wait for it, the PID file does")
def delay_background(lab):
    same(background(lab, *files(lab), "-d", "1000"), (0, ""), "a start with a long delay")
    same((there(lab), lab.mroutes()), ([False, True], {}), "PID file, socket and entries during the delay")
    pid = holder(lab.path("x.sock"))
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: gone(pid), "its end")
    same(there(lab), [False, False], "what it left")
    same(background(lab, *files(lab), "-d", "1"), (0, ""), "a start with a short delay")
    wait_until(lambda: there(lab)[0], "the PID file")
    check(lab.route("10.1.0.9", "225.1.1.1"), "no route when the PID file is there")
    rc, said = background(lab, *files(lab), "-d", "1000")
    check(rc == 69 and said, f"a second one: {rc} {said!r}")
    same(lab.run(*SMCROUTECTL, "-u", lab.path("x.sock"), "kill"), (0, "", ""), "kill")


@case("-d in the background with the file on standard input: that is read before the parent ends")
def delay_stdin(lab):
    p = lab.run(*SMCROUTED, "-f", "-", "-P", lab.path("x.pid"), "-u", lab.path("x.sock"), "-d", "1", stdin=ROUTE)
    same(p, (0, "", ""), "start")
    check(lab.route("10.1.0.9", "225.1.1.1"), "no route when the parent has ended")
    same(lab.run(*SMCROUTECTL, "-u", lab.path("x.sock"), "kill"), (0, "", ""), "kill")


@case("-d: a second one on the same socket is 69 while the first still waits")
def delay_second(lab):
    d = Daemon(lab, ROUTE, ("-d", "1000"), ready=False)
    wait_until(lambda: os.path.exists(d.sock), "the socket")
    rc, said = background(lab, "-f", d.conf, "-P", lab.path("y.pid"), "-u", d.sock)
    same(rc, 69, f"exit status ({said})")
    check(os.path.exists(d.sock), "the first one's socket is gone")
    same(d.stop(), 0, "exit status of the first")


@case("the verdict of a background start: 0 when ready, else the daemon's own status and words, nothing left")
def verdicts(lab):
    same(background(lab, *files(lab)), (0, ""), "a good start")
    check(lab.route("10.1.0.9", "225.1.1.1"), "no route when the parent was gone")
    same(there(lab), [True, True], "PID file and socket")
    pid = int(open(lab.path("x.pid")).read())
    for what, want, options in (
            ("the same socket", 69, files(lab)), ("the same routing table", 69, files(lab, "y")),
            ("the same PID file", 69, (*files(lab, "y"), "-P", lab.path("x.pid"), "-t", "99")),
            ("no such user", 64, (*files(lab, "y"), "-p", "no-such-user")),
            ("a socket with too long a path", 71, (*files(lab, "y"), "-u", lab.path("x" * 108), "-t", "99")),
            ("no such file", 78, (*files(lab, "y"), "-f", lab.path("no/x.conf"), "-t", "99"))):
        rc, said = background(lab, *options)
        same(rc, want, f"{what} ({said.strip()}): exit status")
        check(said.strip(), f"{what}: not a word")
        same(there(lab, "y"), [False, False], f"{what}: files left")
    same(there(lab), [True, True], "files of the first")
    same(lab.run(*SMCROUTECTL, "-u", lab.path("x.sock"), "kill")[0], 0, "kill")
    same((there(lab), lab.mroutes()), ([False, False], {}), "files and entries when kill has returned")
    wait_until(lambda: gone(pid), "the end of the process")


@case("-f -: the file comes from standard input, and cannot be read again")
def from_input(lab):
    d = Daemon(lab, "", ("-f", "-"), ready=False, wrap=("sh", "-c", 'f=$1; shift; cat "$f" | "$@"', "sh",
                                                        lab.write("input", lab.MARKS + ROUTE)))
    wait_until(lambda: os.path.exists(d.pid_file), "the PID file")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    rc, _, err = d.ctl("reload")
    same(rc, 78, f"reload ({err})")
    check("standard input" in err, err)
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    same(d.ctl("kill")[0], 0, "kill")
    same(d.wait(), 0, "exit status")


@case("a background daemon has a session and no descriptor of its starter")
def detached(lab):
    read, write = os.pipe()
    os.set_inheritable(write, True)
    same(background(lab, *files(lab)), (0, ""), "start")
    pid = int(open(lab.path("x.pid")).read())
    same(os.getsid(pid), pid, "session")
    same(os.readlink(f"/proc/{pid}/cwd"), "/", "directory")
    same([os.readlink(f"/proc/{pid}/fd/{i}") for i in range(3)], ["/dev/null"] * 3, "standard descriptors")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: gone(pid), "its end")
    same(there(lab), [False, False], "PID file and socket")
    os.close(write)
    os.close(read)


@case("69: another instance on the same routing table, which is named with its pid")
def same_table(lab):
    d = lab.daemon(ROUTE)
    rc, said = background(lab, *files(lab, "y"))
    same(rc, 69, f"exit status ({said})")
    check(f"pid {d.proc.pid}" in said and "smcroute" in said, f"not named: {said}")
    other = Daemon(lab, ROUTE, ("-t", "100"), name="first")
    rc, said = background(lab, "-t", "100", *files(lab, "y"))
    same(rc, 69, f"exit status for table 100 ({said})")
    for each in (d, other):
        each.do("ping")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")


@case("71: no process can be forked")
def no_fork(lab):
    need_users()
    def before():
        child_setup()
        os.setgid(64999)
        os.setuid(64999)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    os.chmod(lab.dir, 0o777)
    try:
        subprocess.run([*SMCROUTED, "-h"], capture_output=True, check=True, preexec_fn=before)
    except (OSError, subprocess.CalledProcessError):	# a directory on the way is its owner's alone
        raise Skip("another user cannot run the program where it is") from None
    rc, said = background(lab, *files(lab), before=before)
    same(rc, 71, f"exit status ({said})")
    check(said.strip(), "not a word")


@case("71: no descriptor left for a socket")
def no_descriptor(lab):
    d = Daemon(lab, ROUTE, wrap=("sh", "-c", 'ulimit -n 5; exec "$@"', "sh"), ready=False)
    same(d.wait(), 71, "exit status")
    check("descriptor" in d.log() or "Too many open files" in d.log() or "No file" in d.log(), f"log: {d.log()}")


@case("70: an event loop that cannot go on; what it held is released")
def no_loop(lab):
    if os.environ.get("SANITIZE"):
        raise Skip("the leak checker needs descriptors at the end")
    d = lab.daemon(ROUTE)
    # ppoll(2) refuses more descriptors than the limit.
    resource.prlimit(d.proc.pid, resource.RLIMIT_NOFILE, (1, 1))
    d.proc.send_signal(signal.SIGCHLD)
    same(d.wait(), 70, "exit status")
    check("event loop" in d.log(), "not a word")
    same(lab.mroutes(), {}, "entries left")
    same([os.path.exists(p) for p in (d.pid_file, d.sock)], [False, False], "PID file and socket")


@case("all parents' sins: closed standard descriptors, blocked and ignored signals")
def bad_parent(lab):
    def before():
        child_setup()
        for fd in range(3):
            os.close(fd)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD})
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    p = subprocess.Popen([*SMCROUTED, *files(lab)], preexec_fn=before)
    same(p.wait(20), 0, "exit status of the parent")
    pid = int(open(lab.path("x.pid")).read())
    same([os.readlink(f"/proc/{pid}/fd/{i}") for i in range(3)], ["/dev/null"] * 3, "standard descriptors")
    check(lab.route("10.1.0.9", "225.1.1.1"), "no route")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: gone(pid), "its end by SIGTERM")


@case("as PID 1: children of others are reaped, and SIGTERM ends it")
def pid_one(lab):
    d = lab.daemon(ROUTE, wrap=("unshare", "-p", "--fork", "--kill-child"))
    same(open(d.pid_file).read().strip(), "1", "its PID")
    with open(f"/proc/{d.proc.pid}/task/{d.proc.pid}/children") as f:
        pid = int(f.read())
    orphans = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.05 & done"
    same(lab.run("nsenter", "-t", str(pid), "-p", "sh", "-c", orphans)[0], 0, "the orphans' parent")
    def none_left():
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return not f.read().split()
    wait_until(none_left, "the orphans reaped")
    d.do("ping")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    start = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    same(d.wait(), 0, "exit status")
    note(f"measured: as PID 1 ended {(time.monotonic() - start) * 1000:.0f} ms after SIGTERM")
    same([os.path.exists(p) for p in (d.pid_file, d.sock)], [False, False], "files")


def ends_while(lab, d, what, work):
    """SIGTERM while another thread keeps it busy."""
    t = threading.Thread(target=work, daemon=True)
    t.start()
    start = time.monotonic()
    same(d.stop(), 0, f"exit status after {what}")
    took = time.monotonic() - start
    t.join(SLOW)
    check(not t.is_alive(), f"the client of {what} still waits")
    note(f"measured: SIGTERM during {what}: {took * 1000:.0f} ms")
    same([os.path.exists(p) for p in (d.pid_file, d.sock)], [False, False], f"files after {what}")


@case("SIGTERM in the middle of 16,384 joins, and of leaving them")
def joins(lab):
    igmp = "/proc/net/igmp"
    for what in ("join", "leave"):
        d = Daemon(lab, ROUTE, name=what)
        if what == "leave":
            d.do("join", "a1", "225.64.0.0/18")
        before = len(open(igmp).readlines())
        t = threading.Thread(target=lambda d=d, what=what: d.ctl(what, "a1", "225.64.0.0/18"), daemon=True)
        t.start()
        wait_until(lambda before=before: abs(len(open(igmp).readlines()) - before) > 100, f"the first {what}s")
        ends_while(lab, d, f"a {what} of 16,384 groups", t.join)
        check(len(open(igmp).readlines()) < 100, "memberships left")


@case("SIGTERM in the middle of a reload of 100,000 rules")
def rules(lab):
    many = "".join(f"mroute from a1 source 10.{16 + (i >> 16)}.{i >> 8 & 255}.{i & 255} group 225.1.1.1 to a2\n"
                   for i in range(100000))
    # To its service manager it says when a reload begins.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("/run/notify")
        manager.settimeout(SLOW)
        d = Daemon(lab, ROUTE, seconds=2 * SLOW, wrap=("env", "NOTIFY_SOCKET=/run/notify"))
        lab.write("smcroute.conf", ROUTE + many)
        t = threading.Thread(target=lambda: d.ctl("reload"), daemon=True)
        t.start()
        while not manager.recv(4096).startswith(b"RELOADING"):
            pass
    ends_while(lab, d, "a reload of 100,000 rules", t.join)
    d = Daemon(lab, ROUTE + many, seconds=2 * SLOW)
    ends_while(lab, d, "a show of 100,000 rules", lambda: d.ctl("-j", "show"))


@case("SIGTERM while a client does not read the table that it asked for")
def unread(lab):
    ranges = "".join(f"mroute from a1 group 226.{i >> 8}.{i & 255}.0/24 to a2\n" for i in range(20000))
    d = Daemon(lab, ranges)
    with subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "-j", "show"], stdout=subprocess.PIPE) as p:
        check(p.stdout.read(1), "no table")
        wait_until(lambda: resting(p.pid) and resting(d.proc.pid), "full buffers")
        same(d.stop(), 0, "exit status")
        check(p.poll() is None, "the client has read all")
        p.kill()
    same([os.path.exists(p) for p in (d.pid_file, d.sock)], [False, False], "files")


if __name__ == "__main__":
    main()
