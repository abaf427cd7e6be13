# SPDX-License-Identifier: ISC
#
# Speed, memory and size: our build, its static form, the floors (system calls and
# nothing else) and SMCRoute as Debian has it, side by side in namespaces.  Ratios are
# what counts, as machines differ: medians over RUNS of the ratio within one run.
# Needs no root where the kernel allows user namespaces.
#
#	bench.py [N...]		numbers of routes, default 1000 5000 10000 20000 100000
#
# BENCH_JSON, BENCH_MD, BENCH_SVG name files for the figures, a report and a picture
# (RESULTS.md and RESULTS.svg are made that way, and nothing in them by hand);
# RUNS=n other than 5; BENCH_ONLY=routes,flows,rest for a part; PEER=directory or no.
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import beside  # noqa: E402
import flows  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402
import routes  # noqa: E402
from programs import in_a_lab  # noqa: E402

RUNS = int(os.environ.get("RUNS", "5"))
ONLY = os.environ.get("BENCH_ONLY", "routes,flows,rest").split(",")
SIZES = sorted(int(a) for a in sys.argv[1:]) or [1000, 5000, 10000, 20000, 100000]
MANY = max(SIZES)
SOURCES = int(os.environ.get("BENCH_SOURCES", "20000"))
FEW = (10, 2)		# templates, pairs of their prefix lengths
PEER_MAX = 5000		# beyond it the peer takes minutes
IDLE = int(os.environ.get("BENCH_IDLE", "30"))

# What each time is compared with: the loop of the same run, the floor's process of the same run.
FLOOR_OF = {"start": ("start", "start"), "reload": ("start", "start"), "batch": ("batch", "batch"),
            "show": ("start", "show")}


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def several(fn, *args, runs=RUNS):
    return [r for r in (in_a_lab(fn, *args) for _ in range(runs)) if r is not None]


def ratio(run, name, key, floor, of):
    took, least = run[name].get(key), run.get(floor, {}).get(of)
    return took / least if took and least and name != floor else None


def route_rows(out, found):
    if "peer" in found and MANY > PEER_MAX:
        out.word(f"peer: up to {PEER_MAX:,} routes, as beyond it takes minutes")
    for family in (4, 6):
        for n in SIZES:
            here = {k: v for k, v in found.items() if k != "peer" or n <= PEER_MAX}
            runs = [r for r in (in_a_lab(routes.run, here, family, n, turn) for turn in range(RUNS)) if r]
            for name in runs[0] if runs else ():
                row = {k: median(r[name][k] for r in runs) for k in runs[0][name]}
                own = "floor-static" if name == "static" and "floor-static" in runs[0] else "floor"
                for which, floor, at in (("x_loop", "loop", 0), ("x_floor", own, 1)):
                    row[which] = {k: median(ratio(r, name, k, floor, of[at]) for r in runs)
                                  for k, of in FLOOR_OF.items()}
                if name not in found:
                    row["x_floor"] = {}
                out.route(name, family, n, row)


