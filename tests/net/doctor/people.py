# SPDX-License-Identifier: ISC
#
# Rules of packet filters that people have, each alone: what drops, what lets pass, what cannot be told.
import subprocess

from doctor.table import UNSURE, begin, restore, truth
from lab import Skip
from sick import RULES, need

def house(t, text):
    t.nft("table inet house {\n" + text.format(g=t.group, s=t.src, six=t.six, kind=4 if t.v4 else 6,
                                                near="10.1.0.0/16" if t.v4 else "fd00:1::/64",
                                                all="224.0.0.0/4" if t.v4 else "ff00::/8", other=t.other) + "\n}\n")


# Rules of a base chain at a hook, with sets or chains before it; what has to be said.
PEOPLE = {
    "a list of blocked networks": ("firewall", "forward", "set block {{ type ipv{kind}_addr; flags interval; "
                                   "elements = {{ {near} }}\n}}", "ip{six} saddr @block drop"),
    "a list of the groups that are allowed": ("firewall", "forward", "set good {{ type ipv{kind}_addr; elements = "
                                              "{{ {other} }}\n}}", "ip{six} daddr {all} ip{six} daddr != @good drop"),
    "no frames to groups": ("firewall", "prerouting", "", "meta pkttype {{ broadcast, multicast }} drop"),
    "IGMP is let in, other groups are not": ("firewall", "prerouting", "", "meta l4proto {{ igmp, icmpv6 }} accept\n"
                                             "ip{six} daddr {all} drop"),
    "a rule for the other direction": ("firewall", "forward", "", "ct state established,related accept\niifname \"a2\" "
                                       "oifname \"a1\" accept\ndrop"),
    "a TTL that is too small for a rule": ("firewall", "prerouting", "", "ip ttl < 20 drop\nip6 hoplimit < 20 drop"),
    "no tracking, and then only what is new": ("firewall", "forward", "chain raw {{ type filter hook prerouting "
                                               "priority raw;\nip{six} daddr {all} notrack\n}}",
                                               "ct state new accept\ndrop"),
    "the last rule of a long way": ("firewall", "forward", "chain a {{ jump b\n}}\nchain b {{ goto c\n}}\nchain c {{ "
                                    "udp dport vmap {{ 22 : accept, 5000 : drop }}\n}}", "jump a"),
    "a map from interfaces to chains, by pairs": ("firewall", "forward", "chain no {{ log\nreject\n}}",
                                                  "iifname . oifname vmap {{ \"a1\" . \"a2\" : goto no }}"),
    "a named limit": ("firewall", "forward", "limit slow {{ rate over 5/second burst 1 packets\n}}",
                      "limit name \"slow\" drop"),
    "one accepts, a second chain drops": ("firewall", "forward", "chain f0 {{ type filter hook forward priority -5; "
                                          "policy drop;\nip{six} daddr {g} accept\n}}", "ip{six} daddr {all} drop"),
    "bogons as sources": ("fine", "prerouting", "set bogons {{ type ipv4_addr; flags interval; elements = {{ "
                          "0.0.0.0/8, 127.0.0.0/8, 224.0.0.0/3 }}\n}}", "ip saddr @bogons drop"),
    "a limit that is not reached": ("fine", "forward", "", "limit rate 10000/second burst 1000 packets accept\ndrop"),
    "the usual hardening": ("fine", "prerouting", "", "ct state invalid drop\nip frag-off & 0x1fff != 0 drop\n"
                            "ip option lsrr exists drop\nexthdr rt exists drop\ntcp flags & (fin|syn) == fin|syn drop"),
    "ports of services are closed": ("fine", "forward", "", "tcp dport {{ 22, 80, 443 }} drop\nudp dport {{ 53, 123 }} "
                                     "drop"),
    "those who send too much, and it does not": ("fine", "forward", "set many {{ type ipv{kind}_addr; flags dynamic,"
                                                 "timeout; size 1000;\n}}", "add @many {{ ip{six} saddr timeout 1m "
                                                 "limit rate over 10000/second }} drop"),
    "a chain at input and one at output": ("fine", "input", "chain o {{ type filter hook output priority 0; policy "
                                           "drop;\n}}", "ip{six} daddr {all} drop"),
    "times of the day": ("lost", "forward", "", "meta hour \"00:00\"-\"23:59\" drop"),
    "a length": ("lost", "forward", "", "meta length 20-2000 drop"),
}
for name, (want, hook, before, rules) in PEOPLE.items():
    @truth(f"{name}", want, blind="any" if hook == "prerouting" or want == "lost" else None,
           cure="fix" if want == "firewall" else None)
    def people(t, hook=hook, before=before, rules=rules):
        begin(t)
        t.flow.flows("a2")
        house(t, before + f"\nchain doors {{{{ type filter hook {hook} priority 0;\n" + rules + "\n}}")


@truth("nftables lets it pass, iptables of old drops it", "firewall")
def both(t):
    restore(t, "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -p udp -j DROP\nCOMMIT\n", "legacy")
    t.chain("forward", [f"ip{t.six} daddr {t.group} accept"], policy="drop")
    begin(t)


