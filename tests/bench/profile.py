# SPDX-License-Identifier: ISC
#
# Where the time of start, reload, batch and show goes: processor time beside that of
# the floor, system calls, instructions by function (callgrind), samples by function
# of the kernel (perf, for root alone).  Prints Markdown.
#
#	profile.py [N...]	numbers of routes, default 1000 10000
#
# BENCH_MD=file keeps what is printed.
import collections
import functools
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import programs  # noqa: E402
import report  # noqa: E402
from programs import Floor, Program, batch, in_a_lab, rules  # noqa: E402

SIZES = [int(a) for a in sys.argv[1:]] or [1000, 10000]
TOP, TIMES = 15, 9
WORKS = "start", "reload", "batch", "show"
SAMPLES = 500		# as many runs as give about that many, at 20,000 a second
OUTER = "PROGRAM TOTALS|below main|libc-start|libc_start|^smcroute.c:|^0x|:_start$"
CALLGRIND = shutil.which("valgrind") and shutil.which("vgdb") and shutil.which("callgrind_annotate")
PERF = os.getuid() == 0 and "LAB_USERNS" not in os.environ and shutil.which("perf")
STRACE = shutil.which("strace")


def client_time(argv, path):
    """Seconds on a processor of a client that reads from a file, to its end."""
    with open(path) as f:
        p = subprocess.Popen(argv, stdin=f, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


class Session:
    """A daemon taken through the works; what is done around each is the caller's."""

    def __init__(self, here, n, wrap=()):
        self.lab, self.n = here, n
        self.p = Program(here, programs.find(lambda word: None)["ours"], wrap=wrap)
        self.commands = here.write("commands", batch(rules(4, n)))
        self.nothing = here.write("nothing", "")

    def client(self, work):
        """Command line and standard input."""
        words, path = (["-b"], self.commands) if work == "batch" else (["show"], self.nothing)
        return [*self.p.program.client, "-u", self.p.sock, *words], path

    def begin(self, work):
        self.p.start("" if work == "batch" else rules(4, self.n))

    def run(self, work, wrap=()):
        """Seconds on a processor of the client, 0 where there is none."""
        if work == "start":
            return 0
        if work == "reload":
            self.p.reload()
            return 0
        argv, path = self.client(work)
        return client_time([*wrap, *argv], path)


# ---- processor time ----

def times(here, n):
    """{work: [milliseconds of daemon, of client, of the floor]}, medians."""
    got = collections.defaultdict(list)
    floor_of = {"batch": "add", "show": "ask"}
    for _ in range(TIMES):
        for work in WORKS:
            s, f = Session(here, n), Floor(here, programs.FLOOR, 4)
            s.begin(work)
            before = 0 if work == "start" else s.p.cpu()
            client = s.run(work)
            daemon = s.p.cpu() - before
            s.p.stop()
            f.start(n if work != "batch" else 0)
            argv = [f.path, floor_of.get(work, ""), "4", str(n)]
            floor = client_time(argv, s.nothing) if work in floor_of else f.cpu()
            f.stop()
            got[work].append((daemon, client, floor))
    return {work: [1e3 * statistics.median(v) for v in zip(*rows)] for work, rows in got.items()}


# ---- system calls ----

def count(text):
    return collections.Counter(re.findall(r"^(?:\d+ +)?(\w+)\(", text, re.M))


def calls(here, n):
    """{work: [counts of the daemon, of the client]}."""
    got = {}
    for work in WORKS:
        trace, client = here.path("trace"), here.path("trace.client")
        s = Session(here, n, wrap=(STRACE, "-f", "-o", trace))
        s.begin(work)
        with open(trace) as f:
            start = f.read()
            s.run(work, wrap=(STRACE, "-o", client))
            time.sleep(0.3)		# the daemon goes on after it has answered
            got[work] = [count(start if work == "start" else f.read()), {}]
        if work in ("batch", "show"):
            with open(client) as f:
                got[work][1] = count(f.read())
        s.p.stop()
    return got


# ---- instructions ----

def annotate(path, *options):
    """Instructions in all, and [(share, function), ...]."""
    out = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", *options, path], capture_output=True,
                         text=True).stdout
    total = re.search(r"^\s*([\d,]+).*PROGRAM TOTALS", out, re.M)
    total = int(total[1].replace(",", "")) if total else 0
    rows = {}
    for number, name in re.findall(r"^\s*([\d,]+) *\( *[\d.]+%\)  (\S.*)$", out, re.M):
        name = re.sub(r"^.*/(?=[^/]*:)|^\?\?\?:| \[.*\]$|\.(isra|constprop|part)\.\d+", "", name)
        # What was running when counting began has all as its own; what leads to main() tells nothing.
        if not re.search(OUTER, name) and (options or int(number.replace(",", "")) < 0.99 * total):
            rows.setdefault(name, int(number.replace(",", "")))
    return total, [(number, name) for name, number in rows.items()][:TOP]


