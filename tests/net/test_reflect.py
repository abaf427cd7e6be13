# SPDX-License-Identifier: ISC
#
# Rules that send packets out where they come in.  Where this host is a member of the group the kernel
# gives each packet that leaves to the router again, so that output is held back as long as it is.
import contextlib
import signal
import socket
import time

from cases import case, main
from lab import check, same, wait_until
from member import MCAST_JOIN_SOURCE_GROUP, member
from sick import Stream

# source, group, another source, the router's own address
FLOWS = (("10.1.0.9", "225.9.9.9", "10.1.0.77", "10.1.0.1"), ("fd00:1::9", "ff2e::99", "fd00:1::77", "fd00:1::1"))


def rule(group, outputs="a1 a2 a3"):
    return f"mroute from a1 group {group} to {outputs}\n"


def held(d, group):
    """The reason of each rule for the group that waits."""
    return [(p["oifs"], p["reason"]) for p in d.json("pending")["pending"] if p["group"] == group]


def outputs(lab, source, group, *ifaces):
    wait_until(lambda: lab.route(source, group) == ("a1", sorted(ifaces)),
               lambda: f"({source}, {group}) to {ifaces}, not {lab.route(source, group)}")


def forwards(lab, source, group, *ifaces):
    """Five packets of TTL 64 come out once on each."""
    lab.passes("a1", source, group, *ifaces)
    lab.expect(lab.send("a1", source, group, 5, ttl=64), *ifaces)


@case("a membership from the file: held back, and told")
def from_file(lab):
    d = lab.daemon("".join(rule(g) + f"mgroup from a1 group {g}\n" for _, g, *_ in FLOWS))
    for source, group, *_ in FLOWS:
        # None has come yet, so no entry is there, and it is told all the same.
        same([oifs for oifs, _ in held(d, group)], [["a1", "a2", "a3"]], "what waits")
        forwards(lab, source, group, "a2", "a3")
        outputs(lab, source, group, "a2", "a3")
        (_, reason), = held(d, group)
        check("smcroute is a member" in reason and "drop the mgroup line" in reason, reason)
        check(f"({source}, {group}): a1 {reason}" in d.log(), "the log does not say why")
        check(f"# a1: {reason}" in d.show("-d", "show", "pending"), "nor does show pending -d")
    check("smcroute_held_back 2" in d.show("show", "metrics"), "nor do the metrics")


@case("join and leave by the client: held back before the first packet can come back, and returned")
def from_client(lab):
    d = lab.daemon("".join(rule(g) for _, g, *_ in FLOWS))
    for source, group, *_ in FLOWS:
        forwards(lab, source, group, "a1", "a2", "a3")
        rc, out, err = d.ctl("join", "a1", group)
        same((rc, out), (0, ""), "join")
        check("each packet would come back" in err, err)
        outputs(lab, source, group, "a2", "a3")
        forwards(lab, source, group, "a2", "a3")
        d.do("leave", "a1", group)
        outputs(lab, source, group, "a1", "a2", "a3")
        forwards(lab, source, group, "a1", "a2", "a3")
        same(held(d, group), [], "what waits")


@case("a reload that adds the membership, and one that takes it away")
def reload(lab):
    conf = "".join(rule(g) for _, g, *_ in FLOWS)
    d = lab.daemon(conf)
    for source, group, *_ in FLOWS:
        forwards(lab, source, group, "a1", "a2", "a3")
    d.hup(conf + "".join(f"mgroup from a1 group {g}\n" for _, g, *_ in FLOWS))
    for source, group, *_ in FLOWS:
        forwards(lab, source, group, "a2", "a3")
    d.hup(conf)
    for source, group, *_ in FLOWS:
        outputs(lab, source, group, "a1", "a2", "a3")
        forwards(lab, source, group, "a1", "a2", "a3")


@case("a membership of another program starts and ends")
def of_others(lab):
    d = lab.daemon("".join(rule(g) for _, g, *_ in FLOWS))
    for source, group, *_ in FLOWS:
        with member("a1", group):
            forwards(lab, source, group, "a2", "a3")
            (_, reason), = held(d, group)
            check("a program of this host" in reason, reason)
        outputs(lab, source, group, "a1", "a2", "a3")
        forwards(lab, source, group, "a1", "a2", "a3")
        with member("a1", group):
            outputs(lab, source, group, "a2", "a3")
            forwards(lab, source, group, "a2", "a3")
            with member("a2", group):		# elsewhere nothing comes back
                forwards(lab, source, group, "a2", "a3")
        outputs(lab, source, group, "a1", "a2", "a3")


