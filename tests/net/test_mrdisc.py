# SPDX-License-Identifier: ISC
#
# Router discovery (RFC 4286) by the daemon: seen on the wire byte by byte, and
# believed by a Linux bridge that snoops.
import contextlib
import os
import socket
import struct
import subprocess

from cases import case, main
from lab import ETH_P_ALL, PACKET_OUTGOING, SLOW, SMCROUTE, Daemon, Skip, check, note, same, wait_until
from packet import address, checksum, frame
from reports import snooping_bridge, sum6
from ways import Keeper, Takeover

ADVERT, SOLICIT, TERM = 0, 1, 2
TYPES = {4: (0x30, 0x31, 0x32), 6: (151, 152, 153)}
SNOOPERS = {4: address("224.0.0.106"), 6: address("ff02::6a")}
ROUTERS = {4: address("224.0.0.2"), 6: address("ff02::2")}
CONF4 = "mroute from a1 group 225.1.1.1 to a2\n"
CONF6 = "mroute from a1 group ff2e::11 to a2\n"


def with_mrdisc(lab):
    """Skips a case where the program cannot do it."""
    if "-mrdisc" in lab.run(SMCROUTE, "smcrouted", "-v")[1]:
        raise Skip("built without")


class Wire:
    """Router discovery as a host hears it: (family, kind, message, frame) of each."""

    def __init__(self, lab, host, dev="eth0"):
        with_mrdisc(lab)
        with lab.at(host) if host else contextlib.nullcontext():
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.bind((dev, ETH_P_ALL))
        self.sock.setblocking(False)
        self.heard = []

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                data, where = self.sock.recvfrom(2048)
                if where[2] == PACKET_OUTGOING:
                    continue
                if data[12:14] == b"\x08\0" and data[23] == 2:
                    self.add(4, data, data[14 + (data[14] & 15) * 4:14 + struct.unpack_from("!H", data, 16)[0]])
                elif data[12:14] == b"\x86\xdd" and data[20] == 0 and data[54] == 58:
                    self.add(6, data, data[62:54 + struct.unpack_from("!H", data, 18)[0]])
        return self.heard

    def add(self, family, data, message):
        if message[0] in TYPES[family]:
            self.heard.append((family, TYPES[family].index(message[0]), message, data))

    def find(self, family, kind, after=0):
        return [h for h in self.read()[after:] if h[:2] == (family, kind)]

    def wait(self, family, kind, after=0, n=1, seconds=None):
        """The n-th such message behind the first `after` of all."""
        return wait_until(lambda: len(self.find(family, kind, after)) >= n and self.find(family, kind, after)[n - 1],
                          f"IPv{family} {('advertisement', 'solicitation', 'termination')[kind]} number {n}", seconds)

    def rouse(self, family, after=0, n=1):
        """Asks until there are n advertisements; how often."""
        sent = 0

        def answered():
            nonlocal sent
            for _ in range(10):
                self.solicit(family)
            sent += 10
            return len(self.find(family, ADVERT, after)) >= n
        wait_until(answered, f"IPv{family} answer number {n}", 2 * SLOW)
        return sent

    def solicit(self, family, mac=b"\2\0\0\0\0\x77", ttl=1):
        if family == 4:
            src, message = address("10.1.0.2"), struct.pack("!BBH", 0x31, 0, 0xceff)
            head = struct.pack("!BBHHHBBH4s4s4s", 0x46, 0, 28, 0, 0, ttl, 2, 0, src, ROUTERS[4], b"\x94\4\0\0")
            data = head[:10] + struct.pack("!H", checksum(head)) + head[12:] + message
            self.sock.send(b"\1\0\x5e\0\0\2" + mac + b"\x08\0" + data)
        else:
            src, message = address("fe80::2"), struct.pack("!BBH", 152, 0, 0)
            message = message[:2] + struct.pack("!H", sum6(src, ROUTERS[6], message))
            data = struct.pack("!IHBB16s16s", 6 << 28, 12, 0, ttl, src, ROUTERS[6]) + b"\x3a\0\5\2\0\0\1\0" + message
            self.sock.send(b"\x33\x33\0\0\0\2" + mac + b"\x86\xdd" + data)


# ---- a bridge that snoops ----

def bridge(lab):
    with_mrdisc(lab)
    # A querier waits for the length of a response before it filters: br_multicast_set_querier().  Less
    # than 0.1 s would be 0 in an IGMP query, which makes it one of version 1, answered within 10 s.
    return snooping_bridge(lab, "mcast_query_response_interval 10", "mcast_querier 1")


def router_ports(lab):
    with lab.at("ha"):
        out = subprocess.run(["bridge", "-d", "mdb", "show"], check=True, text=True, stdout=subprocess.PIPE).stdout
    return [word for line in out.splitlines() if "router ports on br0" in line for word in line.split()]


