# SPDX-License-Identifier: ISC
#
# The rules of the OpenMetrics text format 1.0, as far as counters and gauges go,
# and a real parser where there is one.
import re
import subprocess
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?\}})? (-?[0-9.]+(?:[eE][-+]?[0-9]+)?)")
TYPES = {"counter": ("_total",), "gauge": ("",)}
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Wrong(Exception):
    """What is not OpenMetrics, and why."""


def need(cond, why, line):
    if not cond:
        raise Wrong(f"{why}: {line!r}")


def unescape(s):
    return re.sub(r'\\["\\n]', lambda m: ESCAPES[m.group()], s)


def parse(text):
    """{(sample name, frozenset of labels): value}, or Wrong."""
    need(text.endswith("\n# EOF\n") and text.count("# EOF") == 1, "# EOF is not the last line", text[-40:])
    values, types, family, told = {}, {}, None, set()
    for line in text.splitlines()[:-1]:
        if meta := re.fullmatch(rf"# (TYPE|HELP|UNIT) ({NAME}) (.+)", line):
            kind, name, rest = meta.groups()
            # A family is in one piece, with each of these once and before its samples.
            need(name == family or name not in types, "family in pieces", line)
            if name != family:
                need(kind == "TYPE", "no type yet", line)
                family, told = name, set()
            need(kind not in told and "sample" not in told, "twice, or behind a sample", line)
            told.add(kind)
            if kind == "TYPE":
                need(rest in TYPES, "unknown type", line)
                types[name] = rest
            continue
        sample = SAMPLE.fullmatch(line)
        need(sample, "no sample", line)
        name, labels, value = sample.groups()
        need(family and name in [family + s for s in TYPES[types[family]]], "not of this family", line)
        told.add("sample")
        pairs = [(p[:p.index("=")], unescape(p[p.index("=") + 2:-1])) for p in re.findall(LABEL, labels or "")]
        need(len({k for k, _ in pairs}) == len(pairs), "a label twice", line)
        need((name, frozenset(pairs)) not in values, "a sample twice", line)
        need(types[family] != "counter" or float(value) >= 0, "a counter below 0", line)
        values[name, frozenset(pairs)] = float(value)
    return values


PROGRAM = """
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
print(sum(len(f.samples) for f in parse(sys.stdin.read())))
"""


def parse_elsewhere(text):
    """Number of samples that prometheus_client finds, or None where it is not installed."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import prometheus_client.openmetrics.parser"],
                          capture_output=True).returncode:
            continue
        p = subprocess.run([python, "-c", PROGRAM], input=text, text=True, capture_output=True)
        need(p.returncode == 0, "prometheus_client", p.stderr[-300:])
        return int(p.stdout)
    return None
