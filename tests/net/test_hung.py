# SPDX-License-Identifier: ISC
#
# A file system that does not answer, and what is no file, in the place of the
# configuration: they hold up the reading of it and nothing else.
import contextlib
import ctypes
import os
import signal
import socket
import subprocess

from cases import case, main
from heirs import children
from lab import SMCROUTE, SMCROUTECTL, SMCROUTED, Skip, check, gone, libc, same, wait_until

MNT_DETACH = 2					# linux/fs.h
WIDE = "mroute from a1 group 225.1.1.0/24 to a2\n"


class Hung:
    """A file system of FUSE that nobody serves: whoever looks at it waits until it is let go of."""

    def __init__(self, path):
        os.makedirs(path, exist_ok=True)
        self.path = path
        try:
            self.fd = os.open("/dev/fuse", os.O_RDWR)
        except OSError as e:
            raise Skip(f"/dev/fuse: {e.strerror}")
        options = f"fd={self.fd},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if libc.mount(b"hung", path.encode(), b"fuse", 0, options.encode()) < 0:
            raise Skip(f"mount of FUSE: {os.strerror(ctypes.get_errno())}")

    def let_go(self):
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        libc.umount2(self.path.encode(), MNT_DETACH)


def reading(lab, pattern):
    """A daemon that has read its file, and who did that has gone."""
    d = lab.daemon(WIDE + f"include {lab.path('hung')}/{pattern}\n")
    wait_until(lambda: not children(d.proc.pid), "the end of who reads")
    return d


def sockets(pid):
    links = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return [link for link in links if link.startswith("socket:")]


def one_helper(pid):
    """Who reads, once it has none of the daemon's sockets."""
    wait_until(lambda: len(children(pid)) == 1, lambda: f"who reads: {children(pid)}")
    child = children(pid)[0]
    wait_until(lambda: len(sockets(child)) == 1, "the end of its copies")
    return child


def works(lab, d, group):
    """A source that is new, a client, a rule and a link of the daemon, all beside the reload."""
    lab.passes("a1", "10.1.0.9", f"225.1.1.{group}", "a2")
    d.do("ping")
    d.do("add", "a1", f"225.2.2.{group}", "a3")
    lab.passes("a1", "10.1.0.9", f"225.2.2.{group}", "a3")


@case("a reload while a file that is included does not answer: packets, clients and rules go on", "x.conf")
@case("the same of a pattern", "*.conf")
def reload(lab, pattern):
    d = reading(lab, pattern)
    with Hung(lab.path("hung")) as hung:
        client = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "reload"], stderr=subprocess.PIPE, text=True)
        pid = one_helper(d.proc.pid)
        works(lab, d, 1)
        # Another one waits behind it.
        d.proc.send_signal(signal.SIGHUP)
        works(lab, d, 2)
        wait_until(lambda: "a file does not come" in d.log(), lambda: d.log())
        works(lab, d, 3)
        same((client.poll(), children(d.proc.pid)), (None, [pid]), "the client, and who reads")
        hung.let_go()
        err = client.communicate(timeout=60)[1]
        same(client.returncode, 78, f"exit status of the client: {err}")
        check("cannot include" in err and "nothing was changed" in err, err)
        wait_until(lambda: not children(d.proc.pid), lambda: f"children left: {children(d.proc.pid)}")
        lab.passes("a1", "10.1.0.9", "225.2.2.1", "a3")
    same(d.ctl("reload")[0], 0, "reload")
    same(d.stop(), 0, "exit status")


@case("SIGTERM while it hangs: the daemon ends and leaves nobody", "TERM")
@case("nor does a daemon that is killed", "KILL")
def ended(lab, how):
    d = reading(lab, "x.conf")
    with Hung(lab.path("hung")):
        d.proc.send_signal(signal.SIGHUP)
        pid = one_helper(d.proc.pid)
        d.proc.send_signal(getattr(signal, f"SIG{how}"))
        same(d.wait(), 0 if how == "TERM" else -signal.SIGKILL, "exit status")
        wait_until(lambda: gone(pid), "the end of who reads")


@case("who reads can be killed: the reload fails, the next one is another attempt")
def killed(lab):
    d = reading(lab, "x.conf")
    with Hung(lab.path("hung")):
        d.proc.send_signal(signal.SIGHUP)
        os.kill(one_helper(d.proc.pid), signal.SIGKILL)
        wait_until(lambda: "reload failed" in d.log(), lambda: d.log())
        check("Operation canceled" in d.log(), d.log())
        works(lab, d, 1)
    same(d.ctl("reload")[0], 0, "reload")


@case("a start while it hangs waits for it, and SIGTERM ends that", "TERM")
@case("and goes on once it answers", "answer")
def start(lab, how):
    with Hung(lab.path("hung")) as hung:
        d = lab.daemon(WIDE + f"include {hung.path}/x.conf\n", ready=False)
        wait_until(lambda: os.path.exists(d.sock), "the socket")
        one_helper(d.proc.pid)
        check(not os.path.exists(d.pid_file), "it says that it is ready")
        if how == "TERM":
            same(d.stop(), 0, "exit status")
            return
        hung.let_go()
        wait_until(lambda: os.path.exists(d.pid_file), "the PID file")
        works(lab, d, 1)


def kinds(lab):
    """Path and what is said of it."""
    os.mkdir(lab.path("folder"))
    os.mkfifo(lab.path("fifo"))
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(lab.path("socket"))
    return [(lab.path("folder"), "it is a directory"), (lab.path("fifo"), "it is no regular file"),
            (lab.path("socket"), "it is no regular file"), ("/dev/zero", "it is no regular file"),
            ("/dev/tty", "it is no regular file")]


@case("what is no file is refused, and named: by the checker, at the start, at a reload, in an include")
def no_file(lab):
    refused = kinds(lab)
    for path, why in refused:
        rc, out, err = lab.run(SMCROUTE, "smcroute-check", path)
        same((rc, path in out + err, why in out + err), (78, True, True), f"smcroute-check {path}: {out}{err}")
        rc, _, err = lab.run(*SMCROUTED, "-n", "-i", "x", "-f", path, "-P", lab.path("x.pid"), "-u", lab.path("x.sock"))
        same((rc, path in err, why in err), (78, True, True), f"start with {path}: {err}")
    d = lab.daemon(WIDE)
    for path, why in refused:
        d.write(WIDE + f"include {path}\n")
        rc, _, err = d.ctl("reload")
        same((rc, f'cannot include "{path}": {why}' in err), (78, True), f"include {path}: {err}")
        os.rename(d.conf, d.conf + ".keep")
        os.symlink(path, d.conf)
        rc, _, err = d.ctl("reload")
        same((rc, why in err), (78, True), f"reload of {path}: {err}")
        os.rename(d.conf + ".keep", d.conf)
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    same(lab.run(SMCROUTE, "smcroute-check", "/dev/null")[0], 0, "/dev/null, which is as good as an empty file")


if __name__ == "__main__":
    main()
