# SPDX-License-Identifier: ISC
#
# A run directory that is moved, hidden or cleaned while the daemon has its socket and PID file there: they are found
# where they are then, and none stays behind.
import os
import signal

from cases import case, main
from lab import MS_BIND, Daemon, check, same, sys_call, wait_until

ROUTE = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\n"
MS_REC, MS_MOVE, MNT_DETACH = 16384, 8192, 2


def start(lab, *options):
    """A daemon with its files in a file system of their own, `run`."""
    os.mkdir(lab.path("run"))
    sys_call("mount", "lab", lab.path("run"), "tmpfs", 0, None)
    d = Daemon(lab, lab.MARKS + ROUTE, ("-P", lab.path("run/x.pid"), "-u", lab.path("run/x.sock"), *options),
               ready=False)
    d.pid_file, d.sock = lab.path("run/x.pid"), lab.path("run/x.sock")
    wait_until(lambda: os.path.exists(d.pid_file), "the PID file")
    return d


def reload(d):
    n = d.log().count("reloaded: ")
    d.proc.send_signal(signal.SIGHUP)
    wait_until(lambda: d.log().count("reloaded: ") > n, "the reload")


def at(d, lab, place):
    d.pid_file, d.sock = lab.path(place + "/x.pid"), lab.path(place + "/x.sock")
    return d


@case("moved, as /run for the real root: clients find it there, and nothing is left there")
@case("the same, where the old place is gone", True)
def moved(lab, is_gone=False):
    d = start(lab)
    os.mkdir(lab.path("root"))
    sys_call("mount", lab.path("run"), lab.path("root"), None, MS_MOVE, None)
    if is_gone:
        os.rmdir(lab.path("run"))
    at(d, lab, "root").do("ping")
    same(open(d.pid_file).read(), f"{d.proc.pid}\n", "PID file")
    reload(d)
    d.do("ping")
    check("cannot make" not in d.log(), d.log())
    same(sorted(os.listdir(lab.path("root"))), ["x.pid", "x.sock"], "files in the new place")
    same(d.stop(), 0, "exit status")
    same(os.listdir(lab.path("root")), [], "files left")
    same(os.listdir(lab.path("run")) if not is_gone else [], [], "files in the old place")


@case("hidden by another file system: made again on reload, and nothing is left below")
def hidden(lab):
    d = start(lab)
    sys_call("mount", "lab", lab.path("run"), "tmpfs", 0, None)
    same(os.listdir(lab.path("run")), [], "files that can be seen")
    reload(d)
    d.do("ping")
    same(open(d.pid_file).read(), f"{d.proc.pid}\n", "PID file")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    same(d.stop(), 0, "exit status")
    same(os.listdir(lab.path("run")), [], "files left on top")
    sys_call("umount2", lab.path("run"), MNT_DETACH)
    same(os.listdir(lab.path("run")), [], "files left below")


@case("cleaned by somebody: made again on reload; what another put there is left alone")
def cleaned(lab):
    d = start(lab)
    os.unlink(d.sock)
    os.unlink(d.pid_file)
    reload(d)
    d.do("ping")
    same(open(d.pid_file).read(), f"{d.proc.pid}\n", "PID file")
    for path in (d.sock, d.pid_file):
        os.unlink(path)
        with open(path, "w") as f:
            f.write("precious")
    reload(d)
    same(d.stop(), 0, "exit status")
    same([open(path).read() for path in (d.sock, d.pid_file)], ["precious"] * 2, "files of another")


@case("an initramfs: its /run is moved to the real root, and a daemon from there takes over and cleans up")
@case("the same with a keeper, which ends too", "-k")
def initramfs(lab, *options):
    d = start(lab, *options)
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    # The real root has the same files, for this once.
    new = lab.path("new")
    os.mkdir(new)
    sys_call("mount", "/", new, None, MS_BIND | MS_REC, None)
    sys_call("mount", lab.path("run"), new + lab.path("run"), None, MS_MOVE, None)
    same(os.listdir(lab.path("run")), [], "files that the old root shows")
    real = Daemon(lab, lab.MARKS + ROUTE, ("-T", "-P", d.pid_file, "-u", d.sock), name="real", ready=False,
                  wrap=("sh", "-c", f'p=$(realpath "$0"); exec chroot {new} "$p" "$@"'))
    same(d.wait(), 0, "exit status of the one in the initramfs")
    wait_until(lambda: "started: " in real.log(), "the start")
    files = new + lab.path("run")
    same(sorted(os.listdir(files)), ["x.pid", "x.sock"], "files in the new place")
    same(open(files + "/x.pid").read(), f"{real.proc.pid}\n", "PID file")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    real.proc.send_signal(signal.SIGTERM)
    same(real.wait(), 0, "exit status")
    same(os.listdir(files), [], "files left")


if __name__ == "__main__":
    main()
