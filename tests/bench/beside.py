# SPDX-License-Identifier: ISC
#
# What packets of new sources feel of a daemon that is busy with very many rules: reloads, an owner that goes, a table
# that is flushed, an interface that comes and goes; and how soon SIGTERM ends it in the middle of that.
import os
import signal
import threading
import time

from flows import templates, traffic
from programs import PATIENCE, Floor, Program, Turns, batch, lab, rules

OTHER = "225.1.1.2"	# no packet is sent to it


def config(n, changed=0):
    return templates(4, 1) + rules(4, n, changed=changed).replace("225.1.1.1", OTHER)


class Busy(threading.Thread):
    """Does the same again and again until it is told to stop."""

    def __init__(self, what):
        super().__init__(daemon=True)
        self.what, self.over, self.times = what, False, 0
        self.start()

    def run(self):
        while not self.over:
            self.what(self.times)
            self.times += 1

    def stop(self):
        self.over = True
        self.join(PATIENCE)


def feel(here, program, n, what, sources=1000, first=""):
    """Seconds: median, 99 % and longest of the latency of new sources, the longest turn and how long that ran, while
    what(p, i) is done again and again."""
    turns = Turns(here)
    p = Program(here, program, wrap=turns.wrap)
    p.start(first or config(n))
    turns.reset()
    busy = Busy(lambda i: what(p, i))
    median, _, most, longest = traffic("latency", 4, sources)
    busy.stop()
    turn, _ = turns.longest()
    p.stop()
    return {"median": median, "most": most, "longest": longest, "turn": turn, "ran": turns.ran(), "times": busy.times}


def same_again(here, program, n, sources=1000):
    return feel(here, program, n, lambda p, i: p.reload(), sources)


def all_changed(here, program, n, sources=1000):
    """Reloads that change each rule."""
    texts = [config(n, changed=n), config(n)]
    return feel(here, program, n, lambda p, i: p.reload(texts[i % 2]), sources)


def all_gone(here, program, n, sources=1000):
    """Reloads that take all rules away and bring them again."""
    texts = [templates(4, 1), config(n)]
    return feel(here, program, n, lambda p, i: p.reload(texts[i % 2]), sources)


def ends(p, how):
    """Seconds from a signal to the end of a daemon."""
    start = time.monotonic()
    os.kill(p.pid, how)
    while not lab.gone(p.pid):
        time.sleep(0.0005)
    took = time.monotonic() - start
    p.proc.wait(PATIENCE)
    return took


def sigterm(here, program, n):
    """Seconds to the end after SIGTERM: at rest, and at worst in the middle of reloads that change all n rules; and of
    a bare process that has as many entries, which the kernel has to remove as well."""
    texts, got = [config(n, changed=n), config(n)], {"reload": 0}
    for i in range(8):
        p = Program(here, program)
        p.start(texts[1])
        if i:
            busy = Busy(lambda k, p=p: p.lab.write("b.conf", texts[k % 2]) and p.ctl("reload"))
            time.sleep(0.1 * i)
            busy.over = True
            got["reload"] = max(got["reload"], ends(p, signal.SIGTERM))
            busy.stop()
        else:
            got["idle"] = ends(p, signal.SIGTERM)
    p = Floor(here, program.floor, 4)
    p.start(n)
    return {"floor": ends(p, signal.SIGKILL), **got}


def owned(here, program, n, sources=1000):
    """An owner asks for all the rules and takes them back."""
    text = "".join("-o o " + line + "\n" for line in batch(rules(4, n)).replace("225.1.1.1", OTHER).splitlines())
    def both(p, i):
        if i % 2:
            p.ctl("-o", "o", "disown")
        else:
            p.ctl("-b", stdin=text)
    return feel(here, program, n, both, sources, first=templates(4, 1))
