# SPDX-License-Identifier: ISC
#
# N (S,G) routes: start, reload, batch, show, memory, system calls.  Everything is
# measured beside the floors in one lab, one program after the other.
import shutil
import subprocess

from programs import FLOOR, Floor, Program, batch, figures, lab, rules

SMALL = 2000		# up to so many routes, one run goes round three times, and shows three times each
SLOW = ("peer",)	# these once
FEW = 10		# what memory is counted from: any work touches pages that no further route does


def loop(family, n):
    """Seconds of the bare loops in one process."""
    return figures(FLOOR, "loop", str(family), str(n), "a1", "a2")


def floor_batch(here, path, family, n):
    p = Floor(here, path, family)
    p.start(0)
    got = {"batch": p.run("add", n)}
    p.stop()
    return got


def least(n, fn, *args):
    """Seconds; the first of a few may pay for pages of code that nobody has used yet."""
    took = [fn(*args) for _ in range(3 if n <= SMALL else 1)]
    return None if None in took else min(took)


def floor_start(here, path, family, n):
    p = Floor(here, path, family)
    got = {"start": p.start(n), "show": least(n, p.run, "ask", n)}
    p.stop()
    return got


def program_batch(here, program, family, n):
    p, memory = Program(here, program), []
    for k in (FEW, n):
        p.start("")
        took = p.ctl("-b", stdin=batch(rules(family, k)))
        memory.append(p.memory())
        p.stop()
    return {"batch": took, "memory_batch": (memory[1] - memory[0]) / (n - FEW)}


def program_start(here, program, family, n):
    p, memory = Program(here, program), []
    for k in (FEW, n):
        got = {"start": p.start(rules(family, k))}
        started = p.memory()
        got["reload"] = p.reload()
        p.reload()
        memory.append((started, p.memory()))
        if k == n:
            got["show"] = least(n, p.ctl, "show")
        p.stop()
    for key, few, many in zip(("memory", "memory_reload"), *memory):
        got[key] = (many - few) / (n - FEW)
    return got


def once(here, programs, family, n, backwards, slow):
    """{name: figures}; floors are next to what they are compared with."""
    got = {"loop": {}}
    for of_floor, of_program, key in ((floor_batch, program_batch, "batch"), (floor_start, program_start, "start")):
        got["loop"][key] = loop(family, n)[0]
        floors = {p.floor: "floor" if p.floor == FLOOR else "floor-static" for p in programs.values()}
        work = [(name, of_floor, path) for path, name in floors.items()]
        work += [(name, of_program, p) for name, p in programs.items() if slow or name not in SLOW]
        work.sort(key=lambda w: getattr(w[2], "floor", w[2]) != FLOOR)
        for name, fn, what in reversed(work) if backwards else work:
            got.setdefault(name, {}).update(fn(here, what, family, n))
    return got


def run(here, programs, family, n, turn):
    """{name: figures} of one run, the least of each when it went round more than once."""
    got = {}
    for i in range(3 if n <= SMALL else 1):
        for name, figs in once(here, programs, family, n, (turn + i) % 2, not i).items():
            had = got.setdefault(name, figs)
            for key, value in figs.items():
                if None not in (value, had[key]):
                    had[key] = min(value, had[key])
    return got


def fixed(here, programs):
    """{name: seconds to start without a route, resident bytes}."""
    got = {}
    for name, program in programs.items():
        p = Program(here, program)
        got[name] = p.start(""), p.memory("Rss")
        p.stop()
    return got


def detail(here, program, n):
    """Seconds of `show -d` and -j, which ask the kernel for the counters of each entry, and of the least that does."""
    p = Floor(here, program.floor, 4)
    p.start(n)
    got = {"least": p.run("ask", n)}
    p.stop()
    p = Program(here, program)
    p.start(rules(4, n))
    for option in ("-d", "-j"):
        got[option] = p.ctl(option, "show")
    p.stop()
    return got


def adopt(here, program, family, n):
    """Processor time of a daemon that takes n entries over from one that was killed, and seconds of the bare loop."""
    least = loop(family, n)[0]
    p = Program(here, program, "-k")
    p.start(rules(family, n))
    p.succeed()
    got = {"took": p.cpu(), "floor": least}
    p.stop()
    return got


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