def call_rows(out, found):
    if not routes.have_strace():
        out.word("no strace: system calls were not counted")
        return
    for family in (4, 6):
        for n in sorted({SIZES[0], SIZES[len(SIZES) // 2], MANY}):
            k = n // 100
            got = in_a_lab(routes.calls, found["ours"], family, n, k)
            if not got:
                continue
            out.row(f"system calls on the routing sockets, reload of {n:,} routes, nothing changed", family, got[1],
                    "calls", "0", got[1] == 0)
            out.row(f"the same with {k:,} of {n:,} changed", family, got[2], "calls", f"about {k:,}",
                    k <= got[2] <= 2 * k + 4)


def burst_rows(out, found):
    for family in (4, 6):
        names = [("floor", "floor", FEW), ("few", found["ours"], FEW), ("many", found["ours"], (MANY, 64))]
        runs = [in_a_lab(flows.bursts, family, SOURCES, names[::(-1) ** turn]) for turn in range(RUNS)]
        runs = [r for r in runs if r]
        if not runs:
            continue
        for name, _, (others, pairs) in names[1:]:
            arrived = min(r[name]["arrived"] for r in runs)
            out.row(f"burst of {SOURCES:,} new sources, {others:,} templates in {pairs} pairs of lengths: "
                    "first packets forwarded", family,
                    arrived, "in the worst run", f"{SOURCES:,}", arrived == SOURCES)
        # One burst differs from the next by a third, as sender, router and receiver share the processors.
        rate = {name: median(x for r in runs for x in r[name]["rates"]) for name, _, _ in names}
        out.row("bare read-and-add loop, the same burst", family, rate["floor"], "sources a second")
        out.row("learned with 10 templates in 2 pairs of lengths", family, rate["few"],
                f"sources a second, {rate['few'] / rate['floor']:.2f} of that")
        share = rate["many"] / rate["few"]
        out.row(f"learned with {MANY:,} templates in 64 pairs", family, rate["many"],
                f"sources a second, {share:.2f} of that with 10", "within 20 %", share >= 0.8)
        cpu = [median(x for r in runs for x in r[name]["cpu"]) * 1e6 for name in ("few", "many")]
        out.row(f"processor time a source, {MANY:,} templates", family, cpu[1], f"us, {cpu[0]:.2f} with 10")
    for n in (1000, 5000) if "peer" in found else ():
        runs = several(flows.bursts, 4, n, [("peer", found["peer"], (1,))])
        if runs:
            out.row(f"peer: burst of {n:,} new sources: first packets forwarded", 4,
                    100 * median(r["peer"]["arrived"] for r in runs) / n, "%")


def latency_rows(out, found):
    for family in (4, 6):
        runs = several(flows.latency, family, [("floor", "floor"), *found.items()])
        for name in ("floor", *found) if runs else ():
            times = median(r[name] / r["floor"] for r in runs)
            out.row(f"first packet of a new source through the router, idle machine: {name}", family,
                    median(r[name] for r in runs) * 1e6, "us", "<= 3 x floor" if name in ("ours", "static") else None,
                    times <= 3, None if name == "floor" else times)


def listing_rows(out, found):
    runs = several(flows.listing, found["ours"], MANY)
    if runs:
        times = median(r["ratio"] for r in runs)
        out.row(f"the same beside a client that asked for {MANY:,} routes and does not read", 4,
                median(r["beside"] for r in runs) * 1e6, f"us, {times:.2f} x without",
                "routing never waits: <= 1.5", times <= 1.5)
        longest = median(r["longest"] for r in runs)
        out.row(f"longest turn of the loop in 10 times `show` of {MANY:,} routes", 4, longest * 1e3, "ms",
                "routing never waits: <= 10", longest <= 0.010)
    runs = several(routes.detail, found["ours"], MANY, runs=3)
    for option in ("-d", "-j") if runs else ():
        out.row(f"`show {option}` of {MANY:,} routes, against a process of as many SIOCGETSGCNT", 4,
                median(r[option] for r in runs) * 1e3, "ms", ratio=median(r[option] / r["least"] for r in runs))


def expiry_rows(out, found):
    runs = several(flows.expiry, found["ours"], MANY, runs=min(RUNS, 3))
    if runs:
        add, ask = (median(r["floor"][k] for r in runs) for k in (0, 1))
        times = median(r["pass"] / r["floor"][0] for r in runs)
        out.row(f"bare loop of {MANY:,} x MRT_ADD_MFC", 4, add * 1e3, "ms")
        out.row(f"bare loop of {MANY:,} x SIOCGETSGCNT", 4, ask * 1e3, "ms")
        out.row(f"expiry pass over {MANY:,} learned entries, processor time", 4, median(r["pass"] for r in runs) * 1e3,
                "ms", "<= 1 x floor", times <= 1, times)
    runs = several(flows.pauses, found["ours"], MANY, runs=min(RUNS, 3))
    if runs:
        longest = median(r["longest"] for r in runs)
        out.row(f"longest turn of the loop while {MANY:,} entries are looked at and expire, from inside", 4,
                longest * 1e3, "ms", "<= 10", longest <= 0.010)


def adopt_rows(out, found):
    for family in (4, 6):
        runs = several(routes.adopt, found["ours"], family, MANY, runs=min(RUNS, 3))
        if runs:
            times = median(r["took"] / r["floor"] for r in runs)
            out.row(f"start with {MANY:,} entries of a daemon that was killed, processor time", family,
                    median(r["took"] for r in runs) * 1e3, "ms", "<= 4 x floor", times <= 4, times)


def busy_rows(out, found):
    for name, fn in (("reload of {}, nothing changed", beside.same_again),
                     ("reload of {}, all changed", beside.all_changed),
                     ("reloads that take {} away and bring them", beside.all_gone),
                     ("{} of an owner, asked for and disowned", beside.owned)):
        runs = several(fn, found["ours"], MANY, runs=min(RUNS, 3))
        if not runs:
            continue
        what = name.format(f"{MANY:,} rules")
        most, longest, turn, ran = (median(r[k] for r in runs) * 1e3 for k in ("most", "longest", "turn", "ran"))
        out.row(f"first packet of a new source beside {what}: 99 %", 4, most, f"ms, the longest {longest:.1f}",
                "<= 10", most <= 10)
        out.row(f"longest turn of the loop then, from inside: {what}", 4, turn, f"ms, {ran:.1f} of it on a processor",
                "<= 10", turn <= 10)
    runs = several(beside.sigterm, found["ours"], MANY, runs=min(RUNS, 3))
    for key, when in (("idle", "at rest"), ("reload", "at worst amid reloads that change all")) if runs else ():
        times = median(r[key] / r["floor"] for r in runs)
        out.row(f"SIGTERM to the end with {MANY:,} entries, {when}, against a process killed with as many", 4,
                median(r[key] for r in runs) * 1e3, "ms", "<= 1.5 x floor", times <= 1.5, times)


def link_rows(out, found):
    runs = several(flows.flap, found["ours"], MANY)
    if runs:
        took = median(runs)
        out.row(f"flap of an interface that none of {MANY:,} rules names, processor time", 4, took * 1e3, "ms",
                "<= 1", took <= 0.001)
    for family in (4, 6):
        runs = several(flows.stream, found["ours"], family, 100, 1000, runs=1)
        if runs:
            r = runs[0]
            out.row("10,000 packets/s across 100 reloads and 1,000 link events elsewhere: lost", family,
                    r["sent"] - r["arrived"], f"of {r['sent']:,.0f}", "0", r["sent"] == r["arrived"])


def rest_rows(out, found):
    runs = several(routes.fixed, found)
    for name in found if runs else ():
        took, rss = (median(r[name][k] for r in runs) for k in (0, 1))
        out.row(f"start without a route: {name}", 4, took * 1e3, "ms")
        out.row(f"resident without a route: {name}", 4, rss / 1024, "kB", "<= 320" if name == "static" else None,
                rss <= 320 * 1024)
    if "static" in found:
        for name, path, limit in (("static stripped binary, all three applets", programs.STATIC, 256),
                                  ("the same with WITH_HOST=no", programs.NO_HOST, 208)):
            size = os.path.getsize(path) if os.path.exists(path) else 0
            if size:
                out.row(name, None, size / 1024, "kB", f"<= {limit}", size <= limit * 1024)
    if not routes.have_strace():
        out.word("no strace: wake-ups of an idle daemon were not counted")
        return
    got = in_a_lab(routes.idle, found["ours"], IDLE)
    if got is not None:
        out.row(f"system calls in {IDLE} s of an idle daemon with 200 routes", None, got, "calls", "0", got == 0)


def main():
    out = report.Report(SIZES, RUNS)
    start = time.monotonic()
    found = programs.find(out.word)
    out.word(f"load of the machine before: {os.getloadavg()[0]:.2f}")
    for part, rows in (("routes", (route_rows, call_rows)),
                       ("flows", (burst_rows, latency_rows, listing_rows, expiry_rows, adopt_rows,
                                 busy_rows, link_rows)),
                       ("rest", (rest_rows,))):
        for fn in rows if part in ONLY else ():
            fn(out, found)
    out.word(f"took {time.monotonic() - start:.0f} s")
    out.save()


if __name__ == "__main__":
    main()
