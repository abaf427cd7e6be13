# SPDX-License-Identifier: ISC
#
# Reports and queries of IGMP and MLD as they are seen on the wire.
import contextlib
import socket
import struct
import subprocess

from lab import ETH_P_ALL, PACKET_OUTGOING, Failed, Skip, check, same, wait_until
from packet import address, checksum

QUERY, IGMP1, IGMP2, IGMP3, LEAVE4, MLD1, MLD2, LEAVE6 = 0x11, 0x12, 0x16, 0x22, 0x17, 131, 143, 132
ADVERT, TERM = (0x30, 151), (0x32, 153)
MRDISC = ADVERT + TERM
IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = 1, 2, 3, 4, 5, 6


def sum6(src, dst, data):
    """0 over an ICMPv6 message with the right checksum in it."""
    return checksum(src + dst + struct.pack("!II", len(data), 58) + data)


def igmp(kind, group, src, dst, code=0, ttl=1, mac=b"\2\0\0\0\0\x77", spoil=0):
    m = struct.pack("!BBH4s", kind, code, 0, group)
    m = m[:2] + struct.pack("!H", checksum(m) ^ spoil) + m[4:]
    head = struct.pack("!BBHHHBBH4s4s4s", 0x46, 0, 32, 0, 0, ttl, 2, 0, src, dst, b"\x94\4\0\0")
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return b"\1\0\x5e" + bytes([dst[1] & 0x7F]) + dst[2:] + mac + b"\x08\0" + head + m


def mld_query(group, src, hops=1, mac=b"\2\0\0\0\0\x77", spoil=0):
    dst = address("ff02::1") if not any(group) else group
    m = struct.pack("!BBHHH16s", 130, 0, 0, 100, 0, group)
    m = m[:2] + struct.pack("!H", sum6(src, dst, m) ^ spoil) + m[4:]
    head = struct.pack("!IHBB16s16s", 6 << 28, 8 + len(m), 0, hops, src, dst) + b"\x3a\0\5\2\0\0\1\0"
    return b"\x33\x33" + dst[12:] + mac + b"\x86\xdd" + head + m


def message(data):
    """(family, message, IP header with options) of IGMP or MLD in a frame, or None."""
    if data[12:14] == b"\x08\0" and data[23] == 2:
        head = (data[14] & 15) * 4
        return 4, data[14 + head:14 + struct.unpack_from("!H", data, 16)[0]], data[14:14 + head]
    if data[12:14] == b"\x86\xdd" and data[20] == 0 and data[54] == 58:
        return 6, data[62:54 + struct.unpack_from("!H", data, 18)[0]], data[14:62]
    return None


def records(family, m):
    """[(type, group, [source])] of a report of the newest version."""
    size, at, found = 4 if family == 4 else 16, 8, []
    for _ in range(struct.unpack_from("!H", m, 6)[0]):
        kind, _, n = struct.unpack_from("!BBH", m, at)
        words = [m[at + 4 + i * size:at + 4 + (i + 1) * size] for i in range(n + 1)]
        found.append((kind, words[0], words[1:]))
        at += 4 + (n + 1) * size
    same(at, len(m), "length of a report")
    return found


def changes(found, group):
    """What reports say of a group when somebody joins or leaves it: types of records of the newest version."""
    return [kind for family, m, _ in found if m[0] in (IGMP3, MLD2)
            for kind, g, _ in records(family, m) if g == address(group)]


def reported(wire, start=0):
    """Groups in reports and leaves of the newest versions."""
    return [g for family, m, _ in wire.read()[start:] if m[0] in (IGMP3, MLD2) for _, g, _ in records(family, m)]


def reports_twice(wire, group, start):
    """Until a group that somebody has joined was reported as often as is usual: what was to be said before was said."""
    wait_until(lambda: reported(wire, start).count(address(group)) >= 2, f"two reports of {group}")


class Wire:
    """What a host hears of IGMP and MLD from the router: (family, message, header) of each."""

    def __init__(self, lab, host="ha", dev="eth0"):
        with lab.at(host):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
        self.sock.bind((dev, ETH_P_ALL))
        self.sock.setblocking(False)
        self.heard, self.queries, self.mrdisc = [], {4: 0, 6: 0}, []

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                data, where = self.sock.recvfrom(2048)
                found = message(data)
                if not found or found[1][0] in (QUERY, 130):
                    if found:
                        self.queries[found[0]] += 1
                elif found[1][0] in MRDISC:
                    self.mrdisc.append(found[1][0])
                elif where[2] != PACKET_OUTGOING and found[1][0] in (IGMP1, IGMP2, IGMP3, LEAVE4, MLD1, MLD2, LEAVE6):
                    self.heard.append(found)
        return self.heard

    def is_quiet(self, seconds=1.5):
        """True when nothing has come for so long: a join is reported again within a second (RFC 3376, 8.11)."""
        n = len(self.read())
        with contextlib.suppress(Failed):
            return not wait_until(lambda: len(self.read()) > n, "silence", seconds)
        return True

    def again(self, group, after=0):
        """Current-state records and old reports of a group, which follow no change."""
        g, found = address(group), []
        for family, m, head in self.read()[after:]:
            if m[0] in (IGMP3, MLD2):
                found += [(family, m, head)] * ((IS_EX, g, []) in records(family, m))
            elif m[-len(g):] == g and m[0] not in (LEAVE4, LEAVE6):
                found.append((family, m, head))
        return found

    def wait(self, group, after=0, n=1):
        return wait_until(lambda: len(self.again(group, after)) >= n and self.again(group, after)[n - 1],
                          f"report number {n} of {group}")

    def no_leave(self):
        for family, m, _ in self.read():
            check(m[0] not in (LEAVE4, LEAVE6), "a leave on the wire")
            if m[0] in (IGMP3, MLD2):
                for kind, group, sources in records(family, m):
                    check(kind in (IS_IN, IS_EX, ALLOW) or (kind == TO_EX and not sources),
                          f"a record of type {kind} for {group}")


def snooping_bridge(lab, *options):
    """Between the router's a1 and s1, a further port, from where packets come; options one after the other."""
    if subprocess.run(["bridge", "-V"], stdout=subprocess.DEVNULL, check=False).returncode:
        raise Skip("no bridge(8) here")
    with lab.at("ha"):
        # A querier of MLD without an address asks again after half a minute: br_ip6_multicast_alloc_query().
        lab.ip_batch(["link add br0 type bridge mcast_snooping 1", "addr add fe80::b0/64 dev br0 nodad"] +
                     [f"link set br0 type bridge {option}" for option in options] +
                     ["link add s0 type veth peer name s1", "link set s0 master br0", "link set eth0 master br0",
                      "link set br0 up", "link set s0 up", "link set s1 up"])
        tx = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    tx.bind(("s1", 0))
    return tx