def believed(lab, src, unjoined, member):
    """Without an advertisement only joined groups reach us, with one all of them do."""
    tx = bridge(lab)
    conf = (f"mgroup from a1 group {member}\nmroute from a1 group {member} to a2\n"
            f"mroute from a1 group {unjoined} to a2\n")
    d = Daemon(lab, conf)

    def send(group, first, n):
        for i in range(first, first + n):
            tx.send(frame(src, group, 16, i))

    def until_arrived(group, first):
        """Sends until one comes out of a2; how many have."""
        numbers = iter(range(first, first + 100000))
        def arrived():
            send(group, next(numbers), 1)
            lab.collect()
            return lab.arrived("a2", (src, group, 16, range(first, first + 100000)))
        return wait_until(arrived, f"packets to {group} on a2")

    until_arrived(member, 0)
    # Before the queriers have spoken the bridge floods; then an unjoined group stays out.
    first = [1000000]
    def filtered():
        first[0] += 1000
        send(unjoined, first[0], 20)
        until_arrived(member, first[0])
        lab.collect()
        return not lab.arrived("a2", (src, unjoined, 16, range(first[0], first[0] + 20)))
    wait_until(filtered, "the bridge to filter")
    same([w for w in router_ports(lab) if w == "eth0"], [], "router ports")
    lab.write(d.name + ".conf", conf + "phyint a1 mrdisc\n")
    same(d.ctl("reload")[0], 0, "reload")
    wait_until(lambda: "eth0" in router_ports(lab), "our port among the router ports")
    until_arrived(unjoined, 10000000)
    d.stop()
    tx.close()


case("a snooping bridge believes an IPv4 advertisement alone", "10.1.0.9", "225.7.7.7", "225.1.1.1")(believed)
case("a snooping bridge believes an IPv6 advertisement alone", "fd00:1::9", "ff2e::77", "ff2e::11")(believed)


# ---- on the wire ----

@case("advertisements, byte by byte; the initial ones; both families; -m")
def fields(lab):
    wire = Wire(lab, "ha")
    d = Daemon(lab, "phyint a1 mrdisc\n" + CONF4 + CONF6, ["-m", "4"])
    mac = bytes.fromhex(lab.ip("-br", "link", "show", "dev", "a1").split()[2].replace(":", ""))
    link_local = wait_until(lambda: [line.split()[1].split("/")[0] for line in
                                     lab.ip("-6", "addr", "show", "dev", "a1", "scope", "link").splitlines()
                                     if "inet6" in line], "a link-local address")[0]
    for kind, length in ((ADVERT, 8), (TERM, 4)):
        if kind == TERM:
            same(d.stop(), 0, "exit status")
        family, _, message, data = wire.wait(4, kind)
        ip = data[14:]
        same(data[:12], b"\1\0\x5e\0\0\x6a" + mac, "MAC addresses")
        same((ip[0], ip[8], ip[9], ip[20:24]), (0x46, 1, 2, b"\x94\4\0\0"), "IHL, TTL, protocol, Router Alert")
        same((ip[12:16], ip[16:20]), (address("10.1.0.1"), SNOOPERS[4]), "addresses")
        same((len(message), checksum(message), checksum(ip[:24])), (length, 0, 0), "length, checksums")
        same(message[:2] + message[4:], b"\x30\4\0\0\0\0" if kind == ADVERT else b"\x32\0", "IGMP message")
        family, _, message, data = wire.wait(6, kind)
        ip = data[14:]
        same(data[:12], b"\x33\x33\0\0\0\x6a" + mac, "MAC addresses")
        same((ip[0] >> 4, ip[6], ip[7], ip[40:48]), (6, 0, 1, b"\x3a\0\5\2\0\0\1\0"),
             "version, next header, hop limit, Router Alert")
        same((ip[8:24], ip[24:40]), (address(link_local), SNOOPERS[6]), "addresses")
        same((len(message), sum6(ip[8:24], ip[24:40], message)), (length, 0), "length, checksum")
        same(message[:2] + message[4:], b"\x97\4\0\0\0\0" if kind == ADVERT else b"\x99\0", "ICMPv6 message")
    same([h[:2] for h in wire.read()[-2:]], [(6, TERM), (4, TERM)] if wire.heard[-1][0] == 4 else
         [(4, TERM), (6, TERM)], "the last two messages")


