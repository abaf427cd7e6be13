# SPDX-License-Identifier: ISC
#
# Packets of the network tests: built by hand, so that any source and TTL will do,
# with a number that tells each from all others.
import contextlib
import os
import socket
import struct

ETH_P_IP, ETH_P_IPV6 = 0x0800, 0x86DD
TAG = b"LAB!"


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def frame(src, group, ttl, number):
    """An Ethernet frame with a numbered UDP packet from any source to a group."""
    s, g, payload = address(src), address(group), TAG + struct.pack("!I", number)
    udp = struct.pack("!HHHH", 5000, 5000, 8 + len(payload), 0)
    if len(g) == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, ttl, 17, 0, s, g)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        mac, proto = b"\1\0\x5e" + bytes([g[1] & 0x7F]) + g[2:], ETH_P_IP
    else:
        pseudo = s + g + struct.pack("!II", 8 + len(payload), 17)
        udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp + payload) or 0xFFFF)
        head = struct.pack("!IHBB16s16s", 6 << 28, 8 + len(payload), 17, ttl, s, g)
        mac, proto = b"\x33\x33" + g[12:], ETH_P_IPV6
    return mac + b"\2\0\0\0\0\x77" + struct.pack("!H", proto) + head + udp + payload


def flood(tx, group, n):
    """One packet from each of n sources to an IPv4 group; only the address and the checksum differ."""
    p = bytearray(frame("11.0.0.0", group, 16, 0xFFFFFFFF))
    base = sum(int.from_bytes(p[i:i + 2], "big") for i in range(14, 34, 2) if i not in (24, 26, 28))
    for i in range(n):
        high, low = 0x0B00 + (i >> 16), i & 0xFFFF
        total = base + high + low
        total = (total >> 16) + (total & 0xFFFF)
        total = ~(total + (total >> 16)) & 0xFFFF
        p[24:30] = bytes((total >> 8, total & 255, high >> 8, high & 255, low >> 8, low & 255))
        tx.send(p)
    return checksum(bytes(p[14:34]))


def find(data):
    """(source, group, TTL, number) of an IP packet that frame() made, else None."""
    at = data.find(TAG)
    if at < 28:
        return None
    number, = struct.unpack_from("!I", data, at + len(TAG))
    if data[0] >> 4 == 4:
        return data[12:16], data[16:20], data[8], number
    return data[8:24], data[24:40], data[7], number


@contextlib.contextmanager
def one_cpu():
    """Keeps what is sent in one kernel queue, hence in order."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
