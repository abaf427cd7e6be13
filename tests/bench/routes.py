# SPDX-License-Identifier: ISC
#
# N (S,G) routes: start, reload, batch, show, memory, system calls.  Everything is
# measured beside the floor in one lab.
import shutil
import subprocess

from programs import FLOOR, Program, batch, figures, lab, rules


def floor(family, n):
    add, ask = figures(FLOOR, str(family), str(n), "a1", "a2")
    return {"start": add, "ask": ask}


def one(here, program, family, n):
    p, text, got = Program(here, program), rules(family, n), {}
    p.start("")
    empty = p.memory()
    got["batch"] = p.ctl("-b", stdin=batch(text))
    got["memory_batch"] = (p.memory() - empty) / n
    p.stop()
    got["start"] = p.start(text)
    got["memory"] = (p.memory() - empty) / n
    got["reload"] = min(p.reload() for _ in range(2))
    got["memory_reload"] = (p.memory() - empty) / n
    got["show"] = p.ctl("show")
    p.stop()
    return got


def run(here, programs, family, n):
    """{program: figures} of one run, the floor among them."""
    got = {"floor": floor(family, n)}
    for name, program in programs.items():
        got[name] = one(here, program, family, n)
    again = floor(family, n)
    got["floor"] = {k: min(v, again[k]) for k, v in got["floor"].items()}
    return got


def fixed(here, program):
    """Seconds to start without a route."""
    p = Program(here, program)
    took = p.start("")
    p.stop()
    return took


def calls(here, program, family, n, changed):
    """System calls on the routing sockets: of the start, of a reload of the same, of one with some changed."""
    trace = here.path("trace")
    p = Program(here, program, wrap=("strace", "-f", "-e", "trace=setsockopt", "-o", trace))
    p.start(rules(family, n))
    with open(trace) as f:
        counts = [f.read().count("setsockopt(")]
        for text in (rules(family, n), rules(family, n, changed=changed)):
            p.reload(text)
            counts.append(f.read().count("setsockopt("))
    lab.check(counts[0] >= n, f"{counts[0]} calls at the start")
    p.stop()
    return counts


def resident(here, program):
    """Bytes without routes, and of the file."""
    p = Program(here, program)
    p.start("")
    rss = p.memory("VmRSS")
    p.stop()
    return rss


def idle(here, program, seconds):
    """System calls of a daemon that has nothing to do."""
    p = Program(here, program)
    p.start(rules(4, 100) + rules(6, 100))
    trace = here.path("trace")
    with open(trace, "w") as f:
        subprocess.run(["timeout", "-s", "INT", str(seconds), "strace", "-f", "-p", str(p.pid)], stderr=f)
    with open(trace) as f:
        lines = [line for line in f if "(" in line and "resumed" not in line and "detached" not in line]
    p.stop()
    return max(0, len(lines) - 1)		# the call that it slept in


def have_strace():
    return shutil.which("strace") is not None
