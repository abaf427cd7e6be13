# SPDX-License-Identifier: ISC
#
# What is measured: our build, its static form, the peer when it is there, the two
# floors, and what all benchmarks ask of a running daemon.
import collections
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../net"), os.path.join(HERE, "../tools")]
import cases  # noqa: E402
import lab  # noqa: E402
import peer  # noqa: E402

B = os.environ.get("B", "build")
FLOOR, FLOOR_STATIC, CLOCK, TRAFFIC, TURNS = (
    os.path.abspath(f"{B}/tests/{name}") for name in ("floor", "floor-static", "clock", "traffic", "turns.so"))
STATIC = os.path.abspath(f"{B}/smcroute-static")
NO_HOST = os.path.abspath(f"{B}/nohost/smcroute-static")
PATIENCE = 180
ADDRESS = {4: (lambda i: f"10.{1 + (i >> 16)}.{i >> 8 & 255}.{i & 255}", "225.1.1.1"),
           6: (lambda i: f"fd00:1::{i >> 16:x}:{i & 65535:x}", "ff2e::1")}

# Command lines of daemon and client, and the floor that was built and linked in the same way.
Found = collections.namedtuple("Found", "daemon client floor")


def rules(family, n, to="a2", changed=0):
    """n (S,G) routes, the first of them with another output."""
    source, group = ADDRESS[family]
    return "".join(f"mroute from a1 source {source(i)} group {group} to {'a3' if i <= changed else to}\n"
                   for i in range(1, n + 1))


def batch(text):
    """The same rules as commands."""
    return text.replace("mroute from", "add").replace("source ", "").replace("group ", "").replace(" to ", " ")


def find(word):
    """{name: Found} of what can be measured here; word() is told what cannot."""
    ours = os.path.abspath(lab.SMCROUTE)
    found = {"ours": Found([ours, "smcrouted"], [ours, "smcroutectl"], FLOOR)}
    if os.path.exists(STATIC):
        static_floor = FLOOR_STATIC if os.path.exists(FLOOR_STATIC) else FLOOR
        found["static"] = Found([STATIC, "smcrouted"], [STATIC, "smcroutectl"], static_floor)
        word(f"static: built with {os.environ.get('STATIC_CC', 'an unknown compiler')}"
             + ("" if static_floor == FLOOR_STATIC else ", but its floor is the dynamic one"))
    else:
        word("static: could not be built here, left out")
    if os.environ.get("PEER") == "no":
        return found
    try:
        at = peer.find(renew=True)
        found["peer"] = Found([f"{at}/smcrouted"], [f"{at}/smcroutectl"], FLOOR)
    except peer.Missing as e:
        word(f"peer: left out: {e}")
    return found


def figures(*argv, **kw):
    """The numbers that one of our small programs prints."""
    kw.setdefault("stderr", subprocess.PIPE)
    p = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=PATIENCE, preexec_fn=lab.child_setup, **kw)
    if p.returncode:
        raise lab.Failed(f"{argv[0]} {argv[1]}: {p.stderr}")
    return [float(word) for word in p.stdout.split()]


class Process:
    """A daemon that writes a PID file, started and timed by clock.c."""

    def __init__(self, here):
        self.lab, self.pid_file = here, here.path("b.pid")

    def launch(self, *argv):
        """Seconds from fork to the PID file."""
        self.proc = subprocess.Popen([CLOCK, "start", self.pid_file, shutil.which(argv[0]), *argv[1:]], text=True,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                     preexec_fn=lab.child_setup)
        took = self.proc.stdout.readline()
        lab.check(took, f"{argv[0]} did not start")
        with open(self.pid_file) as f:
            self.pid = int(f.read())
        return float(took)

    def client(self, *argv, stdin=""):
        """Seconds from fork of a client of this daemon to its end; None when it fails."""
        text = self.lab.write("b.batch", stdin)
        with open(text) as f:
            p = subprocess.run([CLOCK, "run", str(self.pid), *argv], stdin=f, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        # The peer asks its terminal for its width, here as well.
        told = re.sub(r"\x1b(\[[0-9;]*[A-Za-z]|[78])", "", p.stderr)
        return float(told.splitlines()[-1]) if p.returncode == 0 else None

    def memory(self, what="Anonymous"):
        """Bytes.  The figures of /proc/PID/status may lag behind by some dozen pages."""
        with open(f"/proc/{self.pid}/smaps_rollup") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith(what))

    def cpu(self):
        """Seconds on a processor."""
        with open(f"/proc/{self.pid}/schedstat") as f:
            return int(f.read().split()[0]) / 1e9

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        self.proc.wait(PATIENCE)
        if os.path.exists(self.pid_file):
            os.unlink(self.pid_file)


