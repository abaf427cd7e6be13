# SPDX-License-Identifier: ISC
#
# Interface events, one by one and a thousand in a row: after each the kernel has
# the routes and memberships that the rules want, and nobody else's packets suffer.
import contextlib
import json
import os
import signal
import time

from cases import case, main
from lab import MS_BIND, Skip, note, same, sys_call, wait_until
from stream import Stream

RULES = (("a1", "10.1.0.9", "225.1.1.1", "a2 a5"), ("a5", "10.5.0.9", "225.1.1.2", "a2"),
         ("a1", "fd00:1::9", "ff2e::11", "a2 a5"), ("a5", "fd00:5::9", "ff2e::12", "a2"))
GROUPS = (("225.1.1.3", None), ("225.1.1.4", "10.5.0.9"), ("ff2e::13", None), ("ff2e::14", "fd00:5::9"))
CONF = ("".join(f"mroute from {i} source {s} group {g} to {o}\n" for i, s, g, o in RULES)
        + "".join(f"mgroup from a5 {f'source {s} ' if s else ''}group {g}\n" for g, s in GROUPS))
HOST = "he"


def joined(lab, dev):
    """Groups in ip maddr that are neither link-layer nor the kernel's own."""
    for link in json.loads(lab.ip("-j", "maddr", "show", "dev", dev)):
        return {m["address"] for m in link["maddr"] if m.get("family") in ("inet", "inet6")
                and m["address"].startswith(("225.", "ff2e:"))}
    return set()


def wanted(usable):
    """{(source, group): (iif, oifs)} of the rules, with or without a5."""
    table = {}
    for iif, source, group, oifs in RULES:
        if usable or iif != "a5":
            table[(source, group)] = (iif, [o for o in oifs.split() if usable or o != "a5"])
    return table


def pending(d):
    return sorted((p["kind"], p["group"]) for p in d.json("pending")["pending"])


def settled(lab, d, usable, what, dev="a5"):
    """Until routes, memberships and pending are right; the time it took."""
    start = time.monotonic()
    table = wanted(usable)
    wait_until(lambda: {k: v for k, v in lab.mroutes().items() if k[1] < "239" or k[1] > "a"} == table,
               lambda: f"the routes after {what}: {lab.mroutes()}")
    groups = {g for g, _ in GROUPS} if usable else set()
    wait_until(lambda: not os.path.exists(f"/sys/class/net/{dev}") or joined(lab, dev) == groups,
               lambda: f"the groups after {what}: {joined(lab, dev)}")
    waits = [] if usable else sorted([("mroute", r[2]) for r in RULES] + [("mgroup", g) for g, _ in GROUPS])
    wait_until(lambda: pending(d) == waits, lambda: f"show pending after {what}: {pending(d)}")
    return time.monotonic() - start


def make_a5(mac=""):
    return [f"link add a5 {mac} type veth peer name eth0 netns {HOST}", "addr add 10.5.0.1/24 dev a5",
            "addr add fd00:5::1/64 dev a5 nodad", "link set a5 up"]


def flows(lab):
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a5")
    lab.passes("a5", "10.5.0.9", "225.1.1.2", "a2")
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2", "a5")
    lab.passes("a5", "fd00:5::9", "ff2e::12", "a2")


@case("deleted and made again three times, renamed, multicast off, down, another namespace: each time as the rules say")
def one_by_one(lab):
    lab.links("a5")
    d = lab.daemon(CONF)
    settled(lab, d, True, "the start")
    flows(lab)
    took = []
    steps = [(["link del a5"], False, "its end"), (make_a5(), True, "its return")] * 3 + [
        (["link set a5 down", "link set a5 name b5", "link set b5 up"], False, "the rename away", "b5"),
        (["link set b5 down", "link set b5 name a5", "link set a5 up"], True, "the rename back"),
        (["link set a5 multicast off"], True, "multicast off"),
        (["link set a5 multicast on"], True, "multicast on"),
        (["link set a5 down"], True, "down"),
        (["link set a5 up"], True, "up"),
        ([f"link set a5 netns {HOST}"], False, "the move away")]
    for lines, usable, what, *dev in steps:
        lab.ip_batch(lines)
        took.append((settled(lab, d, usable, what, *dev), what))
    with open("/run/netns/router", "w"):
        sys_call("mount", "/proc/self/ns/net", "/run/netns/router", None, MS_BIND, None)
    with lab.at(HOST):
        lab.ip_batch(["link set a5 netns router"])
    lab.ip_batch(make_a5()[1:])
    took.append((settled(lab, d, True, "the move back"), "the move back"))
    with lab.at(HOST):
        lab.ip_batch(["link set eth0 up", "addr replace 10.5.0.2/24 dev eth0"])
    lab.open_host(HOST)
    lab.settle("a5")
    flows(lab)
    note("measured: routes, groups and pending right after %.0f ms at the most (%s)" %
         (max(took)[0] * 1000, max(took)[1]))


