# SPDX-License-Identifier: ISC
#
# Set-ups in which packets are routed and do not come out, of one output or of all.
import subprocess

from doctor.table import UNSURE, drop, truth
from lab import Skip, wait_until
from packet import frame
from sick import RULES, need, sized

THREE = RULES.replace("to a2", "to a2 a3 a4")


def begin(t, conf=RULES, **kw):
    t.start(conf)
    t.stream(**kw)


@truth("TTL 1", "ttl")
def ttl(t):
    need("nft")
    begin(t, ttl=1)


@truth("TTL 1, mended by iptables", "ttl", cure="or")
def ttl_iptables(t):
    need("iptables")
    begin(t, ttl=1)


@truth("TTL 1 and another group beside it", "ttl", blind=UNSURE)
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


for family in ("inet", "ip", "netdev"):
    for hook in ("forward", "postrouting", "egress"):
        if (family == "netdev") != (hook == "egress"):
            continue

        BLIND = (1, ["lost"]) if family == "netdev" else None

        @truth(f"a chain of family {family} at {hook} drops it", "firewall", blind=BLIND)
        def chain(t, family=family, hook=hook):
            begin(t)
            kind = "ip6" if family == "ip" and not t.v4 else family
            dev = " device \"a2\"" if family == "netdev" else ""
            t.chain(hook + dev, [f"ip{t.six} daddr {t.group} drop"], family=kind)

        @truth(f"a chain of family {family} at {hook} drops it for one output of three", "firewall",
               outs=("a2", "a3", "a4"), blind=BLIND)
        def chain_one(t, family=family, hook=hook):
            begin(t, THREE)
            kind = "ip6" if family == "ip" and not t.v4 else family
            dev = " device \"a3\"" if family == "netdev" else ""
            match = "" if family == "netdev" else "oifname \"a3\" "
            t.chain(hook + dev, [f"{match}ip{t.six} daddr {t.group} drop"], family=kind)


@truth("policy drop, in a chain that it jumps to", "firewall")
def jump(t):
    begin(t)
    t.nft("table inet house { chain sub { iifname \"a1\" counter drop\n}\nchain doors { type filter hook forward "
          "priority 0; policy accept; udp dport 5000 jump sub\n}\n}\n")


@truth("an element of a set", "firewall")
def element(t):
    begin(t)
    kind, other = ("ipv4_addr", "225.9.9.9") if t.v4 else ("ipv6_addr", "ff2e::999")
    t.nft(f"table inet house {{ set bad {{ type {kind}; elements = {{ {t.group}, {other} }}\n}}\n"
          f"chain doors {{ type filter hook forward priority 0; policy accept; ip{t.six} daddr @bad drop\n}}\n}}\n")


@truth("a verdict map", "firewall")
def vmap(t):
    begin(t)
    t.chain("forward", ["iifname vmap { \"a3\" : accept, \"a1\" : drop }"])


@truth("iptables, policy DROP", "firewall")
def iptables(t):
    need("iptables")
    begin(t)
    subprocess.run([f"ip{t.six}tables", "-P", "FORWARD", "DROP"], check=True)


@truth("iptables, a rule for its port", "firewall", cure="fix")
def iptables_port(t):
    need("iptables")
    begin(t)
    subprocess.run([f"ip{t.six}tables", "-A", "FORWARD", "-d", t.group, "-p", "udp", "--dport", "5000", "-j", "DROP"],
                   check=True)


@truth("iptables of old, policy DROP", "lost", blind=(1, ["firewall"]), cure=None)
def iptables_legacy(t):
    need(f"ip{t.six}tables-legacy")
    begin(t)
    if subprocess.run([f"ip{t.six}tables-legacy", "-P", "FORWARD", "DROP"]).returncode:
        raise Skip("no tables of old in this kernel")


@truth("a queue that is too slow", "lost", blind="maybe", cure=None)
def slow(t):
    need("tc")
    begin(t, size=1000)
    if subprocess.run(["tc", "qdisc", "add", "dev", "a2", "root", "tbf", "rate", "40kbit", "burst", "1500", "limit",
                       "1500"]).returncode:
        raise Skip("this kernel has no tbf")


@truth("a rate limit drops nine of ten", "lost", blind=(1, ["firewall"]), cure=None)
def limit(t):
    begin(t)
    t.chain("forward", ["limit rate over 5/second burst 1 packets drop"])


@truth("tc drops it at the output", "lost", blind="maybe", cure=None)
def tc(t):
    need("tc")
    begin(t)
    drop(t, "a2", "egress")


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


@truth("one output of three has no carrier", "output", cure=None)
def carrier_one(t):
    begin(t, THREE)
    with t.lab.at("hc"):
        t.lab.ip("link", "set", "eth0", "down")


@truth("IPv6 is off at the output", "ipv6_off", families=("IPv6",), blind="maybe")
def family_off(t):
    begin(t)
    t.flow.flows("a2")
    t.sysctl("ipv6/conf/a2/disable_ipv6", 1)


def bridge(t, port="a2"):
    """A bridge that snoops, its own querier, in the place of an interface."""
    t.lab.ip_batch(["link add br0 type bridge mcast_snooping 1 mcast_query_response_interval 10 mcast_igmp_version 3 "
                    "mcast_mld_version 2", "link set br0 type bridge mcast_querier 1",
                    f"link set {port} master br0", "addr add 10.7.0.1/24 dev br0", "addr add fe80::77/64 dev br0 nodad",
                    "link set br0 up"])


@truth("a bridge that snoops, and nobody joined behind it", "nobody", blind="any", cure="or")
def nobody(t):
    bridge(t)
    begin(t, RULES.replace("to a2", "to br0"))
    wait_until(lambda: quiet(t), "the bridge to snoop")


def quiet(t):
    before = t.flow.seen("a2")
    wait_until(lambda: t.lab.counted(t.src, t.group), "packets")
    count = t.lab.counted(t.src, t.group)
    wait_until(lambda: t.lab.counted(t.src, t.group) > count + 20, "more packets")
    return t.flow.seen("a2") == before


@truth("a bridge whose ports a chain closes", "nobody", blind="any", cure=None)
def bridge_filter(t):
    bridge(t)
    t.lab.ip("link", "set", "br0", "type", "bridge", "mcast_snooping", "0")
    begin(t, RULES.replace("to a2", "to br0"))
    t.chain("output", [f"ip{t.six} daddr {t.group} drop"], family="bridge")
