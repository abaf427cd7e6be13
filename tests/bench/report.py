# SPDX-License-Identifier: ISC
#
# The figures as a table on the terminal, as JSON, as Markdown and as a picture.
import datetime
import json
import os
import platform
import shutil
import subprocess

COLUMNS = (("family", 6), ("N", 7), ("program", 12),
           ("start ms", 9), ("x loop", 7), ("x floor", 7), ("reload ms", 10), ("x loop", 7), ("x floor", 7),
           ("batch ms", 9), ("x loop", 7), ("x floor", 7), ("show ms", 8), ("x loop", 7), ("x floor", 7),
           ("B/route", 8), ("reloaded", 8), ("batch", 6))
LIMITS = {"start": 2, "reload": 0.5, "batch": 3, "show": 1}
MEMORY = {"memory": "after start", "memory_reload": "after two reloads", "memory_batch": "after batch"}
BYTES = 128
GROWTH = 1.25		# in proportion to N: x loop at the largest N over that at the next smaller
VERDICT = {True: "met", False: "NOT MET"}
FLOORS = """
`loop` is a loop of bare system calls inside one process, nothing but the kernel's own work. `floor` is a whole
process that makes the same calls, started and timed from outside as the programs are, linked as the program beside
it. Programs pay for fork, exec, the dynamic linker, sockets, MRT_INIT and VIFs, which at 1,000 routes take longer than
the routes; the loop does not and tells what comes on top of the kernel's work, the floor does and tells what is ours.
Targets are judged against both. Of show, `x loop` is against the MRT_ADD_MFC loop, `x floor` against a process that
asks for the counters of each route (SIOCGETSGCNT). An unchanged reload is no work for the kernel: both its ratios are
against the start. Time spent waiting for a processor that others had is left out everywhere."""


def number(v):
    if v is None:
        return "-"
    if isinstance(v, int) or v == int(v):
        return f"{v:,.0f}"
    return f"{v:,.0f}" if v >= 1000 else f"{v:.3g}" if v >= 1 else f"{v:.2g}"


def commit():
    here = os.path.dirname(os.path.abspath(__file__))
    if not shutil.which("git"):
        return "unknown"
    p = subprocess.run(["git", "-C", here, "describe", "--always", "--dirty", "--exclude", "*"], capture_output=True,
                       text=True)
    return p.stdout.strip() or "unknown"


def processor():
    try:
        with open("/proc/cpuinfo") as f:
            names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    except OSError:
        names = []
    return f"{len(names) or os.cpu_count()} x {names[0] if names else platform.machine()}"


def place(r):
    return f"IPv{r['family']}, {r['n']:,}"