@case("a thousand events in a row on one interface, while a stream crosses two others")
def thousand(lab):
    lab.links("a5")
    d = lab.daemon(CONF + "mroute from a3 group 225.2.0.0/16 to a4\nmroute from a3 group ff2e::2:0/112 to a4\n")
    events = []
    for turn in range(36):
        events += ["link set a5 multicast off", "link set a5 multicast on"] * 9
        events += ["link set a5 down", "link set a5 name b5", "link set b5 up", "link set b5 down",
                   "link set b5 name a5", "link set a5 up"] * 2
        events += ["link set a5 mtu 1400", "link set a5 mtu 1500"]
        if turn % 3 == 0:
            events += ["link del a5", make_a5()[0], "link set a5 up"]
    for flow in (("10.3.0.9", "225.2.2.2"), ("fd00:3::9", "ff2e::2:2")):
        lab.passes("a3", *flow, "a4")
    stream = Stream(lab, "a3", (("10.3.0.9", "225.2.2.2"), ("fd00:3::9", "ff2e::2:2")), 1000)
    start = time.monotonic()
    lab.ip_batch(events)
    took = time.monotonic() - start
    stream.end()
    settled_in = settled_without_learned(lab, d)
    sent = stream.expect("a4")
    note(f"measured: {len(events)} events in {took:.2f} s, {sent} packets sent and received, "
         f"right {settled_in * 1000:.0f} ms after the last event")
    lab.ip_batch(["addr replace 10.5.0.1/24 dev a5", "addr replace fd00:5::1/64 dev a5 nodad"])
    with lab.at(HOST):
        lab.ip_batch(["link set eth0 up", "addr replace 10.5.0.2/24 dev eth0"])
    lab.open_host(HOST)
    lab.settle("a5")
    flows(lab)


def settled_without_learned(lab, d):
    """As settled(), with the learned flows of the stream left out."""
    start = time.monotonic()
    table = wanted(True)
    wait_until(lambda: {k: v for k, v in lab.mroutes().items() if k in table} == table, "the routes")
    wait_until(lambda: joined(lab, "a5") == {g for g, _ in GROUPS}, "the groups")
    same(pending(d), [], "pending")
    return time.monotonic() - start


def drops(pid):
    """Events that the kernel did not find room for on the netlink sockets of a process."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    with open("/proc/net/netlink") as f:
        rows = [line.split() for line in f][1:]
    return sum(int(r[8]) for r in rows if r[9] in inodes)


@case("an overrun of the netlink socket ends in the right state")
def overrun(lab):
    lab.links("a5")
    d = lab.daemon(CONF)
    settled(lab, d, True, "the start")
    d.proc.send_signal(signal.SIGSTOP)
    noise = ["link set a4 mtu 1400", "link set a4 mtu 1500"] * 500
    for _ in range(8):
        lab.ip_batch(noise)
        if drops(d.proc.pid):
            break
    else:
        raise Skip("the socket takes all events")
    lab.ip_batch(["link del a5", *make_a5(), "link set a5 down", "link set a5 name b5", "link set a2 down",
                  "link set a2 name a5", "link set a5 up", "link set b5 name a2", "link set a2 up"])
    d.proc.send_signal(signal.SIGCONT)
    settled(lab, d, True, "the overrun")
    with lab.at(HOST):
        lab.ip_batch(["link set eth0 up", "addr replace 10.5.0.2/24 dev eth0"])
    # The two have changed places: what goes to a5 is seen by the host of the old a2.
    lab.open_host(HOST)
    lab.settle("a2", "a5")
    lab.senders["hb"], lab.senders[HOST] = lab.senders[HOST], lab.senders["hb"]
    lab.receivers["hb"], lab.receivers[HOST] = lab.receivers[HOST], lab.receivers["hb"]
    flows(lab)


if __name__ == "__main__":
    main()
