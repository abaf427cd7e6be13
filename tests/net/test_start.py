# SPDX-License-Identifier: ISC
#
# Start and end of the daemon: ready when the PID file says so, every exit code
# produced for real, nothing of a living instance touched, no trace left.
import errno
import os
import signal
import socket
import stat
import struct

from cases import case, main
from lab import CAP_NET_RAW, SLOW, SMCROUTE, SMCROUTECTL, SMCROUTED, Daemon, check, same
from lab import gone, sys_call, wait_until
from refuse import refuse

ROUTE = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\nmroute from a1 source fd00:1::9 group ff2e::11 to a2\n"
MROUTE4, MROUTE6 = (socket.AF_INET, 2, 0, 200), (socket.AF_INET6, 58, 41, 200)


def taken(family, proto, level, option):
    """Holds the routing socket of a family."""
    s = socket.socket(family, socket.SOCK_RAW, proto)
    s.setsockopt(level, option, struct.pack("i", 1))
    return s


def refuses(lab, *options, conf=ROUTE, name="other", **kw):
    """A daemon that should not come up: (exit status, what it said)."""
    d = Daemon(lab, conf, options, name=name, ready=False, **kw)
    return d.wait(), d.log()


@case("ready: routes are in the kernel and the socket answers when the PID file is there")
def ready(lab):
    conf = "".join(f"mroute from a1 source 10.1.{i // 250}.{i % 250 + 1} group 225.1.1.1 to a2\n" for i in range(2000))
    d = lab.daemon(conf)
    same(len(lab.mroutes("225.1.1.1")), 2000, "entries")
    d.do("ping")
    same(int(open(d.pid_file).read()), d.proc.pid, "PID file")
    same(stat.S_IMODE(os.stat(d.sock).st_mode), 0o600, "mode of the socket")


@case("SIGTERM", signal.SIGTERM)
@case("SIGINT", signal.SIGINT)
def ends(lab, sig):
    d = lab.daemon(ROUTE)
    same(d.stop(sig), 0, "exit status")
    same([os.path.exists(p) for p in (d.pid_file, d.sock)], [False, False], "PID file and socket")
    same(lab.mroutes(), {}, "entries left")


@case("-i NAME names config, PID file and socket; in the background the parent waits for readiness")
def background(lab):
    sys_call("mount", "lab", "/etc", "tmpfs", 0, None)
    with open("/etc/east.conf", "w") as f:
        f.write(ROUTE)
    same(lab.run(*SMCROUTED, "-i", "east"), (0, "", ""), "smcrouted -i east")
    check(lab.route("10.1.0.9", "225.1.1.1"), "no route when the parent has ended")
    pid = int(open("/run/east.pid").read())
    check(stat.S_ISSOCK(os.stat("/run/east.sock").st_mode), "no socket")
    same(lab.run(*SMCROUTECTL, "-i", "east", "ping"), (0, "", ""), "ping")
    same(lab.run(*SMCROUTECTL, "-i", "east", "kill"), (0, "", ""), "kill")
    wait_until(lambda: gone(pid), "the end of the daemon")


@case("in the background, the parent tells of a failure")
def background_fails(lab):
    hold = taken(*MROUTE4), taken(*MROUTE6)
    rc, _, err = lab.run(*SMCROUTED, "-f", lab.write("x.conf", ROUTE), "-P", lab.path("x.pid"),
                         "-u", lab.path("x.sock"))
    same(rc, 69, "exit status")
    check(str(os.getpid()) in err, f"the holder is not named: {err!r}")
    for s in hold:
        s.close()


@case("-D leaves after some seconds")
def leaves(lab):
    d = lab.daemon(ROUTE, "-D", "1")
    same(d.wait(), 0, "exit status")


@case("no config file: runs and takes commands")
def no_config(lab):
    sys_call("mount", "lab", "/etc", "tmpfs", 0, None)
    said = "no config file /etc/bare.conf, waiting for commands\n"
    same(lab.run(*SMCROUTED, "-N", "-s", "-i", "bare", "-u", lab.path("bare.sock")), (0, "", said), "start")
    def ctl(*words):
        same(lab.run(*SMCROUTECTL, "-u", lab.path("bare.sock"), *words), (0, "", ""), words)
    ctl("add", "a1", "10.1.0.9", "225.1.1.1", "a2")
    check(lab.route("10.1.0.9", "225.1.1.1"), "no route")
    ctl("kill")


@case("a start with errors skips those lines alone, and names each")
def errors(lab):
    d = lab.daemon("mroute from a1 group 10.0.0.1 to a2\nmrout from a1\n" + ROUTE)
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    for where in (":3:", ":4:"):
        check(d.conf + where in d.log(), f"no {where} in the log")


@case("-F: 0 for a good file, 78 with every error for a bad one, without any rights")
def check_only(lab):
    good, bad = lab.write("good", ROUTE), lab.write("bad", ROUTE + "phyint\nmroute from x group 1.2.3.4 to y\n")
    same(lab.run(*SMCROUTED, "-F", good, drop=CAP_NET_RAW)[0], 0, "good")
    rc, out, err = lab.run(*SMCROUTED, "-F", bad, drop=CAP_NET_RAW)
    same(rc, 78, "bad")
    for where in (":3:", ":4:21:"):
        check(bad + where in out + err, f"no {where} in {out + err!r}")


