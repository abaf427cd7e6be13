# SPDX-License-Identifier: ISC
#
# The figures as a table on the terminal, as JSON, as Markdown and as a picture.
import datetime
import json
import os
import platform
import shutil
import subprocess

HEAD = ("family", "N", "program", "start, s", "x floor", "reload, s", "x floor", "batch, s", "x floor", "show, s",
        "x floor", "bytes a route: start", "reloads", "batch")
LIMITS = {"start": 2, "reload": 0.5, "batch": 3, "show": 1}
WIDTH = (7, 7, 8, 9, 9, 10, 9, 9, 9, 9, 9, 21, 8, 6)


def number(v):
    if v is None:
        return "-"
    if isinstance(v, int) or v == int(v):
        return f"{v:,.0f}"
    return f"{v:,.0f}" if v >= 1000 else f"{v:.3g}" if v >= 1 else f"{v:.2g}"


def commit():
    here = os.path.dirname(os.path.abspath(__file__))
    p = subprocess.run(["git", "-C", here, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return p.stdout.strip() or "unknown"


class Report:
    def __init__(self, sizes, runs):
        self.about = {"date": datetime.datetime.now().strftime("%Y-%m-%d"), "kernel": platform.release(),
                      "processors": os.cpu_count(), "commit": commit(), "runs": runs, "sizes": sizes}
        self.routes, self.rows, self.words, self.headed = [], [], [], False

    def word(self, text):
        self.words.append(text)
        print(text, flush=True)

    def cells(self, r):
        ratio = r.get("ratio", {})
        cells = [f"IPv{r['family']}", f"{r['n']:,}", r["program"]]
        for key in LIMITS:
            cells += [f"{r[key]:.4f}" if r.get(key) is not None else "-",
                      f"{ratio[key]:.2f}" if key in ratio else "-"]
        return cells + [number(round(r[k])) if r.get(k) is not None else "-"
                        for k in ("memory", "memory_reload", "memory_batch")]

    def route(self, name, family, n, row, floor):
        r = {"family": family, "n": n, "program": name, **row, "floor": floor["start"]}
        self.routes.append(r)
        if not self.headed:
            print(" ".join(h.rjust(w) for h, w in zip(HEAD, WIDTH)))
            self.headed = True
        print(" ".join(c.rjust(w) for c, w in zip(self.cells(r), WIDTH)), flush=True)

    def row(self, what, family, value, unit, target=None, met=None, ratio=None):
        r = {"what": what, "family": family, "value": value, "unit": unit, "target": target,
             "met": bool(met) if target else None, "ratio": ratio}
        self.rows.append(r)
        print(self.line(r), flush=True)

    def line(self, r):
        family = f"IPv{r['family']}  " if r["family"] else ""
        ratio = f", {r['ratio']:.2f} x floor" if r["ratio"] is not None else ""
        target = f"  [{r['target']}: {'met' if r['met'] else 'NOT MET'}]" if r["target"] else ""
        return f"{family}{r['what']}: {number(r['value'])} {r['unit']}{ratio}{target}"

    def limits(self):
        """(text, met) of each target of the table of routes."""
        for name in ("ours", "static"):
            rows = [r for r in self.routes if r["program"] == name]
            for key, limit in LIMITS.items():
                got = [(r["ratio"][key], r) for r in rows if key in r.get("ratio", {})]
                if got:
                    worst, at = max(got, key=lambda g: g[0])
                    yield (f"{name}: {key} <= {limit} x floor: at most {worst:.2f} "
                           f"(IPv{at['family']}, {at['n']:,})", worst <= limit)
            got = [(r["memory"], r) for r in rows if r.get("memory")]
            if got:
                worst, at = max(got, key=lambda g: g[0])
                yield f"{name}: memory a route <= 128: at most {worst:.0f} (IPv{at['family']}, {at['n']:,})", worst <= 128

    def save(self):
        for text, met in self.limits():
            print(f"{text}  [{'met' if met else 'NOT MET'}]")
        if "BENCH_JSON" in os.environ:
            with open(os.environ["BENCH_JSON"], "w") as f:
                json.dump({**self.about, "routes": self.routes, "rows": self.rows}, f, indent=1)
        if "BENCH_MD" in os.environ:
            with open(os.environ["BENCH_MD"], "w") as f:
                f.write(self.markdown())
        if "BENCH_SVG" in os.environ:
            self.picture(os.environ["BENCH_SVG"])

    def markdown(self):
        a = self.about
        text = [f"# Results of `make bench`\n\nWritten by tests/bench/bench.py. {a['date']}, Linux {a['kernel']}, "
                f"{a['processors']} processors, commit {a['commit']}, medians of {a['runs']} runs; each ratio is the "
                "median of the ratios within one run.\n\n## Routes\n",
                "| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
        text += ["| " + " | ".join(self.cells(r)) + " |" for r in self.routes]
        text += ["\n## Targets\n"] + [f"- {t}: {'met' if met else '**not met**'}" for t, met in self.limits()]
        text += ["\n## Flows, links, idle, size\n", "| | what | figure | x floor | target | |", "|---|---|---|---|---|---|"]
        text += [f"| {'IPv%d' % r['family'] if r['family'] else ''} | {r['what']} | {number(r['value'])} {r['unit']} | "
                 f"{'%.2f' % r['ratio'] if r['ratio'] is not None else ''} | {r['target'] or ''} | "
                 f"{'' if r['met'] is None else 'met' if r['met'] else '**not met**'} |" for r in self.rows]
        return "\n".join(text + [""] + [f"{w[0].upper()}{w[1:]}." for w in self.words]) + "\n"

    def picture(self, path):
        """Start and reload against the number of routes, IPv4, by gnuplot."""
        if not shutil.which("gnuplot"):
            self.word("no gnuplot: no picture")
            return
        data, plots = [], []
        for name in ("floor", "ours", "static", "peer"):
            for key in ("start", "reload"):
                points = [(r["n"], r[key]) for r in self.routes
                          if r["program"] == name and r["family"] == 4 and r.get(key)]
                if points:
                    data.append("\n".join(f"{n} {v}" for n, v in points) + "\ne\n")
                    what = "MRT_ADD_MFC loop" if name == "floor" else key
                    plots.append(f"'-' with linespoints title '{name}: {what}'")
        script = (f"set terminal svg size 800,500 background 'white'\nset output '{path}'\nset logscale xy\n"
                  "set xlabel '(S,G) routes'\nset ylabel 'seconds'\nset key left top\nset grid\n"
                  "plot " + ", ".join(plots) + "\n" + "".join(data))
        subprocess.run(["gnuplot"], input=script, text=True, check=False)
