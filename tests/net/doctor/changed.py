# SPDX-License-Identifier: ISC
#
# Set-ups in which this host changes what comes in, so that the router sees another flow, those in which it has no way
# out for it, though its TTL is large enough, and those in which one of several causes is easily overlooked.
import os
import subprocess

from doctor.table import RULES, UNSURE, begin, restore, truth
from lab import Skip
from sick import inside

BOTH = RULES + "mroute from a1 group 225.9.9.9 to a2\nmroute from a1 group ff2e::999 to a2\n"
SOURCE = {"IPv4": "10.1.0.77", "IPv6": "fd00:1::77"}


def nat(t, hook, priority, rule):
    """Before the stream begins: a flow that conntrack knows already goes on as it is."""
    t.nft(f"table inet n {{ chain p {{ type nat hook {hook} priority {priority};\n{rule}\n}}\n}}\n")


def to_source(t):
    """A rule that writes another source into the flow, and into nothing else that goes on."""
    return f"ip{t.six} saddr {t.src} ip{t.six} daddr {t.group} ip{t.six} saddr set {SOURCE[t.family]}"


def ip(t, *words):
    if subprocess.run(["ip", "-4" if t.v4 else "-6", *words], stderr=subprocess.DEVNULL).returncode:
        raise Skip("not in this kernel")


@truth("NAT makes it another group", "changed", blind=UNSURE, cure=None, says="chain p of table inet n")
def dnat(t):
    nat(t, "prerouting", -100, f"ip{t.six} daddr {t.group} dnat ip{t.six} to {t.other}")
    begin(t, BOTH)


@truth("NAT makes another group of that one, which is asked for", "fine")
def dnat_other(t):
    nat(t, "prerouting", -100, f"ip{t.six} daddr {t.group} dnat ip{t.six} to {t.other}")
    begin(t, BOTH)
    t.group, t.other = t.other, t.group


@truth("a rule writes another group into it", "changed", blind=UNSURE, cure=None,
       says="chain doors of table inet house")
def group(t):
    begin(t, BOTH)
    t.chain("prerouting", [f"ip{t.six} daddr {t.group} ip{t.six} daddr set {t.other}"], priority=-150)


@truth("a rule of iptables makes it another group", "changed", blind=UNSURE, cure=None, says="iptables")
def dnat_iptables(t):
    restore(t, "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d {group} -j DNAT --to-destination {other}\nCOMMIT\n",
            "nft", group=t.group, other=t.other)
    begin(t, BOTH)


@truth("a rule writes another source into it", "fine", says="chain doors of table inet house")
def source(t):
    begin(t)
    t.chain("prerouting", [to_source(t)], priority=-150)


@truth("a rule writes another source into it, which no rule is for", "no_rule", cure=None)
def source_no_rule(t):
    begin(t, f"mroute from a1 source {'10.1.0.9' if t.v4 else 'fd00:1::9'} group {t.group} to a2\n")
    t.chain("prerouting", [to_source(t)], priority=-150)


@truth("a rule writes another source into it, which the reverse path filter refuses", "rp_filter", families=("IPv4",),
       blind=UNSURE, says="192.0.2.9")
def source_martian(t):
    begin(t)
    t.chain("prerouting", [f"ip daddr {t.group} ip saddr set 192.0.2.9"], priority=-150)
    t.sysctl("ipv4/conf/a1/rp_filter", 1)


@truth("NAT sends it to a host", "changed", blind="any", cure=None, says="to that host")
def dnat_host(t):
    nat(t, "prerouting", -100, f"ip{t.six} daddr {t.group} dnat ip{t.six} to {'10.2.0.2' if t.v4 else 'fd00:2::2'}")
    begin(t)


@truth("a rule writes another source into it before IP sees it", "fine", says="chain doors of table netdev house")
def source_ingress(t):
    begin(t)
    t.chain('ingress device "a1"', [to_source(t)],
            family="netdev")


@truth("a rule writes another group into it as it leaves", "changed", blind="any", cure=None,
       says="chain doors of table inet house")
