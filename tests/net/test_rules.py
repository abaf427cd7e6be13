# SPDX-License-Identifier: ISC
#
# Every form of rule, both families, from the file and from the client: all
# packets on each wanted interface, the first of a learned flow included, none
# on any other, none with a TTL of 1.
from cases import case, main
from lab import same, wait_until

# name, source and group of the rule, (source, group) that match, and that do not
FORMS = (
    ("(S,G)", "10.1.0.9", "225.1.1.1", [("10.1.0.9", "225.1.1.1")],
     [("10.1.0.8", "225.1.1.1"), ("10.1.0.9", "225.1.1.2")]),
    ("(*,G)", None, "225.1.2.3", [("10.1.0.9", "225.1.2.3"), ("192.0.2.77", "225.1.2.3")],
     [("10.1.0.9", "225.1.2.4")]),
    ("(S/24,G)", "10.1.0.0/24", "225.1.3.3", [("10.1.0.7", "225.1.3.3"), ("10.1.0.255", "225.1.3.3")],
     [("10.1.1.7", "225.1.3.3"), ("10.1.0.7", "225.1.3.4")]),
    ("(*,G/24)", None, "225.1.4.0/24", [("10.1.0.9", "225.1.4.0"), ("10.9.0.9", "225.1.4.255")],
     [("10.1.0.9", "225.1.5.0")]),
    ("(S/24,G/24)", "10.1.0.0/24", "225.1.6.0/24", [("10.1.0.3", "225.1.6.1"), ("10.1.0.254", "225.1.6.200")],
     [("10.1.1.1", "225.1.6.1"), ("10.1.0.3", "225.1.7.1")]),
    ("(S,G/24)", "10.1.0.9", "225.1.8.0/24", [("10.1.0.9", "225.1.8.8")],
     [("10.1.0.8", "225.1.8.8"), ("10.1.0.9", "225.1.9.8")]),
    ("v6 (S,G)", "fd00:1::9", "ff2e::1:1", [("fd00:1::9", "ff2e::1:1")],
     [("fd00:1::8", "ff2e::1:1"), ("fd00:1::9", "ff2e::1:2")]),
    ("v6 (*,G)", None, "ff2e::2:3", [("fd00:1::9", "ff2e::2:3"), ("2001:db8::77", "ff2e::2:3")],
     [("fd00:1::9", "ff2e::2:4")]),
    ("v6 (S/64,G)", "fd00:1::/64", "ff2e::3:3", [("fd00:1::7", "ff2e::3:3"), ("fd00:1::ffff:7", "ff2e::3:3")],
     [("fd00:1:0:1::7", "ff2e::3:3"), ("fd00:1::7", "ff2e::3:4")]),
    ("v6 (*,G/120)", None, "ff2e::4:0/120", [("fd00:1::9", "ff2e::4:0"), ("fd00:9::9", "ff2e::4:ff")],
     [("fd00:1::9", "ff2e::4:100")]),
    ("v6 (S/120,G/120)", "fd00:1::/120", "ff2e::6:0/120", [("fd00:1::3", "ff2e::6:1"), ("fd00:1::fe", "ff2e::6:c8")],
     [("fd00:1::1:1", "ff2e::6:1"), ("fd00:1::3", "ff2e::7:1")]),
    ("v6 (S,G/64)", "fd00:1::9", "ff2e:0:0:8::/64", [("fd00:1::9", "ff2e:0:0:8::8")],
     [("fd00:1::8", "ff2e:0:0:8::8"), ("fd00:1::9", "ff2e:0:0:9::8")]),
)


def from_file(lab, source, group):
    return lab.daemon("mroute from a1 " + (f"source {source} " if source else "")
                      + f"group {group} to a2 a3\n")


def from_client(lab, source, group):
    d = lab.daemon()
    d.do("add", "a1", *([source] if source else []), group, "a2", "a3")
    return d


