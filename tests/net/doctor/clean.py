# SPDX-License-Identifier: ISC
#
# Set-ups in which the packets flow: no error, whatever else goes on.
import socket
import struct

from doctor.table import NOISE, dropped, fragments, short, truth
from lab import wait_until
from packet import address
from sick import RULES

EXACT = "mroute from a1 source {} group {} to a2\n"
RANGES = "mroute from a1 group 225.0.0.0/8 to a2\nmroute from a1 group ff2e::/16 to a2\n"
KERNEL = RULES.replace(" to ", " kernel to ")
KINDS = {"one source": lambda t: EXACT.format(t.src, t.group), "any source": lambda t: RULES,
         "a range": lambda t: RANGES, "in the kernel": lambda t: KERNEL,
         "three outputs": lambda t: RULES.replace("to a2", "to a2 a3 a4")}


for kind, conf in KINDS.items():
    @truth(f"clean, {kind}", "fine")
    def plain(t, conf=conf):
        t.start(conf(t))
        t.stream().flows("a2")


for what, noise in (("another group is dropped on purpose", dropped), ("another group with TTL 1", short)):
    @truth(f"clean, a range: {what}", "fine")
    def noisy(t, noise=noise):
        t.start(RANGES)
        t.stream().flows("a2")
        noise(t)


@truth("clean, and all of it at once", "fine")
def everything(t):
    t.start(RANGES)
    t.stream().flows("a2")
    for noise in NOISE.values():
        noise(t)


@truth("clean: a source is stopped on purpose", "fine")
def stopped(t):
    bad = "10.1.0.66" if t.v4 else "fd00:1::66"
    t.start(RULES + f"mroute from a1 source {bad} group {t.group}\n")
    t.stream().flows("a2")
    t.stream(src=bad)


@truth("clean: others send where no rule is, and from sources that no rule is for", "fine")
def unasked(t):
    t.lab.links("a5")
    other = "10.1.0.44" if t.v4 else "fd00:1::44"
    t.start(EXACT.format(t.src, t.group) + "mroute from a1 group 225.9.9.9 to a2\nmroute from a1 group ff2e::9 to a2\n")
    t.stream().flows("a2")
    t.stream(src=other)
    t.stream("a3", src="10.3.0.9" if t.v4 else "fd00:3::9")
    t.stream("a5", src="10.5.0.9" if t.v4 else "fd00:5::9")


@truth("clean: it comes in on another interface too", "fine")
def twice(t):
    t.start(EXACT.format(t.src, t.group))
    t.stream().flows("a2")
    t.stream("a3")


@truth("clean: chains that drop others, may drop, or are empty", "fine")
def chains(t):
    t.start(RULES)
    t.nft("table inet a { set s { type ipv4_addr; elements = { 225.9.9.9 } }\n"
          "chain f { type filter hook forward priority 0; policy accept; ip daddr @s drop; ip6 daddr ff2e::9 drop;\n"
          "ct state vmap { invalid : drop, established : accept }; limit rate over 10000/second drop;\n}\n"
          "chain e { type filter hook prerouting priority -300; policy accept;\n}\n"
          "chain p { type filter hook postrouting priority 0; policy accept; oifname \"a9\" drop;\n}\n}\n")
    t.stream().flows("a2")


@truth("clean: TTL 1, raised by a rule here", "fine")
def raised(t):
    t.start(RULES)
    what = "ip ttl set 16" if t.v4 else "ip6 hoplimit set 16"
    t.chain("prerouting", [f"ip{t.six} daddr {t.group} {what}"], priority=-150)
    t.stream(ttl=1).flows("a2")


for tracked in (False, True):
    @truth(f"clean: packets in fragments{', put together by connection tracking' if tracked else ''}", "fine",
           families=("IPv4",))
    def cut(t, tracked=tracked):
        t.start(RULES)
        if tracked:
            t.chain("forward", ["ct state invalid drop"])
        number = iter(range(1 << 20))
        tx = t.lab.senders["ha"]
        t.repeat(lambda: [tx.send(f) for f in fragments(t.src, t.group, next(number))], 0.02)
        wait_until(lambda: t.lab.counted(t.src, t.group) > 5, "fragments to be forwarded")


@truth("clean: bursts between pauses", "fine")
def bursts(t):
    t.start(RULES)
    t.stream().flows("a2")
    t.repeat(lambda: t.lab.send("a1", t.src, t.group, 200), 0.2)


@truth("clean: a hundred sources at once", "fine")
def many(t):
    t.start(RULES)
    t.stream().flows("a2")
    sources = [f"10.1.2.{i + 1}" if t.v4 else f"fd00:1::2:{i + 1:x}" for i in range(100)]
    t.repeat(lambda: [t.lab.send("a1", s, t.group) for s in sources], 0.1)


MRT_INIT, MRT_ADD_VIF, MRT_ADD_MFC, VIFF_USE_IFINDEX = 200, 202, 204, 8


@truth("clean, and another program routes", "fine")
def foreign(t):
    s = t.enter_context(socket.socket(socket.AF_INET if t.v4 else socket.AF_INET6, socket.SOCK_RAW,
                                      socket.IPPROTO_IGMP if t.v4 else socket.IPPROTO_ICMPV6))
    level, ends = (0 if t.v4 else 41), (address(t.src), address(t.group))
    s.setsockopt(level, MRT_INIT, struct.pack("i", 1))
    for vif, name in enumerate(("a1", "a2")):
        index = socket.if_nametoindex(name)
        s.setsockopt(level, MRT_ADD_VIF, struct.pack("HBBIi4x", vif, VIFF_USE_IFINDEX, 1, 0, index) if t.v4 else
                     struct.pack("HBBHI", vif, 0, 1, index, 0))
    if t.v4:
        s.setsockopt(level, MRT_ADD_MFC, struct.pack("4s4sH32s2x3Ii", *ends, 0, b"\0\1" + bytes(30), 0, 0, 0, 0))
    else:
        sockaddr = [struct.pack("HHI16sI", socket.AF_INET6, 0, 0, a, 0) for a in ends]
        s.setsockopt(level, MRT_ADD_MFC, b"".join(sockaddr) + struct.pack("H2xI28x", 0, 1 << 1))
    t.stream().flows("a2")
