# SPDX-License-Identifier: ISC
#
# What packets and links do to the daemon: bursts of new sources, latency, expiry,
# flapping interfaces, a stream across reloads.
import os
import shutil
import subprocess
import time

from programs import ADDRESS, FLOOR, TRAFFIC, Program, figures, lab, rules

FROM, TO = "/run/netns/ha", "/run/netns/hb"
PERIOD = 2.4		# seconds between two passes with -c 60: see router/flow.c


def templates(family, n):
    """The rule of the traffic and n - 1 others, all of them templates."""
    others = (lambda i: f"226.{i >> 16}.{i >> 8 & 255}.{i & 255}") if family == 4 else (lambda i: f"ff2f::{i:x}")
    return f"mroute from a1 group {ADDRESS[family][1]} to a2\n" + "".join(
        f"mroute from a1 group {others(i)} to a2\n" for i in range(1, n))


def traffic(what, family, n, first=1):
    return figures(TRAFFIC, what, str(family), str(n), str(first), FROM, TO)


class Bare:
    """The floor as a daemon: reads reports, adds entries."""

    def __init__(self, family):
        self.proc = subprocess.Popen([FLOOR, str(family), "0", "a1", "a2"], preexec_fn=lab.child_setup)
        lab.wait_until(lambda: os.path.exists("/proc/net/ip_mr_vif") and self.vifs(family) == 2, "the floor's VIFs")

    @staticmethod
    def vifs(family):
        with open("/proc/net/ip_mr_vif" if family == 4 else "/proc/net/ip6_mr_vif") as f:
            return len(f.readlines()) - 1

    def stop(self):
        self.proc.kill()
        self.proc.wait()


def launch(here, program, family, conf, *options):
    if program == "floor":
        return Bare(family)
    p = Program(here, program, *options)
    p.start(conf)
    return p


def burst(here, program, family, n, others):
    """New sources back to back: how many came out, and seconds to the last."""
    p = launch(here, program, family, templates(family, others))
    sent, arrived, doubles, seconds = traffic("burst", family, n)
    p.stop()
    return {"sent": sent, "arrived": arrived, "doubles": doubles, "seconds": seconds, "rate": arrived / seconds}


def latency(here, program, family, n=300):
    """Seconds from a packet of a new source to its arrival behind the router: median and least."""
    p = launch(here, program, family, templates(family, 1))
    median, least = traffic("latency", family, n)
    p.stop()
    return {"median": median, "least": least}


def learn(p, n):
    """Has n sources learned, in bursts that the daemon is known to bear."""
    for first in range(1, n + 1, 20000):
        size = min(20000, n + 1 - first)
        _, arrived, _, _ = traffic("burst", 4, size, first)
        lab.same(arrived, size, "packets of new sources")


def expiry(here, program, n):
    """Seconds on a processor of one pass over n learned entries."""
    p = Program(here, program, "-M", str(2 * n))
    p.start(templates(4, 1))
    learn(p, n)
    time.sleep(PERIOD)
    before = p.cpu()
    time.sleep(3 * PERIOD)
    took = (p.cpu() - before) / 3
    p.stop()
    return {"pass": took, "floor": figures(FLOOR, "4", str(n), "a1", "a2")}


def pauses(here, program, n):
    """The longest turn of the loop, in seconds, while n entries are looked at and then expire: the
    time from each return of ppoll(2) to the next call."""
    trace = here.path("trace")
    p = Program(here, program, "-M", str(2 * n), "-c", "8",
                wrap=("strace", "-f", "--seccomp-bpf", "-e", "trace=ppoll", "-ttt", "-T", "-o", trace))
    p.start(templates(4, 1))
    learn(p, n)
    lab.check(f'entries{{state="learned"}} {n}' in p.say("show", "metrics"), "learned entries")
    begin = time.time()
    time.sleep(10)
    until = time.time()
    lab.check('entries{state="learned"} 0' in p.say("show", "metrics"), "the expiry")
    p.stop()
    turns, end = [], None
    with open(trace) as f:
        for line in f:
            words = line.split()
            if "ppoll(NULL" in line or not words[-1].startswith("<"):
                continue
            at = float(words[1])
            if end and begin < end < until:
                turns.append(at - end)
            end = at + float(words[-1].strip("<>"))
    turns.sort()
    return {"longest": turns[-1], "turns": len(turns)}


def flap(here, program, n, times=50):
    """Seconds on a processor of one event of an interface that no rule names."""
    p = Program(here, program)
    p.start(rules(4, n))
    here.ip("link", "add", "x1", "type", "veth", "peer", "name", "x2")
    time.sleep(0.2)
    before = p.cpu()
    here.ip_batch(["link set x1 up", "link set x1 down"] * times)
    p.say("ping")
    took = (p.cpu() - before) / (2 * times)
    p.stop()
    return took


def stream(here, program, family, reloads, events, pps=10000):
    """A stream across reloads of other rules and events of other links: sent and arrived."""
    def conf(turn):
        other = ADDRESS[family][1].replace("225.1", "225.2").replace("ff2e::1", "ff2e::2")
        return templates(family, 1) + "".join(
            f"mroute from a4 source {ADDRESS[family][0](1000 * turn + i)} group {other} to a3\n" for i in range(20))
    p = Program(here, program)
    p.start(conf(0))
    traffic("latency", family, 1)
    sender = subprocess.Popen([TRAFFIC, "stream", str(family), str(pps), "1", FROM, TO], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=lab.child_setup)
    links = subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE, text=True, preexec_fn=lab.child_setup)
    share = events // reloads // 2
    for turn in range(1, reloads + 1):
        links.stdin.write("link set a3 down\nlink set a3 up\n" * share)
        links.stdin.flush()
        p.reload(conf(turn))
    links.stdin.close()
    links.wait()
    out, _ = sender.communicate()
    p.stop()
    sent, arrived, doubles, seconds = map(float, out.split())
    return {"sent": sent, "arrived": arrived, "doubles": doubles, "seconds": seconds}


def have_ppoll_trace():
    """strace that stops at ppoll alone (5.3 and later)."""
    return shutil.which("strace") and "seccomp-bpf" in subprocess.run(
        ["strace", "--help"], capture_output=True, text=True).stdout