@case("wrong options are 64 and named; -h and -v are 0")
def options(lab):
    for words in ("-Z", "-D x", "-D -1", "-D 99999999999999999999", "-l loud", "-i", "word", "-n word"):
        rc, _, err = lab.run(*SMCROUTED, *words.split())
        same(rc, 64, f"{words}: {err.strip()}: status")
    for words, told in (("--config x", "unknown option --config; see smcrouted -h"), ("-nx", "unknown option -x; see"),
                        ("-n -t", "option -t needs a value; see"), ("word", '"word" is one word too many; see'),
                        ("reload", "reload is a command of smcroutectl: smcroutectl reload\n")):
        same(lab.run(*SMCROUTED, *words.split())[2].split(told)[0], "smcrouted: ", words)
        check(err.strip(), f"{words}: nothing on stderr")
    for words, long in (("-h", "--help"), ("-v", "--version")):
        rc, out, err = lab.run(*SMCROUTED, words)
        same((rc, err), (0, ""), words)
        check(out.strip(), f"{words}: nothing on stdout")
        for applet in ("smcrouted", "smcroutectl", "smcroute-check"):
            same(lab.run(SMCROUTE, applet, long), lab.run(SMCROUTE, applet, words), f"{applet} {long}")
        same(lab.run(*SMCROUTED, "-n", long), lab.run(*SMCROUTED, words), f"-n {long}")


@case("the program without an applet: help, version, links, usage")
def top(lab):
    rc, out, _ = lab.run(SMCROUTE, "--help")
    same(rc, 0, "--help")
    for name in ("smcrouted", "smcroutectl", "smcroute-check"):
        check(name in out, f"--help does not name {name}")
    same(lab.run(SMCROUTE, "--version")[0], 0, "--version")
    same(lab.run(SMCROUTE, "nonsense")[0], 64, "nonsense")
    os.mkdir(lab.path("bin"))
    same(lab.run(SMCROUTE, "--install", "-s", lab.path("bin"))[0], 0, "--install")
    rc, out, _ = lab.run(lab.path("bin/smcrouted"), "-v")
    same((rc, out), (0, lab.run(SMCROUTE, "smcrouted", "-v")[1]), "a link named smcrouted")


@case("69: both routing sockets are taken, and the holder is named")
def holder(lab):
    hold = taken(*MROUTE4), taken(*MROUTE6)
    rc, log = refuses(lab)
    same(rc, 69, "exit status")
    check(str(os.getpid()) in log and "python" in log, f"no holder in {log}")
    for s in hold:
        s.close()
    same(Daemon(lab, ROUTE).stop(), 0, "a start afterwards")


@case("69: a second instance on the same socket; the first one is untouched")
def second(lab):
    d = lab.daemon(ROUTE)
    def state():
        pid = os.stat(d.pid_file)
        return pid.st_ino, pid.st_mode, pid.st_size, pid.st_mtime_ns, os.stat(d.sock).st_ino, lab.mroutes()
    before = state()
    rc, _, err = lab.run(*SMCROUTED, "-n", "-f", d.conf, "-P", d.pid_file, "-u", d.sock)
    same(rc, 69, f"exit status ({err})")
    same(state(), before, "PID file, socket, routes")
    d.do("ping")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")


@case("the files of a killed daemon do not stand in the way")
def stale(lab):
    d = lab.daemon(ROUTE)
    d.stop(signal.SIGKILL)
    same([os.path.exists(p) for p in (d.pid_file, d.sock)], [True, True], "what it left")
    os.unlink(d.pid_file)		# the harness waits for a new one
    d = lab.daemon(ROUTE)
    d.do("ping")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")


@case("a PID file that is a link is not followed")
def pid_link(lab):
    victim = lab.write("victim", "precious")
    os.symlink(victim, lab.path("smcroute.pid"))
    d = lab.daemon(ROUTE, ready=False)
    wait_until(lambda: d.proc.poll() is not None or d.ctl("ping")[0] == 0, "ready or ended")
    same(open(victim).read(), "precious", "the file behind the link")


@case("77: no CAP_NET_RAW, which is named")
def no_right(lab):
    rc, _, err = lab.run(*SMCROUTED, "-n", "-f", lab.write("x.conf", ROUTE), "-P", lab.path("x.pid"),
                         "-u", lab.path("x.sock"), drop=CAP_NET_RAW)
    same(rc, 77, f"exit status ({err})")
    check("CAP_NET_RAW" in err, f"not named in {err!r}")


@case("76: a kernel without multicast routing; the option is named")
def no_kernel(lab):
    for level in (socket.IPPROTO_IP, socket.IPPROTO_IPV6):
        refuse("setsockopt", errno.ENOPROTOOPT, {1: level, 2: 200})		# MRT_INIT, MRT6_INIT
    rc, log = refuses(lab)
    same(rc, 76, f"exit status ({log})")
    check("CONFIG_IP_MROUTE" in log, f"no CONFIG_ symbol in {log}")


@case("71: a socket that cannot be made")
def no_socket(lab):
    rc, log = refuses(lab, "-u", lab.path("x" * 108))
    same(rc, 71, f"exit status ({log})")
    check("x" * 108 in log, f"the path is not named in {log}")


@case("stops while it is busy, too")
def busy(lab):
    conf = "".join(f"mroute from a1 source 10.{i >> 16}.{i >> 8 & 255}.{i & 255} group 225.1.1.1 to a2\n"
                   for i in range(65793, 65793 + 50000))
    d = Daemon(lab, conf, ready=False)
    wait_until(lambda: lab.route("10.1.1.1", "225.1.1.1") or d.proc.poll() is not None, "the first route", 4 * SLOW)
    d.proc.send_signal(signal.SIGTERM)
    same(d.proc.wait(4 * SLOW), 0, "exit status")


if __name__ == "__main__":
    main()