class Program(Process):
    """A daemon at work in a lab, and its client."""

    def __init__(self, here, program, *options, wrap=()):
        super().__init__(here)
        self.program, self.options, self.wrap = program, options, wrap
        self.sock = here.path("b.sock")

    def start(self, conf):
        return self.launch(*self.wrap, *self.program.daemon, "-n", "-i", "b", "-f", self.lab.write("b.conf", conf),
                           "-P", self.pid_file, "-u", self.sock, "-l", "none", *self.options)

    def succeed(self):
        """Kills the daemon, which has a keeper: until the next one is ready."""
        def there():
            with open(self.pid_file) as f:
                pid = int(f.read() or old)
            return pid != old and pid
        old = self.pid
        self.ctl("ping")		# it writes the PID file shortly before its keeper hears that it is ready
        os.kill(old, signal.SIGKILL)
        self.pid = lab.wait_until(there, "another daemon", PATIENCE)

    def reload(self, conf=None):
        if conf is not None:
            self.lab.write("b.conf", conf)
        return figures(CLOCK, "reload", self.pid_file)[0]

    def ctl(self, *args, stdin=""):
        return self.client(*self.program.client, "-u", self.sock, *args, stdin=stdin)

    def say(self, *args):
        return subprocess.run([*self.program.client, "-u", self.sock, *args], capture_output=True, text=True,
                              timeout=PATIENCE).stdout


class Floor(Process):
    """The floor as a daemon, and beside it as its client."""

    def __init__(self, here, path, family):
        super().__init__(here)
        self.path, self.family = path, str(family)

    def start(self, n):
        return self.launch(self.path, "start", self.family, str(n), "a1", "a2", self.pid_file)

    def run(self, what, n):
        return self.client(self.path, what, self.family, str(n))


class Turns:
    """How long the turns of a daemon's loop are, seen from inside: see turns.c."""

    def __init__(self, here):
        self.path = here.path("turns")
        self.reset()
        self.wrap = ("env", f"LD_PRELOAD={TURNS}", f"TURNS={self.path}")

    def reset(self):
        # In place: the daemon has it mapped.
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as f:
            f.write(struct.pack("ddd", 0, 0, 0))

    def longest(self):
        """Seconds of the longest turn, and how many there were."""
        with open(self.path, "rb") as f:
            count, longest, _ = struct.unpack("ddd", f.read(24))
        lab.check(count, "the turns were not seen")
        return longest, count

    def ran(self):
        """Seconds on a processor of the longest turn: the rest of it the kernel made it wait, for other work too."""
        with open(self.path, "rb") as f:
            return struct.unpack("ddd", f.read(24))[2]


def in_a_lab(fn, *args):
    """What the function returns for a fresh lab, or None with the reason on stderr."""
    def child(here):
        signal.alarm(10 * PATIENCE)
        print("RESULT " + json.dumps(fn(here, *args)))
    _, out = cases.run_child(child, ())
    results = [line[7:] for line in out.splitlines() if line.startswith("RESULT ")]
    if not results:
        print(out, file=sys.stderr)
        return None
    return json.loads(results[0])
