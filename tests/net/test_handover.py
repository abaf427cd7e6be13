# SPDX-License-Identifier: ISC
#
# The promise of a handover: while daemons end and follow each other under a steady stream of many flows, of entries of
# all kinds, no packet is lost, none comes twice, and neighbours hear nothing of it.  The short form is a part of the
# tests; `make handover` is the long one: HANDOVERS of each kind, PPS packets a second.
import os
import re
import signal
import subprocess
import time

from cases import case, main
from holder import Holder
from lab import Daemon, check, same, wait_until
from reports import TERM, Wire

HANDOVERS, PPS = int(os.environ.get("HANDOVERS", "2")), int(os.environ.get("PPS", "1000"))
TRAFFIC = os.path.join(os.environ.get("B", "build"), "tests/traffic")
# As traffic has it: in turn three groups, to each in turn so many sources, in both families.
SOURCES = 167
FLOWS = 2 * 3 * SOURCES
ENTRIES = 2 * (SOURCES + SOURCES + 1)
PAUSE = 0.1
OPTIONS = ("-c", "600", "-m", "180")
OTHERS = [f"mroute from a3 source 10.3.0.9 group 225.77.0.{i} to a4\n" for i in range(1, 11)]


def rules(others=()):
    """For each flow a rule, a template, or an entry of the kernel; ten others, and memberships."""
    static = "".join(f"mroute from a1 source 10.16.0.{i} group 225.1.1.1 to a2\n"
                     f"mroute from a1 source fd00:16::{i:x} group ff2e::1 to a2\n" for i in range(1, SOURCES + 1))
    members = "".join(f"mgroup from a1 group 225.64.0.{i}\nmgroup from a1 source fd00:1::2 group ff3e::64:{i}\n"
                      for i in range(1, 60))
    return (static + members + "".join(others or OTHERS) + "phyint a1 mrdisc\nphyint a2 mrdisc ttl-threshold 2\n"
            "mroute from a1 group 225.2.1.0/24 to a2\nmroute from a1 group ff2e::2/128 to a2\n"
            "mroute from a1 group 225.3.1.1 kernel to a2\nmroute from a1 group ff2e::3 kernel to a2\n")