def callgrind(here, n):
    """{work: {"daemon": (total, self, inclusive), "client": ...}}."""
    got, prefix = {}, f"--vgdb-prefix={here.path('vgdb')}"
    tool = (shutil.which("valgrind"), "--tool=callgrind", "-q", prefix)
    for work in WORKS:
        out, client = here.path(f"{work}.out"), here.path(f"{work}.client")
        s = Session(here, n, wrap=(*tool, f"--callgrind-out-file={out}"))
        s.begin(work)

        def tell(word, pid=s.p.pid):
            subprocess.run(["vgdb", prefix, f"--pid={pid}", word], capture_output=True, timeout=60)
        if work != "start":
            tell("zero")
        s.run(work, wrap=(*tool, f"--callgrind-out-file={client}"))
        tell("dump")
        s.p.stop()
        got[work] = {who: (*annotate(path), annotate(path, "--inclusive=yes")[1])
                     for who, path in (("daemon", out + ".1"), ("client", client)) if os.path.exists(path)}
    return got


# ---- samples ----

def sample(path, begin, end):
    """Samples of user space, and of the kernel by function."""
    out = subprocess.run(["perf", "script", "-i", path, "-F", "time,ip,sym"], capture_output=True, text=True).stdout
    user, kernel = 0, collections.Counter()
    for at, ip, name in re.findall(r"^\s*([\d.]+):\s+([0-9a-f]+) (\S+)", out, re.M):
        if begin <= float(at) <= end:
            if len(ip) == 16 and ip.startswith("ffff"):
                kernel[name] += 1
            else:
                user += 1
    return user, kernel


def samples(here, n, enough):
    """{work: {"daemon": [samples in user space, {kernel function: samples}], "client": ...}}."""
    got = {work: {"daemon": [0, collections.Counter()]} for work in WORKS}
    record = (PERF, "record", "-q", "-e", "cpu-clock", "-F", "20000", "-k", "CLOCK_MONOTONIC", "-o")

    def add(work, who, path, begin, end=1e18):
        user, kernel = sample(path, begin, end)
        had = got[work].setdefault(who, [0, collections.Counter()])
        had[0] += user
        had[1].update(kernel)
    for work in WORKS:
        for _ in range(100):
            path, client = here.path("perf"), here.path("perf.client")
            s = Session(here, n, wrap=(*record, path, "--"))
            s.begin(work)
            begin = 0 if work == "start" else time.monotonic()
            for _ in range(20 if work in ("reload", "show") else 1):
                s.run(work, wrap=(*record, client, "--"))
                if os.path.exists(client):
                    add(work, "client", client, 0)
                    os.unlink(client)
            time.sleep(0.02)
            end = time.monotonic()
            s.p.stop()
            add(work, "daemon", path, begin, end)
            if got[work]["daemon"][0] + sum(got[work]["daemon"][1].values()) > enough:
                break
    return got


# ---- the page ----

def table(head, rows):
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]


def page_times(n, cpu, split):
    def shares(work, who):
        user, kernel = split[work].get(who, (0, {})) if split else (0, {})
        every = user + sum(kernel.values())
        return f" ({100 * user / every:.0f} % user)" if every else ""
    rows = []
    for work, (daemon, client, floor) in cpu.items():
        ours = daemon + client
        rows.append((work, f"{daemon:.2f}{shares(work, 'daemon')}",
                     f"{client:.2f}{shares(work, 'client')}" if client else "-",
                     f"{floor:.2f}", f"{ours / floor:.2f}", f"{1e6 * (ours - floor) / n:.0f}"))
    return [f"\n### Processor time of {n:,} routes, milliseconds\n",
            *table(("work", "daemon", "client", "floor", "ours / floor", "ns a route more than the floor"), rows)]