def forwards(lab, load, source, group, inside, outside):
    load(lab, source, group)
    for src, grp in outside:
        lab.passes("a1", src, grp)
    for src, grp in inside:
        lab.passes("a1", src, grp, "a2", "a3")
        lab.expect(lab.send("a1", src, grp, 20, ttl=1))
        lab.expect(lab.send("a1", src, grp, 20, ttl=2), "a2", "a3")
        lab.passes("a2", src, grp)


for form in FORMS:
    for text, how in (("file", from_file), ("client", from_client)):
        case(f"{form[0]} from the {text}", how, *form[1:])(forwards)


@case("a TTL of 1 does not pass, not even as the first packet of a flow")
def ttl_one(lab):
    lab.daemon("mroute from a1 group 225.2.2.2 to a2 a3\nmroute from a1 group ff2e::22 to a2 a3\n")
    for src, group in (("10.1.0.9", "225.2.2.2"), ("fd00:1::9", "ff2e::22")):
        first = lab.send("a1", src, group, ttl=1)
        lab.passes("a1", src, group, "a2", "a3")
        lab.expect(first)


@case("the narrowest rule decides, whatever their order; two that overlap add up")
def narrowest(lab):
    for lines in (1, -1):
        d = lab.daemon("\n".join(["mroute from a1 group 225.3.0.0/16 to a2",
                                  "mroute from a1 source 10.1.0.9 group 225.3.3.3 to a3",
                                  "mroute from a1 source 10.1.0.0/24 group 225.3.3.0/24 to a4",
                                  "mroute from a1 source 10.9.0.0/24 group 225.3.0.0/16 to a3",
                                  "mroute from a1 group 225.3.4.0/24 to a4",
                                  "mroute from a1 group ff2e::/16 to a2",
                                  "mroute from a1 source fd00:1::9 group ff2e::33 to a3"][::lines]) + "\n")
        lab.passes("a1", "10.1.0.9", "225.3.3.3", "a3")
        lab.passes("a1", "10.1.0.8", "225.3.3.3", "a4")
        lab.passes("a1", "10.8.0.8", "225.3.3.3", "a2")
        lab.passes("a1", "10.9.0.8", "225.3.4.4", "a3", "a4")
        lab.passes("a1", "fd00:1::9", "ff2e::33", "a3")
        lab.passes("a1", "fd00:1::8", "ff2e::33", "a2")
        d.stop()


@case("an exception inside a range stops exactly its flows, until it is removed")
def exceptions(lab):
    d = lab.daemon("mroute from a1 group 225.6.0.0/16 to a2\nmroute from a1 source 10.1.0.66 group 225.6.0.0/16\n"
                   "mroute from a1 group 225.6.6.6\n"
                   "mroute from a1 group ff2e::6:0/112 to a2\nmroute from a1 source fd00:1::66 group ff2e::6:0/112\n"
                   "mroute from a1 group ff2e::6:6\n")
    flows = (("10.1.0.9", "10.1.0.66", "225.6.1.1", "225.6.6.6", "225.6.0.0/16"),
             ("fd00:1::9", "fd00:1::66", "ff2e::6:1", "ff2e::6:6", "ff2e::6:0/112"))
    for good, bad, group, stopped, wide in flows:
        lab.passes("a1", good, group, "a2")
        lab.passes("a1", bad, group)
        lab.passes("a1", good, stopped)
        # From the client, for a flow that is there already; and back with the next packet.
        same(d.ctl("add", "a1", good, wide)[0], 0, "add")
        lab.passes("a1", good, group)
        d.do("remove", "a1", good, wide)
        lab.passes("a1", good, group, "a2")
        d.do("remove", "a1", bad, wide)
        lab.passes("a1", bad, group, "a2")


