# SPDX-License-Identifier: ISC
#
# Set-ups in which a packet filter stops what was routed, for one output or for all.
import subprocess

from doctor.table import THREE, begin, truth
from lab import Skip
from sick import need


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


@truth("iptables of old, policy DROP", "firewall")
def iptables_legacy(t):
    need(f"ip{t.six}tables-legacy")
    begin(t)
    if subprocess.run([f"ip{t.six}tables-legacy", "-P", "FORWARD", "DROP"]).returncode:
        raise Skip("no tables of old in this kernel")


@truth("a rate limit drops nine of ten", "firewall")
def limit(t):
    begin(t)
    t.chain("forward", ["limit rate over 5/second burst 1 packets drop"])
