# SPDX-License-Identifier: ISC
#
# Set-ups in which packets are routed and do not come out, of one output or of all.
import subprocess

from doctor.table import THREE, begin, truth
from lab import Skip
from packet import frame
from sick import RULES, need, sized

@truth("TTL 1", "ttl")
def ttl(t):
    need("nft")
    begin(t, ttl=1)


@truth("TTL 1, mended by iptables", "ttl", cure="or")
def ttl_iptables(t):
    need("iptables")
    begin(t, ttl=1)


@truth("TTL 1 and another group beside it", "ttl", blind="maybe")
def ttl_beside(t):
    need("nft")
    begin(t, RULES + "mroute from a1 group 225.9.9.9 to a2\nmroute from a1 group ff2e::999 to a2\n", ttl=1)
    t.stream("a1", group=t.other).flows("a2")


@truth("one packet in ten has TTL 1", "ttl", blind="maybe", cure=None)
def ttl_some(t):
    begin(t)
    make = t.flow.make
    t.flow.make = lambda i: frame(t.src, t.group, 1, i) if i % 10 == 0 else make(i)


@truth("TTL set to 1 by a rule here", "ttl_changed", blind=(1, ["ttl"]), cure=None)
def ttl_set(t):
    begin(t)
    t.chain("prerouting", ["ip ttl set 1" if t.v4 else "ip6 hoplimit set 1"], priority=-150)


@truth("TTL below the threshold", "ttl", families=("IPv4",))
def threshold(t):
    need("nft")
    begin(t, RULES + "phyint a2 ttl-threshold 64\n")


@truth("TTL below the threshold of one output of three", "ttl", families=("IPv4",), outs=("a2", "a3", "a4"))
def threshold_one(t):
    need("nft")
    begin(t, THREE + "phyint a3 ttl-threshold 64\n")


@truth("TTL 1, and what leaves comes in again", "ttl", cure=None)
def ttl_mutual(t):
    begin(t, RULES + RULES.replace("a1", "a9").replace("a2", "a1").replace("a9", "a2"), ttl=1)


@truth("too large", "mtu")
def mtu(t):
    begin(t, size=1400)
    t.lab.ip("link", "set", "a2", "mtu", "1300")


@truth("too large for one output of three", "mtu", outs=("a2", "a3", "a4"))
def mtu_one(t):
    begin(t, THREE, size=1400)
    t.lab.ip("link", "set", "a3", "mtu", "1300")


@truth("too large for the route", "mtu", families=("IPv4",), blind="any", cure=None)
def mtu_route(t):
    t.lab.ip("route", "add", "multicast", "225.1.2.3", "dev", "a2", "mtu", "lock", "1000")
    begin(t, size=1400)


@truth("one packet in five too large", "mtu", blind="maybe", cure=None)
def mtu_some(t):
    begin(t)
    t.lab.ip("link", "set", "a2", "mtu", "1300")
    make = t.flow.make
    t.flow.make = lambda i: sized(t.src, t.group, 16, i, 1400) if i % 5 == 0 else make(i)


@truth("a queue that is too slow", "queue", blind="maybe", cure="or")
def slow(t):
    need("tc")
    begin(t, size=1000)
    if subprocess.run(["tc", "qdisc", "add", "dev", "a2", "root", "tbf", "rate", "40kbit", "burst", "1500", "limit",
                       "1500"]).returncode:
        raise Skip("this kernel has no tbf")


@truth("the output is down", "output")
def down(t):
    begin(t)
    t.lab.ip("link", "set", "a2", "down")


@truth("one output of three is down", "output", outs=("a2", "a3", "a4"))
def down_one(t):
    begin(t, THREE)
    t.lab.ip("link", "set", "a3", "down")


@truth("the output has no carrier", "output", cure=None)
def carrier(t):
    begin(t)
    with t.lab.at("hb"):
        t.lab.ip("link", "set", "eth0", "down")
    t.carrier_goes("a2")


@truth("one output of three has no carrier", "output", cure=None)
def carrier_one(t):
    begin(t, THREE)
    with t.lab.at("hc"):
        t.lab.ip("link", "set", "eth0", "down")
    t.carrier_goes("a3")


@truth("IPv6 is off at the output", "ipv6_off", families=("IPv6",), blind="maybe")
def family_off(t):
    begin(t)
    t.flow.flows("a2")
    t.sysctl("ipv6/conf/a2/disable_ipv6", 1)


@truth("a bridge whose ports a chain closes", "firewall", blind="any")
def bridge_filter(t):
    t.lab.ip_batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up", "link set a2 master br0"])
    begin(t, RULES.replace("to a2", "to br0"))
    t.chain("output", [f"ip{t.six} daddr {t.group} drop"], family="bridge")