def page_base(base, nothing):
    return ["\n## One route\n",
            "What a process costs before there are routes: fork, exec, the dynamic linker, sockets, VIFs, and for "
            "batch and show two processes that wake each other. At 1,000 routes this is most of what the programs "
            "take, and why they are over the targets against the bare loop there; what a route adds is below. "
            f"`true`, linked in the same way, takes {1e3 * nothing:.2f} ms of processor time to do nothing.\n",
            *table(("work", "daemon, ms", "client, ms", "floor, ms"),
                   [(work, f"{d:.2f}", f"{c:.2f}" if c else "-", f"{f:.2f}") for work, (d, c, f) in base.items()])]


def page_added(n, cpu, base):
    rows = []
    for work, (daemon, client, floor) in cpu.items():
        ours, least = (1e6 * (a - b) / (n - 1) for a, b in ((daemon + client, sum(base[work][:2])),
                                                            (floor, base[work][2])))
        rows.append((work, f"{ours:.0f}", f"{least:.0f}", f"{ours / least:.2f}" if least > 0 else "-"))
    return [f"\n### What each of {n:,} routes adds to one, nanoseconds of processor time\n",
            *table(("work", "ours", "floor", "ours / floor"), rows)]


def page_calls(n, got):
    rows = []
    for work, (daemon, client) in got.items():
        for who, counts in (("daemon", daemon), ("client", client)):
            if counts:
                names = sorted(counts.items(), key=lambda c: -c[1])
                rows.append((work, who, f"{sum(counts.values()):,}", ", ".join(f"{k} {v:,}" for k, v in names[:8])))
    return [f"\n### System calls, {n:,} routes\n", *table(("work", "", "calls", "the most frequent"), rows)]


def page_instructions(n, got):
    text = []
    for work, programs_of in got.items():
        for who, (total, own, inclusive) in programs_of.items():
            def cell(rows, i, total=total):
                return (f"{100 * rows[i][0] / total:.1f} %", f"`{rows[i][1]}`") if i < len(rows) else ("", "")
            text += [f"\n### Instructions, {work} of {n:,} routes, {who}: {total:,}, {total / n:,.0f} a route\n",
                     *table(("self", "function", "inclusive", "function"),
                            (cell(own, i) + cell(inclusive, i) for i in range(max(len(own), len(inclusive)))))]
    return text


def page_kernel(n, got):
    rows = []
    for work, who in ((w, who) for w in got for who in got[w]):
        user, kernel = got[work][who]
        every = user + sum(kernel.values())
        if every:
            top = collections.Counter(kernel).most_common(8)
            rows.append((work, who, f"{100 * (1 - user / every):.0f} %",
                         ", ".join(f"{k} {100 * v / every:.0f} %" for k, v in top)))
    return [f"\n### The kernel's part of {n:,} routes, by perf\n",
            *table(("work", "", "kernel", "its functions"), rows)]


def main():
    about = report.Report(SIZES, TIMES).about
    text = [f"# Profile of start, reload, batch and show\n\nWritten by tests/bench/profile.py on {about['date']}: "
            f"commit {about['commit']}, Linux {about['kernel']}, {about['machine']}. IPv4; the floor is a whole "
            "process of bare system calls, see floor.c. Instructions and system calls are exact; processor times are "
            f"medians of {TIMES} runs, shares of user space and kernel are samples."]
    parts = ((True, times, None), (STRACE, calls, page_calls), (CALLGRIND, callgrind, page_instructions),
             (PERF, functools.partial(samples, enough=SAMPLES), page_kernel))
    base = in_a_lab(times, 1)
    if base:
        text += page_base(base, statistics.median(client_time(["true"], os.devnull) for _ in range(5 * TIMES)))
    for n in SIZES:
        text.append(f"\n## {n:,} routes")
        got = [in_a_lab(fn, n) if have else None for have, fn, _ in parts]
        if got[0]:
            text += page_times(n, got[0], got[3])
            if base and n > 1:
                text += page_added(n, got[0], base)
        for (have, fn, page), found in zip(parts[1:], got[1:]):
            if found:
                text += page(n, found)
            else:
                text.append(f"\n{getattr(fn, '__name__', 'samples').capitalize()}: not measured here.")
    print("\n".join(text))
    if "BENCH_MD" in os.environ:
        with open(os.environ["BENCH_MD"], "w") as f:
            f.write("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