@case("a rule without outputs stops its flow and no other")
def stop_filter(lab):
    lab.daemon("mroute from a1 source 10.1.0.9 group 225.4.4.4\n"
               "mroute from a1 source fd00:1::9 group ff2e::44\n")
    lab.passes("a1", "10.1.0.9", "225.4.4.4")
    lab.passes("a1", "fd00:1::9", "ff2e::44")
    lab.passes("a1", "10.1.0.9", "225.4.4.5")


@case("sources that no router forwards stay where they are, whatever the rules say")
def stays_here(lab):
    lab.daemon("mroute from a1 group 225.7.7.7 to a2\nmroute from a1 group ff2e::77 to a2\n"
               "mroute from a1 source fe80::66 group ff2e::78 to a2\n")
    for src, group in (("fe80::9", "ff2e::77"), ("fe80::66", "ff2e::78"), ("::1", "ff2e::77"), ("::", "ff2e::77"),
                       ("127.0.0.9", "225.7.7.7"), ("0.0.0.0", "225.7.7.7")):
        lab.passes("a1", src, group)
    # Blocked, so that the kernel asks no more; of the others it does not tell.
    for flow in (("fe80::9", "ff2e::77"), ("fe80::66", "ff2e::78")):
        wait_until(lambda: lab.route(*flow) == ("a1", []), f"an entry without outputs for {flow}")
    lab.passes("a1", "10.1.0.9", "225.7.7.7", "a2")
    lab.passes("a1", "fd00:1::9", "ff2e::77", "a2")


@case("rules on two interfaces do not mix")
def two_inputs(lab):
    lab.daemon("mroute from a1 group 225.5.5.5 to a2\nmroute from a3 group 225.5.5.5 to a4\n"
               "mroute from a1 group ff2e::55 to a2\nmroute from a3 group ff2e::55 to a4\n")
    lab.passes("a1", "10.1.0.9", "225.5.5.5", "a2")
    lab.passes("a3", "10.3.0.9", "225.5.5.5", "a4")
    lab.passes("a1", "fd00:1::9", "ff2e::55", "a2")
    lab.passes("a3", "fd00:3::9", "ff2e::55", "a4")


@case("an interface wildcard takes all but the input")
def wildcard(lab):
    lab.daemon("mroute from a1 group 225.6.6.6 to a+\nmroute from a+ source 10.2.0.9 group 225.6.6.7 to a3\n"
               "mroute from a1 group ff2e::66 to a+\n")
    lab.passes("a1", "10.1.0.9", "225.6.6.6", "a2", "a3", "a4")
    lab.passes("a1", "fd00:1::9", "ff2e::66", "a2", "a3", "a4")


@case("200 sources at once are all learned, each first packet forwarded")
def burst(lab):
    lab.daemon("mroute from a1 group 225.7.7.7 to a2\nmroute from a1 group ff2e::77 to a2\n")
    for src, group in (("10.1.{}.{}", "225.7.7.7"), ("fd00:1::{}:{}", "ff2e::77")):
        flows = [lab.send("a1", src.format(1 + i // 100, 1 + i % 100), group) for i in range(200)]
        for flow in flows:
            lab.wait(flow, "a2")
        lab.mark()
        same(sum(lab.arrived("a2", f) for f in flows), 200, "first packets on a2")
        same(sum(lab.arrived("a3", f) for f in flows), 0, "packets on a3")


@case("packets that come while their flow is being learned are not stuck in the kernel")
def learning(lab):
    # One that asks for the entry just before it is there waits in the kernel after it is
    # there, and the kernel asks again (net/ipv4/ipmr.c, ipmr_cache_unresolved).
    lab.daemon("mroute from a1 group 225.8.0.0/16 to a2\nmroute from a1 group ff2e::8:0/112 to a2\n")
    for src, group in (("10.1.0.9", "225.8.{}.{}"), ("fd00:1::9", "ff2e::8:{}{:02x}")):
        for i in range(50):
            flows = [lab.send("a1", src, group.format(i, j), 3) for j in range(1, 21)]
            for flow in flows:
                lab.wait(flow, "a2")


if __name__ == "__main__":
    main()
