# SPDX-License-Identifier: ISC
#
# Speed, memory and size: our build, its static form, the floor (bare loops of the
# system calls) and, where it is found, SMCRoute as Debian has it, side by side in
# namespaces.  Medians of RUNS; ratios are what counts, as machines differ.  Needs
# no root where the kernel allows user namespaces.
#
#	bench.py [N...]		numbers of routes, default 1000 5000 10000 20000 100000
#
# BENCH_JSON, BENCH_MD, BENCH_SVG name files for the figures, a report and a picture;
# RUNS=n other than 5; BENCH_ONLY=routes,flows,rest for a part.
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import flows  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402
import routes  # noqa: E402
from programs import in_a_lab  # noqa: E402

RUNS = int(os.environ.get("RUNS", "5"))
ONLY = os.environ.get("BENCH_ONLY", "routes,flows,rest").split(",")
SIZES = [int(a) for a in sys.argv[1:]] or [1000, 5000, 10000, 20000, 100000]
MANY = max(SIZES)
SOURCES = 20000
PEER_MAX = 5000		# beyond it the peer takes minutes
IDLE = int(os.environ.get("BENCH_IDLE", "30"))


def median(runs, *keys):
    values = []
    for r in runs:
        for k in keys:
            r = r.get(k) if r else None
        if r is not None:
            values.append(r)
    return statistics.median(values) if values else None


def several(fn, *args, runs=RUNS):
    return [r for r in (in_a_lab(fn, *args) for _ in range(runs)) if r is not None]


def route_rows(out, found):
    for family in (4, 6):
        for n in SIZES:
            here = {k: v for k, v in found.items() if k != "peer" or n <= PEER_MAX}
            runs = several(routes.run, here, family, n)
            if not runs:
                continue
            floor = {k: median(runs, "floor", k) for k in ("start", "ask")}
            out.route("floor", family, n, floor, floor)
            for name in here:
                row = {k: median(runs, name, k) for k in runs[0][name]}
                row["ratio"] = {k: statistics.median(r[name][k] / r["floor"]["start"] for r in runs if r[name].get(k))
                                for k in ("start", "reload", "batch", "show") if row.get(k)}
                out.route(name, family, n, row, floor)
    if routes.have_strace():
        for family in (4, 6):
            for n in SIZES:
                k = n // 100
                got = in_a_lab(routes.calls, found["ours"], family, n, k)
                if not got:
                    continue
                out.row(f"system calls on the routing sockets, reload of {n:,} routes, nothing changed", family,
                        got[1], "calls", "0", got[1] == 0)
                out.row(f"the same with {k:,} of {n:,} changed", family, got[2], "calls", f"about {k:,}",
                        k <= got[2] <= 2 * k + 4)
    else:
        out.word("no strace: system calls were not counted")


def burst_rows(out, found):
    for family in (4, 6):
        rate = {}
        for name, program, others in (("floor", "floor", 10), ("ours", found["ours"], 10),
                                      ("ours", found["ours"], MANY)):
            runs = several(flows.burst, program, family, SOURCES, others)
            if not runs:
                continue
            rate[name, others] = max(r["rate"] for r in runs)
            if name == "floor":
                continue
            arrived = min(r["arrived"] for r in runs)
            out.row(f"burst of {SOURCES:,} new sources, {others:,} templates: first packets forwarded", family,
                    arrived, "of the worst run", f"{SOURCES:,}", arrived == SOURCES)
        if len(rate) == 3:
            few, many = rate["ours", 10], rate["ours", MANY]
            out.row("floor: bare read-and-add loop, the same burst", family, rate["floor", 10], "a second, best run")
            out.row("learned with 10 templates", family, few, "a second, best run")
            out.row(f"learned with {MANY:,} templates", family, many, "a second, best run",
                    "within 20 % of 10", many >= 0.8 * few)
    for n in (1000, 5000) if "peer" in found else ():
        runs = several(flows.burst, found["peer"], 4, n, 1)
        if runs:
            out.row(f"peer: burst of {n:,} new sources: first packets forwarded", 4,
                    100 * median(runs, "arrived") / n, "%")