class Report:
    def __init__(self, sizes, runs):
        self.about = {"date": datetime.datetime.now().strftime("%Y-%m-%d"), "kernel": platform.release(),
                      "machine": processor(), "commit": commit(), "runs": runs, "sizes": sizes}
        self.routes, self.rows, self.words = [], [], []

    def word(self, text):
        self.words.append(text)
        print(text, flush=True)

    # ---- one row of either table ----

    @staticmethod
    def cells(r):
        cells = [f"IPv{r['family']}", f"{r['n']:,}", r["program"]]
        for key in LIMITS:
            cells.append(f"{1e3 * r[key]:.2f}" if r.get(key) is not None else "-")
            cells += [f"{r[which][key]:.2f}" if r[which].get(key) else "-" for which in ("x_loop", "x_floor")]
        return cells + [number(round(r[k])) if r.get(k) is not None else "-" for k in MEMORY]

    def route(self, name, family, n, row):
        r = {"family": family, "n": n, "program": name, **row}
        if not self.routes:
            print(" ".join(h.rjust(w) for h, w in COLUMNS))
        self.routes.append(r)
        print(" ".join(c.rjust(w) for c, (_, w) in zip(self.cells(r), COLUMNS)), flush=True)

    def row(self, what, family, value, unit, target=None, met=None, ratio=None):
        r = {"what": what, "family": family, "value": value, "unit": unit, "target": target,
             "met": bool(met) if target else None, "ratio": ratio}
        self.rows.append(r)
        family = f"IPv{family}  " if family else ""
        ratio = f", {ratio:.2f} x floor" if ratio is not None else ""
        target = f"  [{target}: {VERDICT[r['met']]}]" if target else ""
        print(f"{family}{what}: {number(value)} {unit}{ratio}{target}", flush=True)

    # ---- targets of the table of routes ----

    def of(self, name):
        return [r for r in self.routes if r["program"] == name]

    def judge(self, name):
        """(what, [(figure, met), ...]) of each target for one program."""
        for key, limit in LIMITS.items():
            verdicts = []
            for which in ("loop", "floor"):
                got = [(r[f"x_{which}"][key], r) for r in self.of(name) if r[f"x_{which}"].get(key)]
                if got:
                    worst, at = max(got, key=lambda g: g[0])
                    over = sorted({r["n"] for v, r in got if v > limit})
                    over = f"; over at {', '.join(f'{n:,}' for n in over)}" if over else ""
                    verdicts.append((f"at most {worst:.2f} x {which} ({place(at)}{over})", worst <= limit))
            yield f"{key} <= {limit} x", verdicts
        for key in LIMITS:
            verdicts = []
            for family in (4, 6):
                got = [r["x_loop"][key] for r in self.of(name) if r["family"] == family and r["x_loop"].get(key)]
                if len(got) > 1:
                    verdicts.append((f"IPv{family} {got[-1] / got[-2]:.2f}", got[-1] <= GROWTH * got[-2]))
            yield f"{key} in proportion: x loop at the largest N, over that at the next <= {GROWTH}", verdicts
        for key, when in MEMORY.items():
            got = [(r[key], r) for r in self.of(name) if r.get(key) is not None]
            if got:
                worst, at = max(got, key=lambda g: g[0])
                yield f"memory a route {when} <= {BYTES}", [
                    (f"at most {worst:.0f} bytes ({place(at)})", worst <= BYTES)]

    def targets(self):
        for name in ("ours", "static"):
            for what, verdicts in self.judge(name):
                if verdicts:
                    yield f"{name}: {what}", verdicts

    # ---- at the end ----

    def save(self):
        print(FLOORS + "\n")
        for what, verdicts in self.targets():
            print(f"{what}: " + "; ".join(f"{figure}  [{VERDICT[met]}]" for figure, met in verdicts))
        if "BENCH_SVG" in os.environ:
            self.picture(os.environ["BENCH_SVG"])
        if "BENCH_JSON" in os.environ:
            with open(os.environ["BENCH_JSON"], "w") as f:
                json.dump({**self.about, "words": self.words, "routes": self.routes, "rows": self.rows,
                           "targets": [{"what": w, "verdicts": v} for w, v in self.targets()]}, f, indent=1)
        if "BENCH_MD" in os.environ:
            with open(os.environ["BENCH_MD"], "w") as f:
                f.write(self.markdown())

    def markdown(self):
        def table(head, rows):
            return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]

        def bold(met):
            return {None: "", True: "met", False: "**not met**"}[met]
        a = self.about
        text = [f"# Results of `make bench`\n\nWritten by tests/bench/bench.py on {a['date']}: commit {a['commit']}, "
                f"Linux {a['kernel']}, {a['machine']}, medians of {a['runs']} runs; each ratio is the median of the "
                f"ratios within one run.\n{FLOORS}\n\n## Routes\n"]
        text += table([h for h, _ in COLUMNS], map(self.cells, self.routes))
        picture = os.environ.get("BENCH_SVG")
        if picture and os.path.exists(picture):
            text.append(f"\n![start and reload against the number of routes]({os.path.basename(picture)})")
        text += ["\n## Targets of these\n"]
        text += [f"- {what}: " + "; ".join(f"{figure}: {bold(met)}" for figure, met in verdicts)
                 for what, verdicts in self.targets()]
        text += ["\n## Flows, links, idle, size\n"]
        text += table(("", "what", "figure", "x floor", "target", ""), (
            (f"IPv{r['family']}" if r["family"] else "", r["what"], f"{number(r['value'])} {r['unit']}",
             f"{r['ratio']:.2f}" if r["ratio"] is not None else "", r["target"] or "", bold(r["met"]))
            for r in self.rows))
        return "\n".join(text + ["\n## Said on the way\n"] + [f"- {w}" for w in self.words]) + "\n"

    def picture(self, path):
        """Start and reload against the number of routes, IPv4, by gnuplot."""
        if not shutil.which("gnuplot"):
            self.word("no gnuplot here: no picture")
            return
        # In the order in which they lie above each other.
        lines = (("peer", "reload", "peer: reload, nothing changed", "#c0392b", 2),
                 ("peer", "start", "peer: start", "#c0392b", 1),
                 ("ours", "start", "ours: start", "#1f5fa8", 1),
                 ("floor", "start", "floor: bare process", "#777777", 1),
                 ("loop", "start", "loop of MRT_ADD_MFC", "#777777", 3),
                 ("ours", "reload", "ours: reload, nothing changed", "#1f5fa8", 2))
        data, plots = [], []
        for name, key, title, color, dash in lines:
            points = [(r["n"], 1e3 * r[key]) for r in self.of(name) if r["family"] == 4 and r.get(key)]
            if points:
                data.append("\n".join(f"{n} {v}" for n, v in points) + "\ne\n")
                plots.append(f"'-' with linespoints title '{title}' lc rgb '{color}' dt {dash} lw 2 pt 7 ps 0.5")
        sizes = self.about["sizes"]
        script = (f"set terminal svg size 760,520 font 'sans-serif,13' background 'white' noenhanced\n"
                  f"set output '{path}'\nset logscale xy\nset xrange [{min(sizes) / 1.3}:{max(sizes) * 1.3}]\n"
                  "set format x '%.0s%c'\nset format y '%g'\nset grid lc rgb '#dddddd'\n"
                  "set title 'Static routes from a config file, IPv4'\nset xlabel '(S,G) routes'\n"
                  "set ylabel 'milliseconds'\nset key top right Left reverse samplen 3\nset border 3\n"
                  "set tics nomirror\nplot " + ", ".join(plots) + "\n" + "".join(data))
        if subprocess.run(["gnuplot"], input=script, text=True, check=False).returncode:
            self.word("gnuplot failed: no picture")
