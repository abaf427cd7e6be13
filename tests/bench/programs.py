# SPDX-License-Identifier: ISC
#
# What is measured: our build, its static form, the peer when it is there, and
# what all benchmarks ask of a running daemon.
import json
import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../net"))
import cases  # noqa: E402
import lab  # noqa: E402

B = os.environ.get("B", "build")
FLOOR, CLOCK, TRAFFIC = (os.path.abspath(f"{B}/tests/{name}") for name in ("floor", "clock", "traffic"))
STATIC = os.path.abspath(os.environ.get("STATIC", f"{B}/smcroute-static"))
PEER = os.environ.get("PEER", f"{B}/peer/usr/sbin")
PATIENCE = 180
ADDRESS = {4: (lambda i: f"10.{1 + (i >> 16)}.{i >> 8 & 255}.{i & 255}", "225.1.1.1"),
           6: (lambda i: f"fd00:1::{i >> 16:x}:{i & 65535:x}", "ff2e::1")}


def rules(family, n, to="a2", changed=0):
    """n (S,G) routes, the first of them with another output."""
    source, group = ADDRESS[family]
    return "".join(f"mroute from a1 source {source(i)} group {group} to {'a3' if i <= changed else to}\n"
                   for i in range(1, n + 1))


def batch(text):
    """The same rules as commands."""
    return text.replace("mroute from", "add").replace("source ", "").replace("group ", "").replace(" to ", " ")


def find():
    """{name: (daemon, client)} of what can be measured here."""
    ours = os.path.abspath(lab.SMCROUTE)
    found = {"ours": ([ours, "smcrouted"], [ours, "smcroutectl"])}
    if os.path.exists(STATIC):
        found["static"] = ([STATIC, "smcrouted"], [STATIC, "smcroutectl"])
    path = os.pathsep.join((os.path.abspath(PEER), "/usr/sbin"))
    daemon, client = (shutil.which(p, path=path) for p in ("smcrouted", "smcroutectl"))
    if daemon and client and "SMCRoute v2" in subprocess.run([daemon, "-v"], capture_output=True, text=True).stdout:
        found["peer"] = ([daemon], [client])
    return found


def figures(*argv, **kw):
    """The numbers that one of our small programs prints."""
    kw.setdefault("stderr", subprocess.PIPE)
    p = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=PATIENCE, preexec_fn=lab.child_setup, **kw)
    if p.returncode:
        raise lab.Failed(f"{argv[0]} {argv[1]}: {p.stderr}")
    return [float(word) for word in p.stdout.split()]


class Program:
    """A daemon at work in a lab, and its client."""

    def __init__(self, here, program, *options, wrap=()):
        self.lab, (self.daemon, self.client), self.options, self.wrap = here, program, options, wrap
        self.pid_file, self.sock = here.path("b.pid"), here.path("b.sock")

    def start(self, conf):
        """Seconds from fork to ready."""
        argv = [CLOCK, "start", self.pid_file, *self.wrap, *self.daemon, "-n", "-i", "b",
                "-f", self.lab.write("b.conf", conf), "-P", self.pid_file, "-u", self.sock, "-l", "none", *self.options]
        argv[3] = shutil.which(argv[3])
        self.proc = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                     preexec_fn=lab.child_setup)
        took = self.proc.stdout.readline()
        lab.check(took, "the daemon did not start")
        with open(self.pid_file) as f:
            self.pid = int(f.read())
        return float(took)

    def reload(self, conf=None):
        if conf is not None:
            self.lab.write("b.conf", conf)
        return figures(CLOCK, "reload", self.pid_file)[0]

    def ctl(self, *args, stdin=""):
        """Seconds from fork of the client to its end; None when it fails."""
        argv = [CLOCK, "run", *self.client, "-u", self.sock, *args]
        text = self.lab.write("b.batch", stdin)
        with open(text) as f:
            p = subprocess.run(argv, stdin=f, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               timeout=PATIENCE)
        # The peer asks its terminal for its width, here as well.
        told = re.sub(r"\x1b(\[[0-9;]*[A-Za-z]|[78])", "", p.stderr)
        return float(told.splitlines()[-1]) if p.returncode == 0 else None

    def say(self, *args):
        return subprocess.run([*self.client, "-u", self.sock, *args], capture_output=True, text=True,
                              timeout=PATIENCE).stdout

    def memory(self, what="RssAnon"):
        """Bytes."""
        with open(f"/proc/{self.pid}/status") as f:
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
