# SPDX-License-Identifier: ISC
#
# A start where something is missing or in the way: it goes on with what it can
# have, or ends and names what that was.
import errno
import os
import signal
import socket

import wire
from cases import case, main
from lab import CAP_NET_RAW, MS_BIND, SLOW, SMCROUTECTL, SMCROUTED, Daemon, check, same, sys_call, wait_until
from refuse import refuse

MS_RDONLY, MS_REMOUNT = 1, 32
ROUTE = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\n"


def files(lab):
    return ("-f", lab.write("x.conf", ROUTE), "-P", lab.path("x.pid"), "-u", lab.path("x.sock"))


def said(lab, want, *options, **kw):
    """What a start says that ends with this status."""
    rc, out, err = lab.run(*SMCROUTED, *options, **kw)
    same((rc, out), (want, ""), f"exit status, said {err!r}")
    return err


@case("78: -f FILE that is not there", "-n")
@case("78: the same in the background", "-s")
def no_file(lab, option):
    err = said(lab, 78, *files(lab), option, "-f", lab.path("nothing.conf"))
    check("nothing.conf: error: cannot read it: No such file" in err, err)
    err = said(lab, 78, *files(lab), option, "-f", lab.dir)
    check(lab.dir in err, err)
    same([os.path.exists(p) for p in files(lab)[3::2]], [False, False], "files that it left")


@case("the file of no option cannot be read: an error at the start and at each reload, and it runs")
def unreadable(lab):
    sys_call("mount", "lab", "/etc", "tmpfs", 0, None)
    os.mkdir("/etc/smcroute.conf")
    # Without the -i and -f of the lab.
    d = Daemon(lab, ROUTE, wrap=("sh", "-c", 'shift 7; exec "$0" smcrouted -n "$@"', SMCROUTED[0]))
    same(d.ctl("reload")[0], 78, "reload")
    same(d.log().count("/etc/smcroute.conf: error: cannot read it"), 2, d.log())


@case("without rights the capability is named, not the place of the socket")
def no_rights(lab):
    err = said(lab, 77, "-n", "-f", lab.write("x.conf", ROUTE), "-u", "/proc/no/x.sock", drop=CAP_NET_RAW)
    check("CAP_NET_RAW" in err and "x.sock" not in err, err)


@case("a plain file in the place of the socket is named, and left")
def plain_file(lab):
    options = files(lab)
    lab.write("x.sock", "precious")
    err = said(lab, 71, "-n", *options)
    check("x.sock: a file that is no socket is in its place" in err, err)
    same(open(lab.path("x.sock")).read(), "precious", "the file")


@case("a missing /dev/null, as in an initramfs, is no obstacle for a keeper", "-k")
@case("a missing /dev/null, as in an initramfs, is no obstacle", "-N")
def no_null(lab, option):
    options = files(lab)
    os.mkdir("/run/dev")
    sys_call("mount", "/run/dev", "/dev", None, MS_BIND, None)
    # Nothing takes the place of a standard descriptor that is closed.
    rc, out, err = lab.run("sh", "-c", 'exec "$@" <&-', "sh", *SMCROUTED, option, *options)
    same((rc, out, err), (0, "", ""), "start in the background")
    same(lab.run(*SMCROUTECTL, "-u", options[-1], "ping")[0], 0, "ping")
    with open(lab.path("x.pid")) as f:
        pid = int(f.read())
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)]
    same(links, ["/"] * 3, "standard descriptors")
    same(lab.run(*SMCROUTECTL, "-u", options[-1], "kill")[0], 0, "kill")


def files_in(lab, name):
    return ("-f", lab.write("x.conf", lab.MARKS + ROUTE), "-P", lab.path(name + "/x.pid"),
            "-u", lab.path(name + "/x.sock"))


@case("a run directory that is missing: one loud line, routing, and it is made on reload")
def no_directory(lab):
    options = files_in(lab, "gone")
    d = Daemon(lab, lab.MARKS + ROUTE, options[2:], ready=False)
    d.pid_file, d.sock = options[3], options[5]
    wait_until(lambda: "started" in d.log() or d.proc.poll() is not None, "the start")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    same(d.log().count("cannot make"), 1, "loud lines")
    check(f"{d.sock}: No such file or directory; routing goes on, but no client" in d.log(), d.log())
    d.proc.send_signal(signal.SIGHUP)
    wait_until(lambda: "reloaded" in d.log(), "the reload")
    same(d.log().count("cannot make"), 2, "loud lines after a reload")
    os.mkdir(lab.path("gone"))
    d.proc.send_signal(signal.SIGHUP)
    wait_until(lambda: os.path.exists(d.pid_file), "the PID file")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    d.do("ping")
    same(open(d.pid_file).read(), f"{d.proc.pid}\n", "the PID file")
    same(d.log().count("are there now"), 1, "lines about their coming")


@case("one that is read-only: the start in the background is well, and the files come when it is writable")
def read_only(lab):
    os.mkdir(lab.path("ro"))
    sys_call("mount", "lab", lab.path("ro"), "tmpfs", MS_RDONLY, None)
    options = files_in(lab, "ro")
    rc, out, err = lab.run(*SMCROUTED, *options, "-l", "err")
    same((rc, out), (0, ""), err)
    check(f"cannot make {options[5]}: Read-only file system" in err, err)
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    sys_call("mount", "lab", lab.path("ro"), "tmpfs", MS_REMOUNT, None)
    wait_until(lambda: lab.run(*SMCROUTECTL, "-u", options[5], "ping")[0] == 0, "an answer", 3 * SLOW)
    wait_until(lambda: os.path.exists(options[3]), "the PID file")
    same(lab.run(*SMCROUTECTL, "-u", options[5], "kill"), (0, "", ""), "kill")
    same(os.listdir(lab.path("ro")), [], "files that it left")


