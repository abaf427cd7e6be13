# SPDX-License-Identifier: ISC
#
# How long, and how much memory, for N routes: our build, the floor (a bare loop
# of the system calls) and, where it is found, SMCRoute as Debian has it, on the
# same topology in one run.  Medians of 5; ratios are what counts, as machines
# differ.  Needs no root where the kernel allows user namespaces.
#
#	bench.py [N...]			BENCH_JSON=file keeps the figures, RUNS=n other than 5
#
# PEER names a directory with smcrouted and smcroutectl of the other build.
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../net"))
import cases  # noqa: E402
import lab  # noqa: E402

RUNS = int(os.environ.get("RUNS", "5"))
FLOOR = os.path.join(os.environ.get("B", "build"), "tests/floor")
PEER_MAX = 5000		# beyond it the peer takes minutes
PATIENCE = 120
ADDRESS = {4: (lambda i: f"10.{1 + (i >> 16)}.{i >> 8 & 255}.{i & 255}", "225.1.1.1"),
           6: (lambda i: f"fd00:1::{i >> 16:x}:{i & 65535:x}", "ff2e::1")}


def rules(family, n):
    source, group = ADDRESS[family]
    return "".join(f"mroute from a1 source {source(i)} group {group} to a2\n" for i in range(1, n + 1))


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("RssAnon"))


def soon(predicate, start):
    """Seconds from the start until the predicate holds, looked at closely."""
    while not predicate():
        if time.perf_counter() - start > PATIENCE:
            raise lab.Failed("took too long")
    return time.perf_counter() - start


class Program:
    """The two programs of a build, at work in a lab."""

    def __init__(self, here, daemon, client):
        self.lab, self.argv, self.client = here, daemon, client

    def start(self, conf):
        """Seconds from exec to ready."""
        self.conf, self.pid, self.sock = self.lab.write("b.conf", conf), self.lab.path("b.pid"), self.lab.path("b.sock")
        start = time.perf_counter()
        self.proc = subprocess.Popen([*self.argv, "-n", "-i", "b", "-f", self.conf, "-P", self.pid, "-u", self.sock,
                                      "-l", "none"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     preexec_fn=lab.child_setup)
        took = soon(lambda: os.path.exists(self.pid) or self.proc.poll() is not None, start)
        lab.same(self.proc.poll(), None, "exit status")
        return took

    def signal(self, sig):
        with open(self.pid) as f:
            os.kill(int(f.read()), sig)		# not our child when strace is between

    def reload(self):
        os.utime(self.pid, (0, 0))
        start = time.perf_counter()
        self.signal(signal.SIGHUP)
        return soon(lambda: os.stat(self.pid).st_mtime_ns, start)

    def ctl(self, *args, stdin=None):
        start = time.perf_counter()
        p = subprocess.run([*self.client, "-u", self.sock, *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           input=stdin, text=True, timeout=PATIENCE)
        return time.perf_counter() - start if p.returncode == 0 else None

    def stop(self):
        self.signal(signal.SIGTERM)
        self.proc.wait(PATIENCE)
        if os.path.exists(self.pid):
            os.unlink(self.pid)


def measure_floor(here, family, n):
    rc, out, err = here.run(FLOOR, str(family), str(n), "a1", "a2")
    lab.same((rc, err), (0, ""), "floor")
    return {"start": float(out)}


def measure(here, family, n, daemon, client):
    p, got = Program(here, daemon, client), {}
    p.start("")
    empty = resident(p.proc.pid)
    got["batch"] = p.ctl("-b", stdin=rules(family, n).replace("mroute from", "add")
                         .replace("source ", "").replace("group ", "").replace(" to ", " "))
    p.stop()
    got["start"] = p.start(rules(family, n))
    got["memory"] = (resident(p.proc.pid) - empty) / n
    got["reload"] = p.reload()
    got["show"] = p.ctl("show")
    p.stop()
    return got


def mfc_calls(here, family, n, daemon, client):
    """System calls on the routing sockets during a reload of the same file."""
    trace = here.path("trace")
    p = Program(here, ["strace", "-f", "-e", "trace=setsockopt", "-o", trace, *daemon], client)
    p.start(rules(family, n))
    with open(trace) as f:
        before = f.read().count("setsockopt(")
        p.reload()
        calls = f.read().count("setsockopt(")
    lab.check(before >= n, f"{before} calls at the start")
    p.stop()
    return {"calls": calls}


def in_a_lab(fn, *args):
    """What the function returns for a fresh lab, or None with the reason on stderr."""
    def child(here):
        print("RESULT " + json.dumps(fn(here, *args)))
    rc, out = cases.run_child(child, ())
    results = [line[7:] for line in out.splitlines() if line.startswith("RESULT ")]
    if rc or not results:
        print(out, file=sys.stderr)
        return None
    return json.loads(results[0])


def median(runs, key):
    values = [r[key] for r in runs if r and r.get(key) is not None]
    return statistics.median(values) if values else None


def programs():
    found = {"ours": ([lab.SMCROUTE, "smcrouted"], [lab.SMCROUTE, "smcroutectl"])}
    peer = os.environ.get("PEER", "build/peer/usr/sbin")
    path = os.pathsep.join((os.path.abspath(peer), "/usr/sbin"))
    daemon, client = (shutil.which(p, path=path) for p in ("smcrouted", "smcroutectl"))
    if daemon and client:
        found["peer"] = ([daemon], [client])
    else:
        print("peer: not found, left out (its packages unpacked in build/peer, or PEER=directory)")
    return found


def main():
    sizes = [int(a) for a in sys.argv[1:]] or [1000, 5000, 20000, 100000]
    rows, found = [], programs()
    print(f"{'family':<7}{'N':>7}  {'':<6}{'start':>16}{'reload':>16}{'batch':>16}{'show':>16}{'bytes/route':>13}"
          f"{'calls':>7}\n{'':<22}" + f"{'seconds x floor':>16}" * 4 + f"{'':>13}{'reload':>7}")
    for family in (4, 6):
        for n in sizes:
            floor = median([in_a_lab(measure_floor, family, n) for _ in range(RUNS)], "start")
            if floor is None:
                sys.exit("bench: no floor to compare with")
            print(f"IPv{family:<4}{n:>7}  {'floor':<6}{floor:>10.4f}")
            rows.append({"family": family, "n": n, "program": "floor", "start": floor})
            for name, (daemon, client) in found.items():
                if name == "peer" and n > PEER_MAX:
                    continue
                runs = [in_a_lab(measure, family, n, daemon, client) for _ in range(RUNS)]
                row = {k: median(runs, k) for k in ("start", "reload", "batch", "show", "memory")}
                if shutil.which("strace"):
                    row["calls"] = (in_a_lab(mfc_calls, family, n, daemon, client) or {}).get("calls")
                cells = "".join(f"{row[k]:>10.4f}{row[k] / floor:>6.1f}" if row[k] else f"{'-':>16}"
                                for k in ("start", "reload", "batch", "show"))
                print(f"{'':<14}  {name:<6}{cells}" + (f"{row['memory']:>13.0f}" if row["memory"] else f"{'-':>13}")
                      + f"{'-' if row.get('calls') is None else row['calls']:>7}", flush=True)
                rows.append({"family": family, "n": n, "program": name, **row})
    if "BENCH_JSON" in os.environ:
        with open(os.environ["BENCH_JSON"], "w") as f:
            json.dump({"kernel": os.uname().release, "runs": RUNS, "rows": rows}, f, indent=1)


if __name__ == "__main__":
    main()
