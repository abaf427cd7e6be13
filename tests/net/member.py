# SPDX-License-Identifier: ISC
#
# Memberships of another program than the daemon.
import contextlib
import socket
import struct

MCAST_JOIN_GROUP, MCAST_BLOCK_SOURCE, MCAST_JOIN_SOURCE_GROUP = 42, 43, 46


@contextlib.contextmanager
def member(iface, group, *sources, block=False):
    """A socket of another program that is a member, of these sources alone or of all others.
    Gives a function that sets further options: (option, group, source)."""
    six = ":" in group

    def where(address):
        if six:
            return struct.pack("HHI16sI100x", socket.AF_INET6, 0, 0, socket.inet_pton(socket.AF_INET6, address), 0)
        return struct.pack("HH4s120x", socket.AF_INET, 0, socket.inet_aton(address))

    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as s:
        def ask(option, *addresses):
            s.setsockopt(socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP, option,
                         struct.pack("I4x", socket.if_nametoindex(iface)) + b"".join(map(where, addresses)))
        if block or not sources:
            ask(MCAST_JOIN_GROUP, group)
        for source in sources:
            ask(MCAST_BLOCK_SOURCE if block else MCAST_JOIN_SOURCE_GROUP, group, source)
        yield ask
