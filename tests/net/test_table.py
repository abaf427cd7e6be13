# SPDX-License-Identifier: ISC
#
# -t: the routes are in a table of their own, packets get there by a rule of the
# system for each inbound interface, and the rules that are missing are told.
import json

from cases import case, main
from lab import Daemon, Skip, check, same, wait_until

RULES = ("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\nmroute from a1 group 225.1.2.0/24 to a2\n"
         "mroute from a1 source fd00:1::9 group ff2e::11 to a2\nmroute from a1 group ff2e::2:0/112 to a2\n"
         "mroute from a3 group 225.1.3.3 to a2\n")
FLOWS = (("10.1.0.9", "225.1.1.1"), ("10.1.0.9", "225.1.2.3"), ("fd00:1::9", "ff2e::11"), ("fd00:1::9", "ff2e::2:3"))


def mrule(lab, *words):
    """Both families."""
    for family in ("-4", "-6"):
        lab.ip(family, "mrule", *words)


def table(lab, number):
    """(source, group) pairs that a table has in both families."""
    pairs = set()
    for family in ("-4", "-6"):
        for e in json.loads(lab.ip(family, "-j", "mroute", "show", "table", str(number)) or "[]"):
            if e.get("iif"):
                pairs.add((e["src"], e["dst"]))
    return pairs


def missing(d):
    """Lines of the log to be pasted into a shell."""
    return sorted(line[line.index("ip "):] for line in d.log().splitlines() if "mrule add" in line)


def kernel_has_tables(lab):
    d = Daemon(lab, RULES, ("-t", "100"), name="try", ready=False)
    try:
        wait_until(lambda: d.proc.poll() is not None or d.ctl("ping")[0] == 0, "ready or ended")
    finally:
        d.proc.terminate()
    if d.proc.wait() == 76:
        raise Skip("this kernel has one table only")
    mrule(lab, "show")


@case("routes and flows in a table of their own, both families")
def routes(lab):
    kernel_has_tables(lab)
    mrule(lab, "add", "iif", "a1", "lookup", "100")
    Daemon(lab, RULES, ("-t", "100"))
    same(table(lab, 100), {FLOWS[0], FLOWS[2]}, "table 100")
    # Without a table ip shows all of IPv6.
    same([k for k in lab.mroutes() if ":" not in k[0]], [], "the default table")
    for flow in FLOWS:
        lab.wait(lab.send("a1", *flow), "a2")
        lab.wait(lab.send("a1", *flow, 20), "a2")
    same(table(lab, 100), set(FLOWS), "table 100 with what was learned")


@case("two tables with a daemon each")
def two(lab):
    kernel_has_tables(lab)
    mrule(lab, "add", "iif", "a1", "lookup", "100")
    Daemon(lab, RULES, ("-t", "100"), name="one")
    Daemon(lab, "mroute from a4 source 10.4.0.9 group 225.1.1.1 to a3\nmroute from a4 group ff2e::11 to a3\n")
    for flow in (("10.4.0.9", "225.1.1.1"), ("fd00:4::9", "ff2e::11")):
        lab.wait(lab.send("a4", *flow), "a3")
    for flow in FLOWS:
        lab.wait(lab.send("a1", *flow), "a2")
        lab.wait(lab.send("a1", *flow, 20), "a2")


@case("the missing rules are in the log, ready to paste, and work as they stand there")
def told(lab):
    kernel_has_tables(lab)
    d = Daemon(lab, RULES, ("-t", "100", "-l", "notice"))
    wait_until(lambda: len(missing(d)) >= 3, lambda: f"three lines: {d.log()}")
    same(missing(d), ["ip -6 mrule add iif a1 lookup 100", "ip mrule add iif a1 lookup 100",
                      "ip mrule add iif a3 lookup 100"], "the lines")
    for line in missing(d):
        lab.ip(*line.split()[1:])
    for flow in FLOWS:
        lab.wait(lab.send("a1", *flow), "a2")
        lab.wait(lab.send("a1", *flow, 20), "a2")
    d.hup(RULES + "mroute from a4 group ff2e::7 to a2\n")
    wait_until(lambda: len(missing(d)) >= 5, lambda: f"two lines more: {d.log()}")
    # hup() adds the marker rules, which are IPv4 from a1 and a4.
    same([line for line in missing(d) if "a4" in line],
         ["ip -6 mrule add iif a4 lookup 100", "ip mrule add iif a4 lookup 100"], "what a reload adds")
    same(len(missing(d)), 5, f"lines: {missing(d)}")


@case("nothing is told when nothing is missing, nor without -t or with 0, which is the same")
def silent(lab):
    kernel_has_tables(lab)
    for iif in ("a1", "a3"):
        mrule(lab, "add", "iif", iif, "lookup", "100")
    d = Daemon(lab, RULES, ("-t", "100"))
    mrule(lab, "del", "iif", "a3", "lookup", "100")
    # What is asked for later is answered later.
    d.do("add", "a4", "225.9.9.9", "a2")
    wait_until(lambda: missing(d), lambda: f"the line for a4: {d.log()}")
    same(missing(d), ["ip mrule add iif a4 lookup 100"], "lines with -t")
    same(d.stop(), 0, "exit status")
    d = Daemon(lab, RULES, ("-t", "0"), name="plain")
    same(missing(d), [], "lines without -t")
    check("mrule" not in d.log(), d.log)


@case("an interface that comes later is told of, too")
def late(lab):
    kernel_has_tables(lab)
    d = Daemon(lab, "mroute from a5 group 225.1.1.1 to a2\n", ("-t", "100"))
    same(missing(d), [], "lines before")
    lab.links("a5")
    wait_until(lambda: missing(d) == ["ip mrule add iif a5 lookup 100"], lambda: f"the line for a5: {missing(d)}")


@case("an interface that a wildcard still means after a rename is told of under its new name")
def renamed(lab):
    kernel_has_tables(lab)
    lab.links("a5")
    d = Daemon(lab, "mroute from a5+ group 225.1.1.1 to a2\n", ("-t", "100"))
    wait_until(lambda: missing(d) == ["ip mrule add iif a5 lookup 100"], lambda: f"the line before: {missing(d)}")
    lab.ip("mrule", "add", "iif", "a5", "lookup", "100")
    lab.ip("link", "set", "a5", "down")
    lab.ip("link", "set", "a5", "name", "a5x")
    wait_until(lambda: missing(d)[1:] == ["ip mrule add iif a5x lookup 100"], lambda: f"the line: {missing(d)}")


if __name__ == "__main__":
    main()
