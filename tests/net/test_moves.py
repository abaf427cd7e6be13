# SPDX-License-Identifier: ISC
#
# Flows that come in on two interfaces.  The kernel reports a wrong interface at
# most once in three seconds and entry (MFC_ASSERT_THRESH, linux/mroute_base.h),
# which sets the pace here, so the kinds of flows are tried all at the same time.
import time

from cases import case, main
from lab import SLOW, note, same, wait_until

STATIC = (("10.1.0.9", "225.1.1.1"), ("fd00:1::9", "ff2e::11"))
LEARNED = (("10.1.0.9", "225.1.1.2"), ("fd00:1::9", "ff2e::12"))
ONE_RULE = (("10.1.0.9", "225.1.1.3"), ("fd00:1::9", "ff2e::13"))
ALL = STATIC + LEARNED + ONE_RULE
TWO = "".join(f"mroute from a1 source {s} group {g} to a3\nmroute from a2 source {s} group {g} to a4\n"
              for s, g in STATIC)
CONF = TWO + "".join(f"mroute from a1 group {g} to a3\nmroute from a2 group {g} to a4\n" for _, g in LEARNED) + "".join(
    f"mroute from a1 group {g} to a3\n" for _, g in ONE_RULE)
WAIT = 4 * SLOW


def busy(lab, seconds, *ifaces):
    """Every flow into each of ifaces, steadily."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for pair in ALL:
            for iface in ifaces:
                lab.send(iface, *pair, 2)
        time.sleep(0.02)


def iifs(lab, pairs=ALL):
    table = lab.mroutes()
    return [table.get(pair, (None,))[0] for pair in pairs]


def moves(d):
    return d.log().count(" moved to ")


def upcalls(d):
    """Reports of the kernel so far, of each family."""
    return [int(line.split()[1]) for line in d.show("show", "metrics").splitlines()
            if line.startswith("smcroute_upcalls_total{")]


@case("never flaps while both interfaces are busy; a blocked entry yields at once, an idle one yields")
def both_busy(lab):
    d = lab.daemon(CONF)
    for pair in LEARNED:
        lab.passes("a1", *pair, "a3")
    for pair in ONE_RULE:
        lab.send("a2", *pair, 50)
    wait_until(lambda: iifs(lab) == ["a1"] * 4 + ["a2"] * 2, lambda: f"who holds the entries: {iifs(lab)}")
    same(sorted(k["state"] for k in d.json("routes")["routes"]["kernel"] if k["iif"] == "a2"), ["blocked"] * 2,
         "states")
    for pair in ONE_RULE:
        lab.send("a2", *pair, 50)
        lab.send("a1", *pair, 1)
        lab.send("a2", *pair, 50)
    wait_until(lambda: iifs(lab, ONE_RULE) == ["a1"] * 2, "the blocked ones to yield")
    busy(lab, 0.1, "a1")
    # Twice for each of the three entries of a family the kernel asks.
    before = upcalls(d)
    def asked():
        busy(lab, 0.1, "a1", "a2")
        kernel = {(k["source"], k["group"]): k["wrong_if"] for k in d.json("routes")["routes"]["kernel"]}
        return all(n >= b + 6 for n, b in zip(upcalls(d), before)) and all(kernel[pair] > 100 for pair in ALL)
    wait_until(asked, "reports of wrong interfaces", WAIT)
    same((iifs(lab), moves(d)), (["a1"] * 6, 2), "where the entries are, and moves")
    start = time.monotonic()
    wait_until(lambda: (busy(lab, 0.1, "a2"), iifs(lab) == ["a2"] * 4 + ["a1"] * 2)[1],
               lambda: f"the idle interface to yield: {iifs(lab)}", WAIT)
    note(f"measured: moved {time.monotonic() - start:.1f} s after the first interface fell silent")
    same(moves(d), 6, "moves")
    for pair in STATIC + LEARNED:
        lab.expect(lab.send("a2", *pair, 20), "a4")
    for pair in ONE_RULE:
        lab.expect(lab.send("a1", *pair, 20), "a3")


@case("an interface that was never heard yields at once; the holder removed, the other takes over")
def at_once(lab):
    d = lab.daemon(TWO)
    for pair in STATIC:
        lab.send("a2", *pair, 1)
    wait_until(lambda: iifs(lab, STATIC) == ["a2", "a2"], "the move")
    for pair in STATIC:
        lab.expect(lab.send("a2", *pair, 20), "a4")
        d.do("remove", "a2", *pair)
        same(lab.route(*pair), ("a1", ["a3"]), "the other rule's")
        lab.expect(lab.send("a1", *pair, 20), "a3")
        d.do("remove", "a1", *pair)
        same(lab.route(*pair), None, "no rule")


if __name__ == "__main__":
    main()
