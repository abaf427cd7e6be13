# SPDX-License-Identifier: ISC
#
# The promise of a handover: while daemons end and follow each other under a steady stream of many flows, of entries of
# all kinds, no packet is lost, none comes twice, and neighbours hear nothing of it.  The short form is a part of the
# tests; `make handover` is the long one: HANDOVERS of each kind, PPS packets a second.
import os
import time

from cases import case, main
from flows import ENTRIES, FLOWS, OTHERS, Streams, rules
from lab import check, same, wait_until
from reports import TERM, Wire
from ways import Keeper, Store, Takeover, Upgrade, changes

HANDOVERS, PPS = int(os.environ.get("HANDOVERS", "2")), int(os.environ.get("PPS", "1000"))
PAUSE = 0.1
OPTIONS = ("-c", "600", "-m", "180")


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


def campaign(lab, way, is_same=True):
    """Streams of all flows, while one daemon follows the other again and again."""
    wires = Wire(lab), Wire(lab, "hb")
    d, warm = way.start(), Streams(PPS)
    wait_until(lambda: len(table(d)[0]) == ENTRIES, lambda: f"{ENTRIES} entries; {len(table(d)[0])}", 60)
    warm.end()
    wait_until(lambda: all(w.is_quiet() for w in wires), "the last report of a join")
    # Three in each family, and then none for a long time.
    wait_until(lambda: all(w.read() is not None and len(w.mrdisc) >= 6 for w in wires), "the first advertisements")
    heard = [(len(w.heard), len(w.mrdisc)) for w in wires]
    (entries, packets), numbers = table(d), metrics(d)
    streams = Streams(PPS)
    for _ in range(HANDOVERS):
        d = way.follow(d)
        time.sleep(PAUSE)			# so that packets come between two of them, too
        now, counted = table(d)
        if is_same:
            same(now, entries, "entries")
        go_on("packets of", packets if is_same else {}, counted)
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


@case("a supervisor restarts the daemon", Store)
@case("the daemon is killed under its keeper", Keeper)
@case("the program is run anew by smcroutectl upgrade", Upgrade)
@case("another process takes over", Takeover)
def same_rules(lab, kind):
    campaign(lab, kind(lab, rules(), *OPTIONS))


class OtherRules(Takeover):
    """With ten other rules each time."""
    turn = 0

    def follow(self, d):
        self.turn ^= 1
        self.conf = rules([r.replace("225.77", f"225.7{7 + self.turn}") for r in OTHERS])
        d = super().follow(d)
        # Ten entries are of no rule now, and blocked; ten have one, and are there or not: nothing else is touched.
        added, changed, removed = wait_until(lambda: changes(d), "what was changed")[-1]
        same((added + changed, removed), (20, 0), "what was changed in the kernel")
        return d


@case("another process takes over, with ten other rules each time")
def other_rules(lab):
    campaign(lab, OtherRules(lab, rules(), *OPTIONS), is_same=False)


if __name__ == "__main__":
    main()
