# SPDX-License-Identifier: ISC
#
# The image of init/pkg/Containerfile, made and run as its lines say by hand: nothing but the static program, in its own
# namespaces of processes and files, with CAP_NET_RAW alone.
import json
import os
import shutil
import subprocess
import time

from cases import case, main
from lab import SLOW, SMCROUTE, Skip, check, gone, same, wait_until

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../init/pkg/Containerfile")
NET_RAW = 1 << 13
# In namespaces of its own: the image is all that there is, and root has one capability, as a runtime leaves it.
RUN = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
root = sys.argv[1]
def mount(what, where, kind, flags):
    if libc.mount(what.encode(), where.encode(), kind, flags, None) < 0:
        sys.exit(f"mount {where}: {os.strerror(ctypes.get_errno())}")
mount(root, root, None, 4096)			# MS_BIND
os.chdir(root)
mount("proc", "proc", b"proc", 0)
mount(".", "/", None, 8192)			# MS_MOVE
os.chroot(".")
for cap in range(64):
    if cap != 13:
        libc.prctl(24, cap, 0, 0, 0)		# PR_CAPBSET_DROP
os.execv(sys.argv[2], sys.argv[2:])
"""


def static_program():
    """One that needs no library: that of the test, or of `make static`."""
    for path in (SMCROUTE, os.path.join(os.environ.get("B", "build"), "smcroute-static")):
        if os.path.exists(path):
            with open(path, "rb") as f:
                if b"/ld-" not in f.read(4096):
                    return path
    raise Skip("no static program: make static")


def instructions():
    with open(FILE) as f:
        return [line.split(None, 1) for line in f.read().splitlines() if line and line[0] != "#"]


class Container:
    name = "container"

    def __init__(self, lab, conf):
        self.root, words = lab.path("image"), dict(instructions())
        same([k for k, _ in instructions()],
             ["FROM", "COPY", "WORKDIR", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT"], "instructions")
        same(words["FROM"], "scratch", "FROM")
        self.health = json.loads(words["HEALTHCHECK"].split("CMD", 1)[1])
        os.makedirs(self.root + words["WORKDIR"])
        shutil.copy(static_program(), self.root + words["COPY"].split()[1])
        # What a runtime adds.
        for name in ("proc", "etc"):
            os.mkdir(f"{self.root}/{name}")
        with open(self.root + "/etc/smcroute.conf", "w") as f:
            f.write(lab.MARKS + conf)
        self.log_file = lab.path("container.log")
        with open(self.log_file, "w") as log:
            self.proc = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "python3",
                                          lab.write("run.py", RUN), self.root,
                                          *json.loads(words["ENTRYPOINT"])], stdout=log, stderr=log)
        lab.procs.append(self)
        self.pid = wait_until(self.find_pid, lambda: f"the entry point: {self.log()}")

    def find_pid(self):
        check(self.proc.poll() is None, lambda: f"it ended with {self.proc.returncode}: {self.log()}")
        with open(f"/proc/{self.proc.pid}/task/{self.proc.pid}/children") as f:
            pid = f.read().split()
        if not pid:
            return None
        with open(f"/proc/{pid[0]}/cmdline") as f:
            return int(pid[0]) if f.read().startswith("/smcroute") else None

    def log(self):
        with open(self.log_file) as f:
            return f.read()

    def inside(self, argv):
        return subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-p", *argv], capture_output=True,
                              timeout=60).returncode

    def leave(self):
        if self.proc.poll() is None:
            os.kill(self.pid, 9)
            self.proc.wait(SLOW)


@case("the image with CAP_NET_RAW alone: routes, reports its health, survives a crash, ends at once")
def image(lab):
    if os.geteuid():
        raise Skip("a container of its own needs root")
    c = Container(lab, "mroute from a1 group 225.1.1.0/24 to a2\nmgroup from a1 group 225.1.1.3\n")
    wait_until(lambda: c.inside(c.health) == 0, "health")
    with open(f"/proc/{c.pid}/status") as f:
        status = dict(line.split(":\t", 1) for line in f if ":\t" in line)
    check(int(status["CapBnd"], 16) == NET_RAW and not int(status["CapPrm"], 16) & ~NET_RAW, f"rights {status}")
    same(sorted(os.listdir(c.root)), ["etc", "proc", "run", "smcroute"], "files")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    with open(f"/proc/{c.pid}/task/{c.pid}/children") as f:
        daemon = int(f.read())
    os.kill(daemon, 9)
    wait_until(lambda: gone(daemon) and c.inside(c.health) == 0, "health after a crash")
    lab.passes("a1", "10.1.0.9", "225.1.1.2", "a2")
    start = time.monotonic()
    os.kill(c.pid, 15)
    same(c.proc.wait(SLOW), 0, "exit status")
    print(f"# measured: it ended after {time.monotonic() - start:.3f} s")
    same(lab.mroutes(), {}, "entries that are left")


@case("health is reported as bad while the daemon does not answer")
def sick(lab):
    if os.geteuid():
        raise Skip("a container of its own needs root")
    c = Container(lab, "")
    wait_until(lambda: c.inside(c.health) == 0, "health")
    check(c.inside([*c.health[:1], "smcroutectl", "-i", "other", "ping"]) == 69, "health of one that is not there")


if __name__ == "__main__":
    main()
