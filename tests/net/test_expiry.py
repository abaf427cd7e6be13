# SPDX-License-Identifier: ISC
#
# Learned and blocked entries: how long they stay, and how many there may be.
import time

from cases import case, main
from lab import SLOW, check, resting, same, wait_until

PAIRS = (("10.1.0.9", "225.1.1.1"), ("fd00:1::9", "ff2e::11"))
IDLE = "10.1.0.7", "225.1.1.1"
WAIT = 2 * SLOW


def busy(lab, seconds, iface):
    """Both flows into iface, steadily, for so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for pair in PAIRS:
            lab.send(iface, *pair, 2)
        time.sleep(0.02)


def iifs(lab):
    return [(lab.route(*pair) or (None,))[0] for pair in PAIRS]


@case("-c: gone when idle, and packets on another interface do not keep it")
def expiry(lab):
    d = lab.daemon("mroute from a1 group 225.1.1.1 to a3\nmroute from a1 group ff2e::11 to a3\n"
                   "mroute from a2 group 225.9.9.9 to a3\nmroute from a2 group ff2e::99 to a3\n"
                   "mroute from a1 source 10.1.0.8 group 225.1.1.1 to a3\n", "-c", "2")
    for pair in PAIRS:
        lab.passes("a1", *pair, "a3")
    # What is as old and idle is gone by then.
    lab.passes("a1", *IDLE, "a3")
    wait_until(lambda: (busy(lab, 0.02, "a1"), lab.route(*IDLE))[1] is None, "the end of an idle entry", 2 + WAIT)
    same(iifs(lab), ["a1", "a1"], "used entries")
    wait_until(lambda: (busy(lab, 0.02, "a2"), "a1" not in iifs(lab))[1], lambda: f"their end: {lab.mroutes()}",
               2 + WAIT)
    wait_until(lambda: (busy(lab, 0.02, "a2"), iifs(lab))[1] == ["a2", "a2"], "blocked entries for the others")
    wait_until(lambda: iifs(lab) == [None, None], "their end", 2 + WAIT)
    same(lab.route("10.1.0.8", "225.1.1.1"), ("a1", ["a3"]), "the (S,G) rule")


@case("-c 0: learned entries stay, until a flush")
def never(lab):
    d = lab.daemon("mroute from a1 group 225.1.1.1 to a3\n", "-c", "0")
    lab.passes("a1", *PAIRS[0], "a3")
    # Nothing is to be done later, so that it sleeps for good: tests/scenario/never.scn lets days go by.
    wait_until(lambda: resting(d.proc.pid), "the daemon at rest")
    same(iifs(lab)[0], "a1", "the entry")
    d.do("flush")
    same(iifs(lab)[0], None, "the entry after a flush")


@case("-M: blocked entries make room, then those seen once; what is in use stays; told, but not in a flood")
def cap(lab):
    d = lab.daemon("mroute from a1 group 225.1.1.1 to a3\nmroute from a1 source 10.1.0.8 group 225.1.1.1 to a3\n",
                   "-M", "20")
    lab.mark()
    def states():
        kernel = d.json("routes")["routes"]["kernel"]
        return {s: sum(k["state"] == s for k in kernel) for s in ("learned", "blocked")}
    for i in range(1, 51):
        lab.send("a1", f"10.1.1.{i}", "239.1.1.1", 1)
    wait_until(lambda: states() == {"learned": 0, "blocked": 20}, lambda: f"20 blocked entries: {states()}")
    for i in range(1, 11):
        lab.passes("a1", f"10.1.2.{i}", "225.1.1.1", "a3", n=4)
    same(states(), {"learned": 10, "blocked": 10}, "entries")
    for i in range(11, 201):
        lab.send("a1", f"10.1.2.{i}", "225.1.1.1", 1)
    lab.mark()
    wait_until(lambda: states() == {"learned": 20, "blocked": 0}, lambda: f"20 learned entries: {states()}")
    told = [line for line in d.log().splitlines() if line.startswith("more than 20 sources")]
    check(0 < len(told) <= 3 and "-M" in told[0], f"{len(told)} lines about what made room: {told[:3]}")
    for i in range(1, 11):
        same(lab.counted(f"10.1.2.{i}", "225.1.1.1"), 4, f"packets of source {i}, which is in use")
    lab.passes("a1", "10.1.0.8", "225.1.1.1", "a3")
    d.do("flush")
    lab.passes("a1", "10.1.2.200", "225.1.1.1", "a3")


if __name__ == "__main__":
    main()