@case("where only the PID file cannot be made, clients are answered")
def no_pid_file(lab):
    d = Daemon(lab, ROUTE, ("-P", lab.path("gone/x.pid")), ready=False)
    wait_until(lambda: "started" in d.log() or d.proc.poll() is not None, "the start")
    check("gone/x.pid: No such file or directory; routing goes on without it" in d.log(), d.log())
    d.do("ping")


def full_start(lab):
    d = Daemon(lab, ROUTE, ("-P", lab.path("full/x.pid")), ready=False)
    wait_until(lambda: "started" in d.log(), "the start")
    return d


@case("a PID file for which there is no room beside that of a killed daemon takes its place")
def full(lab):
    os.mkdir(lab.path("full"))
    sys_call("mount", "lab", lab.path("full"), "tmpfs", 0, "size=64k")
    d = full_start(lab)
    d.proc.kill()
    d.proc.wait()
    same(open(lab.path("full/x.pid")).read(), f"{d.proc.pid}\n", "what was left")
    with open(lab.path("full/junk"), "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 4096):
                pass
        except OSError:
            pass
    d = full_start(lab)
    same(open(lab.path("full/x.pid")).read(), f"{d.proc.pid}\n", "the PID file")
    same(d.log().count("cannot make"), 0, "complaints")


@case("as PID 1 it stays, without -n too")
def pid_one(lab):
    # Without the -n of the lab.
    d = lab.daemon(ROUTE, wrap=("sh", "-c", 'shift 2; exec unshare -p --fork --kill-child "$0" smcrouted "$@"',
                                SMCROUTED[0]))
    same(open(d.pid_file).read(), "1\n", "its PID")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    wait_until(lambda: "started: 3 rules" in d.log(), lambda: d.log())
    d.do("kill")
    same(d.wait(), 0, "exit status")


@case("a config file that comes slowly by a pipe: SIGTERM ends the waiting for it", "-")
@case("the same of a pipe that is named by its number", "/proc/self/fd/0")
def slow_start(lab, conf):
    r, w = os.pipe()
    # Without the input of the lab.
    d = lab.daemon(ROUTE, "-f", conf, ready=False,
                   wrap=("sh", "-c", f'exec "$0" "$@" </proc/{os.getpid()}/fd/{r}'))
    wait_until(lambda: os.path.exists(d.sock), "the socket")
    os.write(w, b"mroute from")
    same(d.stop(), 0, "exit status")
    same(os.path.exists(d.sock), False, "the socket is there")


@case("a pipe as the config file: nothing is held up while it is read, at the start and at a reload")
def slow_pipe(lab):
    r, w = os.pipe()
    os.close(w)
    path = f"/proc/{os.getpid()}/fd/{r}"
    with open(path, "w") as f:
        d = lab.daemon("", "-f", path, ready=False)
        wait_until(lambda: os.path.exists(d.sock), "the socket")
        early = wire.connect(d.sock)
        early.send(wire.request("H"))
        f.write(lab.MARKS + ROUTE)
        f.flush()
    with early:
        # The reload that was asked for so early finds nothing.
        same(early.recv(9), b"\0", "its answer")
    same(d.show("-t", "show", "routes").count("225.1.1.1"), 0, "rules")
    with open(path, "w") as f:
        f.write(lab.MARKS + ROUTE)
        f.flush()
        d.proc.send_signal(signal.SIGHUP)
        d.do("ping")
    wait_until(lambda: d.log().count("reloaded") == 2, "the reload")
    with open(path, "w") as f:
        d.proc.send_signal(signal.SIGHUP)
        f.write(lab.MARKS + "mroute from a1 source 10.1.0.9 ")
        f.flush()
        lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
        d.do("ping")
        f.write("group 225.1.1.1 to a3\n")
    wait_until(lambda: d.log().count("reloaded") == 3, "the reload")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a3")


@case("IPv6 that is off is a notice, and IPv4 works")
def no_ipv6(lab):
    refuse("socket", errno.EAFNOSUPPORT, {0: socket.AF_INET6})
    d = lab.daemon(ROUTE, "-l", "notice")
    lines = [line for line in d.log().splitlines() if "IPv6" in line or "supported" in line]
    same(lines, ["IPv6 is off"], d.log())
    lab.wait(lab.send("a1", "10.1.0.9", "225.1.1.1", 20), "a2")
    same(d.stop(), 0, "exit status")
    d = Daemon(lab, ROUTE, ("-l", "err"), name="err")
    same((d.stop(), d.log()), (0, ""), "exit status, and errors")


@case("69: an instance in another network namespace is said to be there, by its PID file or its socket alone")
def other_namespace(lab):
    d = lab.daemon(ROUTE)
    for pid_file in (d.pid_file, lab.path("other.pid")):
        options = ("-n", "-f", d.conf, "-P", pid_file, "-u", d.sock)
        check("namespace" not in said(lab, 69, *options), "one in the same namespace")
        with lab.at("ha"):
            err = said(lab, 69, *options)
        check("in another network namespace; give this one a name by -i" in err, err)
    d.do("ping")


if __name__ == "__main__":
    main()