@truth("only what is bridged is forwarded", "firewall")
def bridged(t):
    restore(t, "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT\nCOMMIT\n", "nft")
    begin(t)


@truth("libvirt rejects what goes to its bridge", "firewall")
def libvirt(t):
    restore(t, "*filter\n:FORWARD ACCEPT [0:0]\n:LIBVIRT_FWI - [0:0]\n-A FORWARD -j LIBVIRT_FWI\n"
            "-A LIBVIRT_FWI -o a3 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
            "-A LIBVIRT_FWI -o a2 -j REJECT\nCOMMIT\n", "nft")
    begin(t)


@truth("only the other family is dropped", "fine")
def family(t):
    tool = "ip6tables" if t.v4 else "iptables"
    need(tool)
    subprocess.run([tool, "-P", "FORWARD", "DROP"], check=True)
    begin(t)
    t.flow.flows("a2")


@truth("the source is not routed back, by a rule", "firewall", blind=UNSURE)
def back(t):
    begin(t, src="192.0.2.9" if t.v4 else "fd00:99::9")
    t.chain("prerouting", ["fib saddr . iif oif missing drop"], priority=-300)


@truth("ebtables drops it on its way to a port", "firewall", blind="any", families=("IPv4",))
def ebtables(t):
    need("ebtables")
    t.lab.ip_batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up", "link set a2 master br0"])
    begin(t, "mroute from a1 group 225.1.2.3 to br0\n")
    if subprocess.run(["ebtables", "-A", "OUTPUT", "-p", "IPv4", "--ip-dst", t.group, "-j", "DROP"]).returncode:
        raise Skip("no ebtables in this kernel")


@truth("a frame filter for one port of two", "fine", blind="any")
def one_port(t):
    t.lab.ip_batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up", "link set a2 master br0",
                    "link set a3 master br0"])
    begin(t, RULES.replace("to a2", "to br0"))
    t.flow.flows("a2")
    t.chain("postrouting", [f"oifname \"a3\" ip{t.six} daddr {t.group} drop"], family="bridge")


@truth("what a bridge passes on is filtered, and this is routed", "fine")
def passed_on(t):
    t.lab.ip_batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up", "link set a2 master br0"])
    begin(t, RULES.replace("to a2", "to br0"))
    t.flow.flows("a2")
    t.chain("forward", ["drop"], family="bridge")


@truth("policy DROP of old, and it comes in on a bridge", "firewall")
def from_bridge(t):
    t.lab.ip_batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up", "link set a1 master br0"])
    begin(t, RULES.replace("from a1", "from br0"))
    restore(t, "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n", "legacy")


@truth("a chain at the egress of a port", "firewall", blind="any")
def port_egress(t):
    t.lab.ip_batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up", "link set a2 master br0"])
    begin(t, RULES.replace("to a2", "to br0"))
    t.chain("egress device \"a2\"", [f"ip{t.six} daddr {t.group} drop"], family="netdev")


@truth("only some sources may come in", "firewall", blind=UNSURE)
def sources(t):
    begin(t)
    t.chain("ingress device \"a1\"", [f"ip{t.six} saddr {'10.1.0.77' if t.v4 else 'fd00:1::77'} accept",
                                      "meta protocol arp accept", "icmpv6 type nd-neighbor-solicit accept"],
            policy="drop", family="netdev", priority=-500)


@truth("iptables takes two from the TTL", "ttl_changed", blind="any")
def less(t):
    begin(t, ttl=3)
    target = "TTL --ttl-dec 2" if t.v4 else "HL --hl-dec 2"
    restore(t, f"*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j {target}\nCOMMIT\n", "legacy")


@truth("iptables of old drops every second one", "firewall")
def every_second(t):
    begin(t)
    restore(t, "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m statistic --mode nth --every 2 --packet 0 -j DROP\n"
            "COMMIT\n", "legacy")


@truth("a limit lets a few pass, the policy drops the rest", "firewall")
def few(t):
    begin(t)
    t.chain("forward", ["limit rate 5/second burst 1 packets accept"], policy="drop")


@truth("TTL 1, and a chain that drops it too", ["firewall", "ttl"], blind="any", cure=None)
def two(t):
    begin(t, ttl=1)
    t.chain("forward", [f"ip{t.six} daddr {t.group} drop"])


@truth("a mark of the connection, which one chain sets and another one drops", "firewall")
def connmark(t):
    begin(t)
    t.nft("table inet house {\nchain marks { type filter hook prerouting priority -150;\niifname \"a1\" ct mark set "
          "0x64\n}\nchain f { type filter hook forward priority 0;\nct mark and 0xff == 0x64 drop\n}\n}\n")


@truth("the same by iptables", "firewall")
def connmark_iptables(t):
    begin(t)
    restore(t, "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i a1 -j MARK --set-mark 7\n-A PREROUTING -j CONNMARK "
            "--save-mark\nCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m connmark --mark 7 -j DROP\nCOMMIT\n",
            "nft")
