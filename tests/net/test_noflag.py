# SPDX-License-Identifier: ISC
#
# Interfaces without the MULTICAST flag, as WireGuard, ppp and tun come: named in full, rules and
# memberships work on them both ways.
import fcntl
import os
import struct

from cases import case, main
from lab import Skip, same, wait_until
from packet import address, find, frame
from reports import IS_EX, TO_EX, TO_IN, Wire, changes, message

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
# A source behind the interface, one behind a1; groups in, out, joined, for one source, for a wildcard.
V4 = ("10.77.0.9", "10.1.0.9", "225.1.1.1", "225.1.1.2", "225.1.1.3", "232.1.1.1", "225.1.1.4")
V6 = ("fd00:77::9", "fd00:1::9", "ff0e::1", "ff0e::2", "ff0e::3", "ff3e::1", "ff0e::4")


class Tun:
    """A tun device: packets for it are read from a file, what is written there comes in."""

    def __init__(self, lab, name):
        try:
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        except OSError as e:
            raise Skip(f"no tunnel here: {e.strerror}") from None
        lab.ip_batch([f"link set {name} multicast off", f"addr add 10.77.0.1/24 dev {name}",
                      f"addr add fd00:77::1/64 dev {name} nodad", f"link set {name} up"])
        self.packets = []

    def read(self):
        """All packets that went out so far."""
        try:
            while True:
                self.packets.append(os.read(self.fd, 2048))
        except BlockingIOError:
            return self.packets

    def reports(self):
        """Those of them that are IGMP or MLD, as reports.message() has them."""
        ethernet = {4: bytes(12) + b"\x08\0", 6: bytes(12) + b"\x86\xdd"}
        return list(filter(None, (message(ethernet[p[0] >> 4] + p) for p in self.read())))

    def send(self, src, group, n=1, first=0):
        for i in range(first, first + n):
            os.write(self.fd, frame(src, group, 16, i)[14:])

    def arrived(self, src, group):
        """Numbers of the packets of a flow that went out with a TTL one less."""
        keys = [find(p) for p in self.read()]
        return sorted(k[3] for k in keys if k and k[:3] == (address(src), address(group), 15))


def flags(lab, name):
    return lab.ip("link", "show", "dev", name).split("<")[1].split(">")[0].split(",")


def conf(name, behind, local, into, out, joined, single, wild):
    return (f"mroute from {name} group {into} to a2\nmroute from a1 group {out} to {name}\n"
            f"mroute from a1 group {wild} to {name[:-1]}+ a2\nmroute from {name} source {behind} group {single} to a2\n"
            f"mgroup from {name} group {joined}\nmgroup from {name} source {behind} group {single}\n")


def reported(found, d, name, joined, single, other):
    """What the file has joined is reported, and what a client joins and leaves."""
    wait_until(lambda: TO_EX in changes(found(), joined), f"a report of {joined}")
    wait_until(lambda: changes(found(), single), f"a report of {single}")
    d.do("join", name, other)
    wait_until(lambda: TO_EX in changes(found(), other), f"a report of {other}")
    d.do("leave", name, other)
    wait_until(lambda: TO_IN in changes(found(), other), f"a report that {other} is left")
    same(TO_IN in changes(found(), joined), False, f"{joined} is left")


@case("a tun device, IPv4", V4, "225.1.1.9")
@case("a tun device, IPv6", V6, "ff0e::9")
def tun(lab, names, other):
    behind, local, into, out, joined, single, wild = names
    t = Tun(lab, "t0")
    same("MULTICAST" in flags(lab, "t0"), False, "the flag")
    d = lab.daemon(conf("t0", *names) + "phyint t0 refresh 1\n")
    for group in (into, single):
        # The kernel holds few back until the daemon has said where they go.
        t.send(behind, group)
        lab.wait((behind, group, 16, [0]), "a2")
        t.send(behind, group, 19, 1)
        lab.expect((behind, group, 16, range(20)), "a2")
    numbers = list(lab.send("a1", local, out)[3])
    wait_until(lambda: t.arrived(local, out) == numbers, "the first packet out of the tunnel")
    numbers += lab.send("a1", local, out, 19)[3]
    wait_until(lambda: t.arrived(local, out) == numbers, "20 packets out of the tunnel")
    # A wildcard takes interfaces that have the flag.
    lab.passes("a1", local, wild, "a2")
    same(t.arrived(local, wild), [], "packets out of the tunnel that no rule names")
    reported(t.reports, d, "t0", joined, single, other)
    wait_until(lambda: changes(t.reports(), joined).count(IS_EX) > 1, f"{joined} to be refreshed")


@case("a veth pair with multicast off, IPv4", V4, "225.1.1.9")
@case("a veth pair with multicast off, IPv6", V6, "ff0e::9")
def veth(lab, names, other):
    behind, local, into, out, joined, single, wild = names
    lab.ip("link", "set", "a3", "multicast", "off")
    with lab.at("hc"):
        lab.ip("link", "set", "eth0", "multicast", "off")
    same("MULTICAST" in flags(lab, "a3"), False, "the flag")
    wire = Wire(lab, "hc")
    d = lab.daemon(conf("a3", *names).replace("a+", "a3+") + "phyint a3 refresh 1\n")
    lab.passes("a3", behind, into, "a2")
    lab.passes("a3", behind, single, "a2")
    lab.passes("a1", local, out, "a3")
    lab.passes("a1", local, wild, "a2")
    reported(wire.read, d, "a3", joined, single, other)
    wire.wait(joined, n=2)


if __name__ == "__main__":
    main()