class Streams:
    """Both families, each by a process of its own with half of the packets."""

    def __init__(self, pps=PPS):
        self.procs = {f: subprocess.Popen([TRAFFIC, "flows", f, str(pps // 2), "1", "/run/netns/ha", "/run/netns/hb"],
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          text=True) for f in "46"}

    def end(self):
        """{family: (sent, arrived, doubles, what is said of those that are lost)}"""
        return {f: (*map(int, out.split()[:3]), err) for f, p in self.procs.items() for out, err in [p.communicate()]}


def table(d):
    """What the daemon shows of the kernel's entries: (them, their packets)."""
    found = d.json("routes")["routes"]["kernel"]
    return (sorted((e["group"], e["source"] or "", e["iif"], e["state"], *e["oifs"]) for e in found),
            {(e["source"], e["group"], e["iif"]): e["packets"] for e in found})


def metrics(d):
    """Counters of the router that only grow."""
    lines = [line.split() for line in d.show("show", "metrics").splitlines() if "_total" in line and line[0] != "#"]
    return {name: float(n) for name, n in lines if "{" not in name}


def go_on(what, before, after):
    for key, n in before.items():
        check(after.get(key, -1) >= n, f"{what} {key}: {after.get(key)} after {n}")


def campaign(lab, start, follow, changes=False):
    """Streams of all flows through the daemon that start() gives, while follow(d) has it followed by another, which it
    gives back, again and again."""
    wires = Wire(lab), Wire(lab, "hb")
    d, warm = start(), Streams()
    wait_until(lambda: len(table(d)[0]) >= ENTRIES, lambda: f"{ENTRIES} entries; {len(table(d)[0])}", 60)
    warm.end()
    wait_until(lambda: all(quiet(w) for w in wires), "the last report of a join")
    # Three in each family, and then none for a long time.
    wait_until(lambda: all(w.read() is not None and len(w.mrdisc) >= 6 for w in wires), "the first advertisements")
    heard = [(len(w.heard), len(w.mrdisc)) for w in wires]
    (entries, packets), numbers = table(d), metrics(d)
    streams = Streams()
    for _ in range(HANDOVERS):
        d = follow(d)
        time.sleep(PAUSE)			# so that packets come between two of them, too
        now, counted = table(d)
        if not changes:
            same(now, entries, "entries")
        go_on("packets of", packets if not changes else {}, counted)
        go_on("metric", numbers, metrics(d))
        packets, numbers = counted, metrics(d)
    total = 0
    for family, (sent, arrived, doubles, lost) in streams.end().items():
        same((arrived, doubles), (sent, 0), f"IPv{family}: packets that arrived, and doubles; {lost}")
        total += sent
    for w, (n, adverts) in zip(wires, heard):
        same(w.read()[n:], [], "IGMP and MLD messages")
        # With -m 180 one may be due by chance; a new start would send three, and an end one of its own.
        check(len(w.mrdisc) - adverts <= 2 and not set(w.mrdisc) & set(TERM), f"router discovery: {w.mrdisc[adverts:]}")
    print(f"# measured: {total} packets of {FLOWS} flows across {HANDOVERS} handovers")
    return d


def quiet(wire, seconds=1.5):
    """Reports of a join are repeated within a second (RFC 3376, 8.11): true when nothing came for longer."""
    n = len(wire.read())
    try:
        wait_until(lambda: len(wire.read()) > n, "silence", seconds)
    except Exception:
        return True
    return False


@case("a supervisor restarts the daemon")
def restart(lab):
    h = Holder(lab)

    def follow(d):
        h.end(d, signal.SIGTERM)
        return h.start(lab.MARKS + rules(), *OPTIONS)
    campaign(lab, lambda: h.start(lab.MARKS + rules(), *OPTIONS), follow)


def pid_of(d):
    try:
        with open(d.pid_file) as f:
            return int(f.read() or 0)
    except FileNotFoundError:
        return 0


def other_daemon(d, old):
    """Until another process answers in the place of pid `old`."""
    wait_until(lambda: pid_of(d) not in (0, old) and d.ctl("ping")[0] == 0, lambda: f"a daemon after pid {old}")


@case("the daemon is killed under its keeper")
def killed(lab):
    def follow(d):
        pid = pid_of(d)
        os.kill(pid, signal.SIGKILL)
        other_daemon(d, pid)
        return d
    campaign(lab, lambda: lab.daemon(rules(), "-k", *OPTIONS), follow)


@case("the program is run anew by smcroutectl upgrade")
def upgrade(lab):
    def follow(d):
        pid = pid_of(d)
        same(d.ctl("upgrade")[::2], (0, ""), "upgrade")
        other_daemon(d, pid)
        return d
    campaign(lab, lambda: lab.daemon(rules(), *OPTIONS), follow)


def take_over(lab, d, conf):
    """A new process takes the place of daemon d, whose files it has."""
    heir = Daemon(lab, lab.MARKS + conf, ("-T", *OPTIONS), ready=False)
    wait_until(lambda: pid_of(d) == heir.proc.pid or heir.proc.poll() is not None, "its pid in the PID file")
    same((d.wait(), heir.proc.poll()), (0, None), "exit status of the one before, and of the new one")
    lab.procs.remove(d)
    return heir


@case("another process takes over")
def takeover(lab):
    campaign(lab, lambda: lab.daemon(rules(), *OPTIONS), lambda d: take_over(lab, d, rules()))


@case("another process takes over, with ten other rules each time")
def other_rules(lab):
    turn = [0]

    def follow(d):
        turn[0] ^= 1
        d = take_over(lab, d, rules([r.replace("225.77", f"225.7{7 + turn[0]}") for r in OTHERS]))
        # Ten entries are of no rule now, and blocked; ten have one, and are there or not: nothing else is touched.
        line = r"kernel entries: (\d+) added, (\d+) changed, (\d+) removed"
        n = wait_until(lambda: re.search(line, d.log()), "what was changed")
        same((int(n[1]) + int(n[2]), n[3]), (20, "0"), n[0])
        return d
    campaign(lab, lambda: lab.daemon(rules(), *OPTIONS), follow, changes=True)


if __name__ == "__main__":
    main()
