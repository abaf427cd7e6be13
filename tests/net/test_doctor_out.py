# SPDX-License-Identifier: ISC
#
# smcroute-check doctor, where packets end after routing: each case is set
# up for real.  It has to be named, and the commands that are printed, run as
# printed, have to make the packets flow; then they are said to be forwarded.
import fcntl
import struct

from cases import case, main
from lab import Skip, same
from packet import address
from sick import RULES, V4, V6, Stream, cured, daemon, doctor, doctors, need, paste

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000

for name, flow in (("IPv4", V4), ("IPv6", V6)):
    for tool in ("nft", "iptables"):
        @case(f"TTL too small, {name}, mended by {tool}", tool, *flow)
        def ttl(lab, tool, src, group):
            need(tool)
            daemon(lab, RULES)
            with Stream(lab, "a1", src, group, ttl=1) as s:
                cured(lab, s, "ttl", group, "a2", other=tool == "iptables")

    @case(f"too large for the output, {name}", *flow)
    def mtu(lab, src, group):
        daemon(lab, RULES)
        lab.ip("link", "set", "a2", "mtu", "1300")
        with Stream(lab, "a1", src, group, size=1400) as s:
            cured(lab, s, "mtu", group, "a2")


@case("TTL not above the threshold of the output")
def threshold(lab):
    need("nft")
    daemon(lab, RULES + "phyint a2 ttl-threshold 64\n")
    with Stream(lab, "a1", *V4) as s:
        cured(lab, s, "ttl", V4[1], "a2")


@case("several sources, one of them with a TTL of 1")
def several(lab):
    daemon(lab, RULES)
    with Stream(lab, "a1", "10.1.0.8", V4[1]) as good, Stream(lab, "a1", "10.1.0.9", V4[1], ttl=1):
        good.flows("a2")
        rc, verdicts = doctor(lab, V4[1])[:2]
        same((rc, sorted(verdicts)), (1, ["fine", "ttl"]), "verdicts")


@case("too large for a tunnel: there packets are cut, its MTU stays")
def tunnel(lab):
    need("nft")
    try:
        tun = open("/dev/net/tun", "r+b", buffering=0)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"t0", IFF_TUN | IFF_NO_PI))
    except OSError as e:
        raise Skip(f"no tunnel here: {e.strerror}") from None
    lab.ip_batch(["link set t0 mtu 1300 multicast on up"])
    daemon(lab, RULES.replace("to a2", "to t0"))
    with tun, Stream(lab, "a1", *V4, size=1400):
        (rc, verdicts, commands, _), blind = doctors(lab, V4[1])
        same((rc, verdicts, blind[:2]), (1, ["mtu"], (1, ["mtu"])), "verdict")
        paste(lab, commands)
        while address(V4[1]) not in tun.read(2000):
            pass
        same(doctor(lab, V4[1])[:2], (0, ["fine"]), "verdict afterwards")


@case("an output that is down")
def output(lab):
    daemon(lab, RULES.replace("to a2", "to a2 a3"))
    lab.ip("link", "set", "a3", "down")
    with Stream(lab, "a1", *V4) as s:
        s.flows("a2")
        cured(lab, s, "output", V4[1], "a2", "a3")


if __name__ == "__main__":
    main()
