# SPDX-License-Identifier: ISC
#
# What packets, links and clients do to the daemon: bursts of new sources, latency,
# expiry, flapping interfaces, a stream across reloads, a listing that nobody reads.
import os
import select
import subprocess
import time

from programs import ADDRESS, FLOOR, TRAFFIC, Program, Turns, figures, lab, rules
from wire import connect, request

FROM, TO = "/run/netns/ha", "/run/netns/hb"
PERIOD = 2.4		# seconds between two passes with -c 60: see router/expire.c


def templates(family, n, pairs=1):
    """The rule of the traffic and n - 1 others, all of them templates, that have so many (1 to 64) pairs of prefix
    lengths: 8 of groups times 8 of sources."""
    source, group, full = ("172.16.0.0", lambda i: f"226.{i >> 16}.{i >> 8 & 255}.{i & 255}", 32) if family == 4 else (
        "2001:db8::", lambda i: f"ff2f::{i >> 16:x}:{i & 65535:x}", 128)

    def other(i):
        length, sources = i % pairs % 8, i % pairs // 8
        return (f"mroute from a1 {f'source {source}/{12 + sources} ' if sources else ''}"
                f"group {group(i // pairs << 7)}/{full - length} to a2\n")
    return f"mroute from a1 group {ADDRESS[family][1]} to a2\n" + "".join(map(other, range(1, n)))


def traffic(what, family, n, first=1):
    return figures(TRAFFIC, what, str(family), str(n), str(first), FROM, TO)


class Bare:
    """The floor as a daemon: reads reports, adds entries."""

    def __init__(self, family):
        self.proc = subprocess.Popen([FLOOR, "learn", str(family), "0", "a1", "a2"], preexec_fn=lab.child_setup)
        lab.wait_until(lambda: os.path.exists("/proc/net/ip_mr_vif") and self.vifs(family) == 2, "the floor's VIFs")

    @staticmethod
    def cpu():
        return 0

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


def bursts(here, family, n, many):
    """n new sources back to back, there and back twice: of each program what came out in the worst
    burst, and of all how fast and on how much processor time a source."""
    got = {name: {"arrived": n, "rates": [], "cpu": []} for name, _, _ in many}
    p = launch(here, "floor", family, "")
    traffic("burst", family, 1000)		# the first burst in a lab is slower, whoever learns it
    p.stop()
    for name, program, others in (many + many[::-1]) * 2:
        p = launch(here, program, family, templates(family, *others))
        before = p.cpu()
        _, arrived, _, seconds = traffic("burst", family, n)
        got[name]["arrived"] = min(got[name]["arrived"], arrived)
        got[name]["rates"].append(arrived / seconds)
        got[name]["cpu"].append((p.cpu() - before) / n)
        p.stop()
    return got


def latency(here, family, programs, n=300):
    """{name: median seconds from a packet of a new source to its arrival behind the router}."""
    got = {}
    for name, program in programs:
        p = launch(here, program, family, templates(family, 1))
        got[name] = traffic("latency", family, n)[0]
        p.stop()
    return got


def listing(here, program, n):
    """New sources while n routes are listed: latency alone, beside a client that asked and does
    not read, and the longest turn of the loop while ten clients read all of it."""
    turns = Turns(here)
    p = Program(here, program, wrap=turns.wrap)
    p.start(templates(4, 1) + rules(4, n).replace("225.1.1.1", "225.1.1.2"))
    alone = traffic("latency", 4, 300)[0]
    deaf = connect(p.sock)
    deaf.sendall(request("W", "", "show"))
    lab.check(select.select([deaf], [], [], 10)[0], "no answer to show")
    turns.reset()
    waits = traffic("latency", 4, 300, 1000)[0]
    lab.check(deaf.recv(1), "the client that does not read was dropped")
    deaf.close()
    turns.reset()
    for _ in range(10):
        p.ctl("show")
    longest, _ = turns.longest()
    p.stop()
    return {"alone": alone, "beside": waits, "ratio": waits / alone, "longest": longest}


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
    return {"pass": took, "floor": figures(FLOOR, "loop", "4", str(n), "a1", "a2")}


def pauses(here, program, n):
    """Seconds of the longest turn of the loop while n entries are looked at and then expire."""
    turns = Turns(here)
    p = Program(here, program, "-M", str(2 * n), "-c", "8", wrap=turns.wrap)
    p.start(templates(4, 1))
    learn(p, n)
    lab.check(f'entries{{state="learned"}} {n}' in p.say("show", "metrics"), "learned entries")
    turns.reset()
    time.sleep(10)
    longest, count = turns.longest()
    lab.check('entries{state="learned"} 0' in p.say("show", "metrics"), "the expiry")
    p.stop()
    return {"longest": longest, "turns": count}


def flap(here, program, n, times=50):
    """Seconds on a processor of one flap (down and up) of an interface that no rule names."""
    p = Program(here, program)
    p.start(rules(4, n))
    here.ip_batch(["link add x1 type veth peer name x2", "link set x2 up"])
    time.sleep(0.2)
    before = p.cpu()
    here.ip_batch(["link set x1 up", "link set x1 down"] * times)
    p.say("ping")
    took = (p.cpu() - before) / times
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
