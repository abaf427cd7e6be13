# SPDX-License-Identifier: ISC
#
# A Debian root whose init is process 1 of a namespace, in the network of the lab's router, with our programs and files
# where `init/README.md` has them go.  ROOT names the roots, separated by blanks: a case takes the first that has
# the program that it needs.
import contextlib
import os
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../net"))

from flows import Streams
from lab import SMCROUTE, Skip, check, gone, same, wait_until

INIT = os.path.join(HERE, "../../init")
SBIN = "/usr/local/sbin"
GROUP = "smcroute-test-"
PPS = int(os.environ.get("PPS", "10000"))


def find_root(program):
    if os.geteuid():
        raise Skip("an init of its own needs root")
    roots = os.environ.get("ROOT", "").split()
    for root in roots:
        if os.path.lexists(root + program):
            return root
    raise Skip(f"no {program} in {' '.join(roots)}" if roots else "no ROOT=DIR")


def remove_group(top):
    """Whether a control group, with those below it, is gone."""
    for path, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(path)
    return not os.path.exists(top)


class Machine:
    """One that runs from the start on.  init: its words; files: {path there: (file of init/ or text, mode)}; needs: the
    program that the root has to have, else the init; programs: ours and their options, else what files has."""

    def __init__(self, lab, conf, init, files, needs=None, programs=True):
        self.lab, self.dir, root = lab, lab.path("machine"), find_root(needs or init[0])
        os.mkdir(self.dir)
        for name in ("smcroute", "smcrouted", "smcroutectl") if programs else ():
            self.put(f"{SBIN}/{name}", SMCROUTE, 0o755)
        self.put("/etc/smcroute.conf", lab.MARKS + conf)
        if programs:
            self.put("/etc/default/smcroute", 'SMCROUTED_OPTS="-c 600 -m 180"\n')
        for path, (what, mode) in files.items():
            self.put(path, os.path.join(INIT, what) if "\n" not in what else what, mode)
        self.groups = self.enter_groups()
        self.log_file = lab.path("machine.log")
        with open(self.log_file, "w") as log:
            self.proc = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--cgroup", "sh",
                 os.path.join(HERE, "boot.sh"), root, self.dir, self.groups[-1][0] if self.groups else "", *init],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.leave_groups()
        lab.procs.append(self)
        self.name = "machine"
        self.pid = wait_until(self.find_pid, "process 1")

    def put(self, path, what, mode=0o644):
        """A file of ours, or a text, below what the root has."""
        to = f"{self.dir}/upper{path}"
        os.makedirs(os.path.dirname(to), exist_ok=True)
        if os.path.exists(what):
            shutil.copyfile(what, to)
        else:
            with open(to, "w") as f:
                f.write(what)
        os.chmod(to, mode)

    # ---- a control group of its own ----

    def enter_groups(self):
        """Below the one that this process is in, of each hierarchy: [(new, old)]."""
        made = []
        with open("/proc/self/cgroup") as f:
            for line in f:
                _, name, path = line.strip().split(":", 2)
                top = "/sys/fs/cgroup" + ("/" + name.removeprefix("name=") if name else "")
                if not name and os.path.exists("/sys/fs/cgroup/unified"):
                    top += "/unified"
                old = top + path.rstrip("/")
                self.remove_stale(old)
                with contextlib.suppress(OSError):
                    os.mkdir(f"{old}/{GROUP}{os.getpid()}")
                    made.append((f"{old}/{GROUP}{os.getpid()}", old))
                    self.enter_group(made[-1][0])
        return made

    @staticmethod
    def enter_group(path):
        with open(path + "/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))

    def leave_groups(self):
        for _, old in self.groups:
            self.enter_group(old)

    def remove_groups(self):
        """All that the machine made in them too.  A group is busy until the last of its processes has been reaped."""
        for top, _ in self.groups:
            wait_until(lambda top=top: remove_group(top), f"the end of {top}")

    @staticmethod
    def remove_stale(folder):
        """Groups of a test that was killed before it could remove them."""
        with contextlib.suppress(OSError):
            for name in os.listdir(folder):
                pid = name.removeprefix(GROUP)
                if pid != name and not os.path.exists(f"/proc/{pid}"):
                    remove_group(f"{folder}/{name}")

    # ---- processes ----

    def find_pid(self):
        """Process 1, once it is the init and no longer our script."""
        check(self.proc.poll() is None, lambda: f"it ended with {self.proc.returncode}")
        with contextlib.suppress(FileNotFoundError, ValueError):
            with open(f"/proc/{self.proc.pid}/task/{self.proc.pid}/children") as f:
                pid = int(f.read())
            with open(f"/proc/{pid}/cmdline") as f:
                return None if "boot.sh" in f.read() else pid
        return None

    def run(self, *argv, seconds=60):
        """A command inside: (exit status, what it printed)."""
        p = subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-C", "env", "-i", "HOME=/root",
                            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *argv],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
        return p.returncode, p.stdout + p.stderr

    def do(self, *argv, status=0):
        rc, out = self.run(*argv)
        same(rc, status, f"{' '.join(argv)}: {out}")
        return out

    def ready(self, seconds=60):
        """The daemon answers and its rules are in force."""
        wait_until(lambda: self.run("smcroutectl", "ping")[0] == 0, "an answer to ping", seconds)
        wait_until(lambda: self.lab.route(*self.lab.MARK), "the first route")

    def daemon_pid(self):
        """Of the daemon, as the machine numbers processes."""
        rc, out = self.run("sh", "-c", "cat /run/smcroute.pid /run/smcroute/smcroute.pid 2>/dev/null")
        return int(out.split()[0]) if rc != 127 and out.split() else 0

    def log(self):
        with open(self.log_file, errors="replace") as f:
            return f.read() + self.run("sh", "-c", "cat /var/log/smcroute/current 2>/dev/null")[1]

    def leave(self):
        """At the end of a case, which checks itself what it stops."""
        self.end()

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.proc.wait(20)
        wait_until(lambda: gone(self.pid), "the end of process 1")
        self.remove_groups()

    # ---- what is promised ----

    def lossless(self, what, act):
        """All packets of a stream arrive once while act() does what it does."""
        streams = Streams(PPS)
        act()
        for family, (sent, arrived, doubles, lost) in streams.end().items():
            same((arrived, doubles), (sent, 0), f"{what}, IPv{family}: packets that arrived, doubles; {lost}")
            print(f"# measured: {what}: {sent} packets of IPv{family}, 0 lost")

    def follow(self, act):
        """Another daemon is there after act()."""
        before = self.daemon_pid()
        act()
        wait_until(lambda: self.daemon_pid() not in (0, before), f"another daemon than {before}")
        self.ready()

    def kill(self):
        self.do("kill", "-9", str(self.daemon_pid()))

    def reload(self, *argv):
        """By a command: a rule more is in force."""
        self.put_more()
        self.do(*argv)
        wait_until(lambda: self.lab.route("10.1.0.9", "225.9.9.9"), "the new rule")

    def put_more(self):
        self.run("sh", "-c", "echo mroute from a1 source 10.1.0.9 group 225.9.9.9 to a2 >>/etc/smcroute.conf")