def group_out(t):
    begin(t)
    t.chain("postrouting", [f"ip{t.six} daddr {t.group} ip{t.six} daddr set {t.other}"])


@truth("a rule writes another source into it as it leaves", "fine")
def source_out(t):
    begin(t)
    t.chain("postrouting", [to_source(t)])


@truth("the output has no route to groups", "route", families=("IPv6",))
def no_route(t):
    begin(t)
    t.flow.flows("a2")
    ip(t, "route", "del", "multicast", "ff00::/8", "dev", "a2", "table", "local")


@truth("a rule prohibits the group, which routers do not heed", "fine")
def prohibited(t):
    begin(t)
    ip(t, "rule", "add", "pref", "0", "to", t.group, "prohibit")
    t.flow.flows("a2")


@truth("a policy of IPsec blocks it", "ipsec", families=("IPv4",), cure=None)
def ipsec(t):
    begin(t)
    ip(t, "xfrm", "policy", "add", "dir", "out", "dst", t.group, "action", "block")


@truth("a policy of IPsec that blocks it, which IPv6 does not heed", "fine", families=("IPv6",))
def ipsec_6(t):
    begin(t)
    ip(t, "xfrm", "policy", "add", "dir", "out", "dst", t.group, "action", "block")
    t.flow.flows("a2")


@truth("a source is refused beside one that flows", ["fine", "rp_filter"], families=("IPv4",), blind=(0, ["fine"]),
       cure=None, blind_says="reverse path filter")
def martian_too(t):
    begin(t)
    t.stream(src="192.0.2.77")
    t.sysctl("ipv4/conf/a1/rp_filter", 1)


@truth("nothing is sent, no router runs, and the file has a membership too", ["no_router", "nothing"],
       blind=(1, ["no_router"]), cure=None)
def no_router(t):
    t.words = (t.lab.write("own.conf", RULES + f"mgroup from a1 group {t.group}\n"),)


for action in ("prohibit", "blackhole"):
    @truth(f"a rule of ip mrule refuses what comes in, by {action}", "table", says="ip mrule")
    def refused(t, action=action):
        begin(t)
        t.flow.flows("a2")
        ip(t, "mrule", "add", "iif", "a1", action)


@truth("a rule of ip mrule for a mark that no packet has", "fine")
def mark(t):
    begin(t)
    ip(t, "mrule", "add", "fwmark", "9", "lookup", "200")
    t.flow.flows("a2")


@truth("the other end of the output takes no packets so large", "driver", blind=(1, ["lost"]), cure=None)
def other_end(t):
    begin(t, size=1400)
    t.flow.flows("a2")
    with t.lab.at("hb"):
        t.lab.ip("link", "set", "eth0", "mtu", "1280")


@truth("the output is a tunnel without another end", "driver", blind=(1, ["lost"]), cure=None)
def tunnel(t):
    words = "link add vx0 type vxlan id 5 dstport 4789 dev a2"
    if subprocess.run(f"ip {words} && ip link set vx0 up", shell=True).returncode:
        raise Skip("not in this kernel")
    begin(t, RULES.replace("to a2", "to vx0"))


def briefly(t, hook):
    """A chain that is taken away while doctor watches."""
    t.chain(hook, [f"ip{t.six} daddr {t.group} drop"])
    t.lab.midway = lambda: subprocess.run([*inside(t.lab), "nft", "delete", "table", "inet", "house"], check=True)


@truth("a chain behind routing is taken away meanwhile", "firewall", blind="any", cure=None, foreign=None,
       says="until it was changed")
def chain_gone(t):
    begin(t)
    t.flow.flows("a2")
    briefly(t, "forward")


@truth("a chain before routing is taken away meanwhile", "firewall", blind="any", cure=None, foreign=None,
       says="until it was changed")
def chain_gone_before(t):
    if os.environ.get("SANITIZE"):		# entries then have counted as many more as were dropped
        raise Skip("too slow with the sanitizers")
    begin(t)
    t.flow.flows("a2")
    briefly(t, "prerouting")
