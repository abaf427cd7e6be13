# SPDX-License-Identifier: ISC
#
# A sender and a receiver of multicast, as an application would be one.
#
#	mcast.py send IFACE GROUP COUNT
#	mcast.py count IFACE COUNT GROUP...	join, say so, print what came of each
import select
import socket
import struct
import sys
import time

PORT, SECONDS = 5000, 10


def udp(group):
    return socket.socket(socket.AF_INET6 if ":" in group else socket.AF_INET, socket.SOCK_DGRAM)


def send(iface, group, count):
    s, index = udp(group), socket.if_nametoindex(iface)
    if ":" in group:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 8)
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("4s4si", b"", b"", index))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
    for i in range(int(count)):
        s.sendto(f"packet {i}".encode(), (group, PORT))
        time.sleep(0.01)


def count(iface, want, *groups):
    index, got = socket.if_nametoindex(iface), {}
    for group in groups:
        s = udp(group)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((group, PORT))
        address = socket.inet_pton(s.family, group)
        if ":" in group:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, address + struct.pack("I", index))
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4si", address, b"", index))
        got[s] = [group, 0]
    print("listening", flush=True)
    end = time.monotonic() + SECONDS
    while any(n < int(want) for _, n in got.values()) and time.monotonic() < end:
        for s in select.select(list(got), [], [], 0.5)[0]:
            s.recv(2048)
            got[s][1] += 1
    for group, n in got.values():
        print(f"{group}: {n} of {want} packets received")
    sys.exit(any(n != int(want) for _, n in got.values()))


{"send": send, "count": count}[sys.argv[1]](*sys.argv[2:])