@case("an (S,G) rule is held back as well")
def single(lab):
    lab.daemon("".join(f"mroute from a1 source {s} group {g} to a1 a2\nmgroup from a1 group {g}\n"
                       for s, g, *_ in FLOWS))
    for source, group, *_ in FLOWS:
        outputs(lab, source, group, "a2")
        forwards(lab, source, group, "a2")


@case("source filters: held back as far as the kernel lets packets come back")
def filters(lab):
    d = lab.daemon("".join(rule(g) for _, g, *_ in FLOWS))
    for source, group, other, own in FLOWS:
        # IPv4 asks about its own address, IPv6 about the packet's source.
        asked, free = (own, source) if group[0] == "2" else (source, own)
        for sources, block, ifaces in (([asked], False, "a2 a3"), ([free, other], False, "a1 a2 a3"),
                                       ([asked], True, "a1 a2 a3"), ([free, other], True, "a2 a3")):
            with member("a1", group, *sources, block=block):
                forwards(lab, source, group, *ifaces.split())
            d.do("flush")
        with member("a1", group, free), member("a1", group, other, block=True):
            forwards(lab, source, group, "a2", "a3")
        outputs(lab, source, group, "a1", "a2", "a3")
        # Behind a newer group without sources the kernel hides them all: rather held back than multiplied.
        with member("a1", group, free), member("a1", "225.7.7.7" if group[0] == "2" else "ff2e::77"):
            outputs(lab, source, group, "a2", "a3")
        outputs(lab, source, group, "a1", "a2", "a3")
        # The kernel reports groups and not sources: a filter that changes is seen the next time that it is looked.
        with member("a1", group, free) as ask:
            outputs(lab, source, group, "a1", "a2", "a3")
            ask(MCAST_JOIN_SOURCE_GROUP, group, asked)
            outputs(lab, source, group, "a2", "a3")
            forwards(lab, source, group, "a2", "a3")
        outputs(lab, source, group, "a1", "a2", "a3")


@case("add says that the new rule is held back; a wildcard does not select the inbound interface")
def add(lab):
    d = lab.daemon("".join(f"mgroup from a1 group {g}\n" for _, g, *_ in FLOWS))
    for source, group, *_ in FLOWS:
        rc, out, err = d.ctl("add", "a1", group, "a1", "a2")
        check(rc == 0 and "a1 is held back as output, as smcroute is a member" in err, err)
        d.do("replace", "a1", group, "a+")
        forwards(lab, source, group, "a2", "a3", "a4")
        same(held(d, group), [], "what waits")


@case("packets that come back and nobody knows why: found by counting, IPv4", *FLOWS[0][:2])
@case("packets that come back and nobody knows why: found by counting, IPv6", *FLOWS[1][:2])
def storm(lab, source, group):
    # What the kernel says of memberships is kept from the daemon: its /proc has the counters of interfaces alone.
    hide = ("mkdir /run/p && mount --rbind /proc /run/p && "
            "mount -t tmpfs none /proc && mkdir /proc/net && ln -s /run/p/self/net/dev /proc/net/dev && exec \"$@\"")
    d = lab.daemon(rule(group), wrap=("unshare", "-m", "sh", "-c", hide, "sh"))
    with Stream(lab, "a1", source, group, ttl=64) as s:
        s.flows("a1", "a2", "a3")
        with member("a1", group):
            wait_until(lambda: f"({source}, {group}) multiplies" in d.log(), "the line in the log", 60)
            check("smcroute_multiplied_total 1" in d.show("show", "metrics"), "the metric")
    d.stop(signal.SIGKILL)		# a sanitizer cannot look for leaks without /proc


@case("a relay that works does not look like a storm: members on other outputs, senders on this host")
def no_storm(lab):
    d = lab.daemon("".join(rule(g) for _, g, *_ in FLOWS))
    with contextlib.ExitStack() as all_of:
        for source, group, _, own in FLOWS:
            for iface in ("a2", "a3"):
                all_of.enter_context(member(iface, group))
            for sender in (source, own):
                all_of.enter_context(Stream(lab, "a1", sender, group, ttl=64))
        sock = all_of.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 16)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.1.0.1"))
        # One look takes six seconds: counters of interfaces, twice those of entries, those of interfaces again.
        end = time.monotonic() + 8
        wait_until(lambda: sock.sendto(b"x", ("225.9.9.9", 5000)) and time.monotonic() > end, "the end of a look", 60)
    check("multiplies" not in d.log(), d.log())


if __name__ == "__main__":
    main()