def latency_rows(out, found):
    for family in (4, 6):
        got = {}
        for name, program in (("floor", "floor"), *found.items()):
            runs = several(flows.latency, program, family)
            if runs:
                got[name] = median(runs, "median")
        for name, value in got.items():
            ratio = value / got["floor"] if got.get("floor") else None
            out.row(f"first packet of a new source through the router, idle machine: {name}", family, value * 1e6, "us",
                    "<= 3 x floor" if name in ("ours", "static") else None, ratio is not None and ratio <= 3,
                    None if name == "floor" else ratio)


def expiry_rows(out, found):
    runs = several(flows.expiry, found["ours"], MANY, runs=3)
    if runs:
        add, ask = (statistics.median(r["floor"][k] for r in runs) for k in (0, 1))
        took = median(runs, "pass")
        out.row(f"floor: {MANY:,} x MRT_ADD_MFC", 4, add * 1e3, "ms")
        out.row(f"floor: {MANY:,} x SIOCGETSGCNT", 4, ask * 1e3, "ms")
        out.row(f"expiry pass over {MANY:,} learned entries, processor time", 4, took * 1e3, "ms", "<= 1 x floor",
                took <= add, took / add)
    if flows.have_ppoll_trace():
        runs = several(flows.pauses, found["ours"], MANY, runs=3)
        if runs:
            longest = min(r["longest"] for r in runs)
            out.row(f"longest turn of the loop while {MANY:,} entries are looked at and expire, best run", 4,
                    longest * 1e3, "ms", "<= 10", longest <= 0.010)
    else:
        out.word("no strace with --seccomp-bpf: the turns of the loop were not measured")


def link_rows(out, found):
    runs = several(flows.flap, found["ours"], MANY)
    if runs:
        took = statistics.median(runs)
        out.row(f"event of an interface that none of {MANY:,} rules names, processor time", 4, took * 1e3, "ms",
                "<= 1", took <= 0.001)
    for family in (4, 6):
        runs = several(flows.stream, found["ours"], family, 100, 1000, runs=1)
        if runs:
            r = runs[0]
            out.row("10,000 packets/s across 100 reloads and 1,000 link events elsewhere: lost", family,
                    r["sent"] - r["arrived"], f"of {r['sent']:,.0f}", "0", r["sent"] == r["arrived"])


def rest_rows(out, found):
    for name in ("ours", "static", "peer"):
        if name not in found:
            continue
        took = several(routes.fixed, found[name])
        rss = several(routes.resident, found[name], runs=1)
        if took:
            out.row(f"start without a route, best run: {name}", 4, min(took) * 1e3, "ms")
        if rss:
            out.row(f"resident without a route: {name}", 4, rss[0] / 1024, "kB", "<= 512" if name == "static" else None,
                    rss[0] <= 512 * 1024)
    if os.path.exists(programs.STATIC):
        size = os.path.getsize(programs.STATIC)
        out.row("static stripped binary, all three applets", None, size, "bytes", "<= 160 kB", size <= 160 * 1024)
    if routes.have_strace():
        got = in_a_lab(routes.idle, found["ours"], IDLE)
        if got is not None:
            out.row(f"system calls in {IDLE} s of an idle daemon with 200 routes", None, got, "calls", "0", got == 0)


def main():
    found = programs.find()
    out = report.Report(SIZES, RUNS)
    if "peer" not in found:
        out.word("peer: not found, left out (`make bench` gets it with apt-get; or PEER=directory)")
    if "static" not in found:
        out.word("static: not built, left out")
    start = time.monotonic()
    if "routes" in ONLY:
        route_rows(out, found)
    if "flows" in ONLY:
        for rows in (burst_rows, latency_rows, expiry_rows, link_rows):
            rows(out, found)
    if "rest" in ONLY:
        rest_rows(out, found)
    out.word(f"took {time.monotonic() - start:.0f} s")
    out.save()


if __name__ == "__main__":
    main()