@case("three advertisements at the start, on routed interfaces with the flag, in the families routed there")
def initial(lab):
    wires = {i: Wire(lab, lab.host(i)) for i in ("a1", "a2", "a3", "a4")}
    # The fourth is minutes away.
    Daemon(lab, "phyint a1 mrdisc\nphyint a3 mrdisc\nphyint a4 mrdisc\n" + CONF4
           + "mroute from a4 group ff2e::11 to a2\n", ["-m", "180"])
    wires["a1"].wait(4, ADVERT, n=3, seconds=2 * SLOW)
    wires["a4"].wait(6, ADVERT, n=3, seconds=2 * SLOW)
    same({i: [h[:2] for h in w.read()] for i, w in wires.items()},
         {"a1": [(4, ADVERT)] * 3, "a2": [], "a3": [], "a4": [(6, ADVERT)] * 3}, "heard")


@case("solicitations are answered, of a flood of them only some")
def solicited(lab):
    wire = Wire(lab, "ha")
    Daemon(lab, "phyint a1 mrdisc\n" + CONF4 + CONF6, ["-m", "180"])
    for family in (4, 6):
        # Of eight three are the initial ones, the next is minutes away.
        wire.wait(family, ADVERT)
        sent = wire.rouse(family, n=9)
        answers = len(wire.find(family, ADVERT)) - 1
        check(answers <= sent / 2, f"{answers} answers to {sent} solicitations")
        note(f"measured: IPv{family}, {sent} solicitations, {answers} answers")


@case("a solicitation from farther away than this link has no answer")
def far(lab):
    wires = Wire(lab, "ha"), Wire(lab, "hb")
    Daemon(lab, "phyint a1 mrdisc\nphyint a2 mrdisc\n" + CONF4 + CONF6, ["-m", "180"])
    for family in (4, 6):
        # Of three initial ones the next is minutes away.
        for wire in wires:
            wire.wait(family, ADVERT, n=3, seconds=2 * SLOW)
        before = [len(wire.read()) for wire in wires]
        wires[0].solicit(family, ttl=2)
        # One socket hears both: an answer to the first would be here before that to the second.
        wires[1].rouse(family, before[1])
        same(len(wires[0].find(family, ADVERT, before[0])), 0, f"IPv{family} answers")


@case("termination: on a reload without the flag, on disable, when the daemon ends")
def terminated(lab):
    wire = Wire(lab, "ha")
    d = Daemon(lab, "phyint a1 mrdisc\n" + CONF4 + CONF6)

    def step(conf):
        before = len(wire.read())
        if conf is None:
            same(d.stop(), 0, "exit status")
        else:
            lab.write(d.name + ".conf", conf + CONF4 + CONF6)
            same(d.ctl("reload")[0], 0, "reload")
        return before

    for conf in ("", "phyint a1 disable mrdisc\n", None):
        before = step("phyint a1 mrdisc\n") if conf != "" else 0
        wire.rouse(4, before)
        wire.rouse(6, before)
        before = step(conf)
        for family in (4, 6):
            wire.wait(family, TERM, before)
            same(len(wire.find(family, TERM, before)), 1, "terminations")
    same([h[1] for h in wire.read()[-2:]], [TERM, TERM], "the last messages")


@case("who takes over ends it where it is no longer wanted, begins it where it is new, goes on elsewhere", Takeover)
@case("the same when the keeper starts it again", Keeper)
def followed(lab, kind):
    routes = "mroute from a1 group 225.1.1.1 to a2 a3\nmroute from a1 group ff2e::11 to a2 a3\n"
    old, new, same_as_before = (Wire(lab, host) for host in ("ha", "hb", "hc"))
    way = kind(lab, "phyint a1 mrdisc\nphyint a3 mrdisc\n" + routes, "-m", "180")
    d = way.start()
    for family in (4, 6):
        old.wait(family, ADVERT, n=3)
        same_as_before.wait(family, ADVERT, n=3)
    way.conf = "phyint a2 mrdisc\nphyint a3 mrdisc\n" + routes
    lab.write(d.name + ".conf", lab.MARKS + way.conf)
    before = len(same_as_before.read())
    d = way.follow(d)
    for family in (4, 6):
        old.wait(family, TERM)
        new.wait(family, ADVERT, n=3)
        same(len(old.find(family, TERM)), 1, f"IPv{family} terminations")
        # With -m 180 one may be due by chance, but not a new start's three.
        check(len(same_as_before.find(family, ADVERT, before)) <= 1, f"IPv{family} advertisements on a3")
        # Solicitations are heard by the socket that was handed over.
        same_as_before.rouse(family, before)
    same([h for w in (new, same_as_before) for h in w.read() if h[1] == TERM], [], "terminations on a2 and a3")


@case("an interface that comes late, gets its addresses later, loses them, goes and comes back")
def late(lab):
    d = Daemon(lab, "phyint b+ mrdisc\nmroute from b1 group 225.1.1.1 to a2\nmroute from b1 group ff2e::11 to a2\n")

    def make():
        lab.ip("link", "add", "b1", "type", "veth", "peer", "name", "p1")
        lab.sysctl("ipv6/conf/b1/addr_gen_mode", 1)
        lab.ip_batch(["link set p1 up", "link set b1 up"])
        wait_until(lambda: "b1: VIF" in d.log() and [i for i in d.json("interfaces")["interfaces"]
                                                    if i["name"] == "b1" and i["vif"] is not None], "b1 with a VIF")
        return Wire(lab, None, "p1")

    wire = make()
    d.do("ping")
    lab.ip("addr", "add", "10.77.0.1/24", "dev", "b1")
    same(wire.wait(4, ADVERT)[3][26:30], address("10.77.0.1"), "source")
    same(wire.find(6, ADVERT), [], "IPv6 advertisements without a link-local address")
    lab.ip("addr", "add", "fd00:77::1/64", "dev", "b1", "nodad")
    # An address that is being tried out, and is good in the end.
    lab.sysctl("ipv6/conf/b1/accept_dad", 1)
    lab.ip("addr", "add", "fe80::77/64", "dev", "b1")
    same(wire.wait(6, ADVERT)[3][22:38], address("fe80::77"), "source")
    # A new interface of that name, and its address already there.
    lab.ip("link", "del", "b1")
    wire = make()
    lab.ip_batch(["addr add 10.78.0.1/24 dev b1", "addr add fe80::78/64 dev b1 nodad"])
    same(wire.wait(4, ADVERT)[3][26:30], address("10.78.0.1"), "source")
    same(wire.wait(6, ADVERT)[3][22:38], address("fe80::78"), "source")
    lab.ip_batch(["addr del 10.78.0.1/24 dev b1", "addr add 10.79.0.1/24 dev b1"])
    before = len(wire.read())
    wire.solicit(4)
    same(wire.wait(4, ADVERT, before)[3][26:30], address("10.79.0.1"), "source")
    # Down and up.
    lab.ip("link", "set", "b1", "down")
    before = len(wire.read())
    lab.ip("link", "set", "b1", "up")
    wire.wait(4, ADVERT, before)
    # Another name: the wildcard does not mean it any more.
    before = len(wire.read())
    lab.ip("link", "set", "b1", "name", "c1")
    wire.wait(4, TERM, before)


@case("what is made again 33 times is still heard, and leaves no descriptor behind")
def again(lab):
    d = Daemon(lab, "phyint b1 mrdisc\nmroute from b1 group 225.1.1.1 to a2\n")
    def make():
        lab.ip_batch(["link add b1 type veth peer name p1", "addr add 10.77.0.1/24 dev b1", "link set p1 up",
                      "link set b1 up"])
    def vif():
        return [i for i in d.json("interfaces")["interfaces"] if i["name"] == "b1" and i["vif"] is not None]
    before = len(os.listdir(f"/proc/{d.proc.pid}/fd"))
    for _ in range(33):		# more than there can be VIFs
        make()
        wait_until(vif, "b1 with a VIF")
        lab.ip("link", "del", "b1")
        wait_until(lambda: not vif(), "b1 gone")
    wait_until(lambda: len(os.listdir(f"/proc/{d.proc.pid}/fd")) <= before, "the descriptors of before")
    make()
    wire = Wire(lab, None, "p1")
    wire.rouse(4, n=5)


def capabilities(d):
    with open(f"/proc/{d.proc.pid}/status") as f:
        return {w[0][:-1]: w[1] for w in (line.split() for line in f) if w[0] in ("CapEff:", "CapPrm:", "Uid:")}


@case("without any capability after the start: new interfaces, answers, the end", [])
@case("after -p nobody", ["-p", "nobody"])
def unprivileged(lab, options):
    with open("/proc/self/uid_map") as f:
        if options and int(f.read().split()[2]) < 65536:
            raise Skip("no nobody in this user namespace")
    d = Daemon(lab, "phyint b1 mrdisc\nmroute from b1 group 225.1.1.1 to a2\nmroute from b1 group ff2e::11 to a2\n",
               options)
    caps = capabilities(d)
    if int(caps["CapEff"], 16) or int(caps["CapPrm"], 16):
        raise Skip(f"capabilities are kept: {caps}")
    lab.ip_batch(["link add b1 type veth peer name p1", "addr add 10.77.0.1/24 dev b1", "link set p1 up",
                  "link set b1 up"])
    wire = Wire(lab, None, "p1")
    for family in (4, 6):
        wire.wait(family, ADVERT)
        wire.rouse(family, n=5)
    same(d.stop(), 0, "exit status")
    wire.wait(4, TERM)
    wire.wait(6, TERM)


if __name__ == "__main__":
    main()
