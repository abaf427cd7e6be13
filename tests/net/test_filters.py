# SPDX-License-Identifier: ISC
#
# What rules of packet filters do with a packet, as probe_filters_judge() has it
# and as the kernel has it: each rule is loaded, asked about, and packets are sent.
# What is judged for sure has to be so, and the rest is known to be not judged.
import os
import socket
import struct
import subprocess

from cases import case, main
from lab import Skip, check, note, same, wait_until
from packet import address, one_cpu
from sick import V4, V6, need

PROBE = os.path.join(os.environ.get("B", "build"), "tests/probe_filter")
N = 3

# Rules of a chain at forward that end with "drop": what they say of the packet.  {g} and {s} are its group and
# source, {ip} and {six} its family's name.
RULES = {
    "drop": """
drop
ip{six} daddr {g}
ip{six} saddr {s}
ip{six} saddr {s} ip{six} daddr {g} udp dport 5000
ip{six} daddr != {other}
ip{six} daddr {prefix}
ip{six} daddr {low}-{high}
ip{six} daddr {{ {g}, {other} }}
ip{six} daddr {{ {low}-{high} }}
ip{six} daddr . udp dport {{ {g} . 5000, {other} . 1 }}
ip{six} daddr . udp dport {{ {prefix} . 4000-6000 }}
ip{six} saddr . ip{six} daddr {{ {s} . {g} }}
ip{six} saddr . ip{six} daddr . udp dport {{ {s} . {low}-{high} . 1-6000 }}
ip{six} daddr != {{ {other} }}
ip{six} daddr @s
iifname "a1"
iifname "a*"
iifname != "a2"
oifname "a2" iif a1
oif a2
oifname {{ "a2", "a3" }}
iifname . oifname {{ "a1" . "a2" }}
meta l4proto udp
meta l4proto {{ udp, tcp }}
meta nfproto {family}
meta protocol {ip}
meta pkttype multicast
meta pkttype != unicast
udp dport 5000
udp dport 4000-6000
udp dport != 22
udp sport 5000 udp dport > 4999
udp dport {{ 22, 5000 }}
th dport 5000
@th,16,16 5000
@nh,{dst_at},16 {dst_16}
ip{six} {ttl} 15
ip{six} {ttl} < 16
ip{six} {ttl} != 1
ip{six} version {version}
ct state new
ct state {{ new, related }}
ct state != established
ct state & (established | related) == 0
ct direction original
fib daddr type multicast
fib daddr type != local
fib saddr . iif oif exists
fib saddr . iif oif "a1"
fib saddr type unicast
meta mark 0
meta mark != 1
meta mark & 0xff < 5
meta mark 0-7
meta skuid != 0 accept comment "no socket"; drop
jump sub
goto sub
counter log jump sub
iifname vmap {{ "a1" : jump sub, "a2" : accept }}
ip{six} daddr vmap {{ {g} : drop }}
ip{six} daddr . iifname vmap {{ {g} . "a1" : drop }}
meta l4proto vmap {{ udp : goto sub }}
ct state vmap {{ established : accept, new : drop }}
ip{six} daddr vmap {{ {other} : accept, * : drop }}
meta mark set ip{six} daddr map {{ {g} : 5 }} meta mark 5
meta mark set 0x10 meta mark & 0xf0 == 0x10
meta mark set meta mark or 3 meta mark 3
ip{six} daddr @s counter name "c"
reject
""",
    "pass": """
ip{six} daddr {other}
ip{six} saddr != {s}
ip{six} daddr {{ {other} }}
ip{six} daddr != {low}-{high}
ip{six} daddr @empty
ip{six} daddr . udp dport {{ {g} . 5001 }}
ip{six} daddr . udp dport {{ {prefix} . 6000-7000 }}
iifname "a2"
iifname "a11"
oifname != "a2"
oifname {{ "a1", "a3" }}
meta l4proto tcp
tcp dport 5000
udp dport 53
udp dport 5001-6000
meta nfproto {otherfamily}
meta protocol {otherip}
meta pkttype {{ unicast, broadcast }}
ip{six} {ttl} 16
ip{six} {ttl} < 15
ct state established,related
ct state invalid
ct state untracked
ct direction reply
ct status dnat
ct status assured,seen-reply
fib daddr type local
fib daddr type broadcast
fib saddr . iif oif missing
meta mark 1
meta mark & 0xff != 0
meta skuid 0
meta cgroup 1
jump empty
ip{six} daddr {g} return; drop
ip{six} daddr {g} accept; drop
iifname vmap {{ "a2" : drop }}
ct state vmap {{ established : drop, invalid : drop }}
jump back
notrack
meta mark set 7 meta mark 8
""",
    "may": """
ip{six} dscp ef
meta length 1-20
ct status snat
ct mark 5
ct helper "ftp"
ip{six} daddr @timed
jhash ip{six} daddr mod 2 seed 1 0
meta cgroup 0 return; rt classid 7
""",
    "chance": """
limit rate over 1/hour burst 1 packets
limit rate 1/hour burst 1 packets accept; drop
quota over 60 bytes
numgen random mod 10 < 1
numgen inc mod 2 0
meta random < 100
limit name "much" accept; drop
limit name "l"
quota name "q"
ct count over 1000
update @seen {{ ip{six} saddr limit rate over 100/second }}
""",
}

# A whole ruleset: the hooks and priorities of chains, what becomes of a packet.
CHAINS = [
    ("drop", "inet", [("prerouting", -300, "drop")]),
    ("drop", "{ip}", [("prerouting", 0, "drop")]),
    ("drop", "inet", [("postrouting", 0, "oifname \"a2\" drop")]),
    ("drop", "netdev", [("ingress device a1", 0, "ip{six} daddr {g} drop")]),
    ("drop", "netdev", [("ingress device a1", 0, "udp dport 5000 drop")]),
    ("drop", "netdev", [("ingress device a1", 0, "ether daddr {mac} drop")]),
    ("drop", "netdev", [("ingress device a1", 0, "ip{six} daddr {g} fwd to a4")]),
    ("drop", "netdev", [("egress device a2", 0, "ip{six} daddr {g} drop")]),
    ("drop", "inet", [("ingress device a1", 0, "ip{six} daddr {g} drop")]),
    ("pass", "inet", [("input", 0, "drop"), ("output", 0, "drop")]),
    ("pass", "netdev", [("ingress device a2", 0, "ip{six} daddr {g} drop")]),
    ("pass", "netdev", [("egress device a1", 0, "ip{six} daddr {g} drop")]),
    ("pass", "{otherfam}", [("forward", 0, "drop")]),
    ("pass", "bridge", [("forward", 0, "drop"), ("prerouting", 0, "drop")]),
    ("drop", "inet", [("forward", -1, "accept"), ("forward", 1, "drop")]),
    ("drop", "inet", [("forward", 1, "accept"), ("forward", 0, "ip{six} daddr {g} drop")]),
    # A mark that one chain sets is what the next one sees; so are no tracking and the TTL.
    ("drop", "inet", [("prerouting", -150, "meta mark set 7"), ("forward", 0, "meta mark 7 drop")]),
    ("pass", "inet", [("forward", 5, "meta mark set 7"), ("forward", 0, "meta mark 7 drop")]),
    ("pass", "inet", [("prerouting", -300, "notrack"), ("forward", 0, "ct state new drop")]),
    ("drop", "inet", [("prerouting", -300, "notrack"), ("forward", 0, "ct state untracked drop")]),
    ("pass", "inet", [("postrouting", 0, "iifname \"a1\" drop")]),
    ("drop", "inet", [("postrouting", 0, "ip{six} {ttl} 15 drop")]),
    ("drop", "inet", [("prerouting", 0, "ip{six} {ttl} 16 drop")]),
    ("drop", "inet", [("prerouting", -150, "ip{six} {ttl} set 9"), ("forward", 0, "ip{six} {ttl} 8 drop")]),
    ("lowered", "inet", [("prerouting", -150, "ip{six} daddr {g} ip{six} {ttl} set 1")]),
    ("renamed", "{ip}", [("postrouting", 100, "oifname \"a2\" masquerade")]),
    ("renamed", "inet", [("postrouting", 100, "oifname \"a2\" snat {ip} to {here}")]),
    ("pass", "inet", [("prerouting", -300, "notrack"), ("forward", 0, "ct mark 0 drop")]),
    ("may", "inet", [("prerouting", -150, "ct mark 1 meta mark set 7"), ("forward", 0, "meta mark 7 drop")]),
]

# Options of iptables, in a chain FORWARD unless they say another.
IPTABLES = {
    "drop": """
-j DROP
-d {g} -j DROP
-s {s} -d {g} -i a1 -o a2 -j DROP
! -s {other} -j DROP
-d {prefix} -j REJECT
-i a+ -j DROP
! -i a2 -j DROP
-p udp -j DROP
-p udp --dport 5000 -j DROP
-p udp --dport 4000:6000 -j DROP
-p udp --sport 5000 ! --dport 22 -j DROP
-p udp -m multiport --dports 22,4000:6000 -j DROP
-p udp -m multiport ! --ports 22,23 -j DROP
-m addrtype --dst-type MULTICAST -j DROP
-m addrtype ! --dst-type LOCAL,UNICAST -j DROP
-m pkttype --pkt-type multicast -j DROP
-m pkttype ! --pkt-type unicast -j DROP
-m conntrack --ctstate NEW -j DROP
-m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP
-m state --state NEW -j DROP
-m mark --mark 0/0xff -j DROP
-m mark ! --mark 5 -j DROP
-m iprange --dst-range {low}-{high} -j DROP
-m {hl} --{hl}-lt 16 -j DROP
-m {hl} --{hl}-eq 15 -j DROP
-m comment --comment "no groups" -j DROP
-t mangle -A PREROUTING -j DROP
-t mangle -A FORWARD -j DROP
-t mangle -A POSTROUTING -o a2 -j DROP
-t raw -A PREROUTING -d {g} -j DROP
-j LOG; -j DROP
-t mangle -A PREROUTING -j MARK --set-mark 5; -m mark --mark 5 -j DROP
-N sub; -j sub; -A sub -d {g} -j DROP
-N sub; -g sub; -A sub -j RETURN; -P DROP
-N sub; -d {g} -j sub; -A sub -j RETURN; -j DROP
-P DROP
-t raw -A PREROUTING -m rpfilter -j DROP
-t raw -A PREROUTING -j CT --notrack; -m conntrack --ctstate UNTRACKED -j DROP
""",
    "pass": """
-d {other} -j DROP
-i a2 -j DROP
-o a3 -j DROP
-p tcp -j DROP
-p icmp -j DROP
-p udp --dport 53 -j DROP
-p udp -m multiport --dports 22,53 -j DROP
-m addrtype --dst-type LOCAL -j DROP
-m pkttype --pkt-type broadcast -j DROP
-m conntrack --ctstate INVALID -j DROP
-m conntrack --ctstatus ASSURED -j DROP
-m conntrack --ctstate ESTABLISHED,RELATED -j DROP
-m mark --mark 1 -j DROP
-m {hl} --{hl}-lt 2 -j DROP
-d {g} -j ACCEPT; -j DROP
-d {g} -j RETURN; -j DROP
-N sub; -g sub; -A sub -j RETURN; -j DROP
-A INPUT -j DROP; -A OUTPUT -j DROP
-t raw -A PREROUTING -m rpfilter --invert -j DROP
-t raw -A PREROUTING -d {g} -j CT --notrack; -m conntrack --ctstate NEW -j DROP
-N sub; -j sub; -A sub -d {other} -j DROP
""",
    "may": """
-m length --length 1:20 -j DROP
-m u32 --u32 "0>>28=1" -j DROP
-m string --algo bm --string nowhere -j DROP
-m time --datestop 2001-01-01 -j DROP
-m conntrack --ctstate NEW --ctproto 6 -j DROP
""",
    "chance": """
-m limit --limit 1/hour --limit-burst 1 -j ACCEPT; -j DROP
-m hashlimit --hashlimit-above 1000/second --hashlimit-name x -j DROP
-m statistic --mode nth --every 2 --packet 0 -j DROP
""",
    "lowered": """
-t mangle -A PREROUTING -d {g} -j {target} --{hl}-set 1
""",
    "renamed": """
-t nat -A POSTROUTING -o a2 -j MASQUERADE
""",
}


def words(family):
    v4 = family == "IPv4"
    src, group = V4 if v4 else V6
    raw = address(group)
    mac = b"\1\0\x5e" + bytes([raw[1] & 0x7F]) + raw[2:] if v4 else b"\x33\x33" + raw[12:]
    return dict(s=src, g=group, other="225.9.9.9" if v4 else "ff2e::999", six="" if v4 else "6",
                prefix="225.1.0.0/16" if v4 else "ff2e::/32", low="225.1.0.1" if v4 else "ff2e::1",
                high="226.0.0.1" if v4 else "ff2f::1", ip="ip" if v4 else "ip6", otherip="ip6" if v4 else "ip",
                family="ipv4" if v4 else "ipv6", otherfamily="ipv6" if v4 else "ipv4",
                otherfam="ip6" if v4 else "ip", ttl="ttl" if v4 else "hoplimit", version=4 if v4 else 6,
                dst_at=128 if v4 else 192, dst_16=int.from_bytes(raw[:2], "big"), mac=mac.hex(":"),
                hl="ttl" if v4 else "hl", target="TTL" if v4 else "HL", here="10.2.0.1" if v4 else "fd00:2::1")


SETS = """set s {{ type {family}_addr; elements = {{ {g} }}
}}
set empty {{ type {family}_addr;
}}
set timed {{ type {family}_addr; flags timeout; elements = {{ {other} timeout 1h }}
}}
set seen {{ type {family}_addr; flags dynamic; size 100;
}}
counter c {{ }}
limit much {{ rate 1/hour burst 1 packets
}}
limit l {{ rate over 1/hour burst 1 packets
}}
quota q {{ over 1 bytes
}}
chain sub {{ drop
}}
chain empty {{
}}
chain back {{ return
drop
}}
"""


class Judge:
    """Packets of one flow from a1 to a2, with filters in between."""

    def __init__(self, lab, family):
        self.lab, self.w = lab, words(family)
        self.flow = self.w["s"], self.w["g"]
        lab.daemon(f"mroute from a1 source {self.w['s']} group {self.w['g']} to a2\n")
        with lab.at("ha"):
            self.arp = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
            self.arp.bind(("eth0", 0x0806))
        self.bad, self.refused, self.looked = [], [], 0

    def load(self, text):
        """A ruleset in the place of the last one."""
        p = subprocess.run(["nft", "-f", "-"], input="flush ruleset\n" + text, text=True, stderr=subprocess.PIPE)
        if p.returncode:	# by an older one
            self.refused.append(f"{text}: {p.stderr}")
        return not p.returncode

    def passed(self):
        """All that was sent before has passed the router: it answers a question of another protocol."""
        ask = b"\xff" * 6 + b"\2\0\0\0\0\x77\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
        ask += b"\2\0\0\0\0\x77" + address("10.1.0.2") + bytes(6) + address("10.1.0.1")
        self.arp.setblocking(False)
        with one_cpu():
            self.lab.senders["ha"].send(ask)

        def answered():
            try:
                return self.arp.recv(100)[20:22] == b"\0\2"
            except BlockingIOError:
                return False
        wait_until(answered, "the router's answer")

    def truth(self):
        flow = self.lab.send("a1", *self.flow, N)
        self.passed()
        self.lab.collect()
        here = self.lab.seen["hb"]
        # With another TTL or source, too.
        return sum(n for key, n in here.items() if key[1] == address(self.flow[1]) and key[3] in flow[3])

    def told(self):
        out = subprocess.run([PROBE, "a1", "a2", *self.flow, "16", "5000"], text=True, capture_output=True, check=True)
        return [line.split() for line in out.stdout.splitlines()]

    def look(self, what, want):
        self.looked += 1
        told, n = self.told(), self.truth()
        fates = {t[0] for t in told}
        said = next((f for f in ("unread", "drop", "may", "chance", "lowered", "renamed") if f in fates), "pass")
        surely = {"drop": 0, "pass": N, "lowered": 0, "renamed": N}.get(said, n)
        if said != want or surely != n:
            self.bad.append(f"{what}: judged {said} {told}, wanted {want}, {n} of {N} came out")

    def end(self):
        for line in self.bad + self.refused:
            note(line)
        same(len(self.bad), 0, "rules judged wrongly")
        check(len(self.refused) * 5 < self.looked, "nft refuses too many")


def lines(table):
    return [(want, line) for want, text in table.items() for line in text.strip().splitlines()]


def ends(rule):
    """The rule with its last word, which the table leaves out where it is "drop"."""
    said = any(word in rule for word in (" accept", " jump ", " goto ", "vmap", "reject", "notrack", " drop"))
    return rule if said or rule.split()[0] in ("drop", "jump", "goto") else f"{rule} drop"


def rules(lab, family):
    need("nft")
    j = Judge(lab, family)
    for want, line in lines(RULES):
        rule = ends(line.format(**j.w)).replace("; ", "\n")
        if j.load(f"table inet t {{\n{SETS.format(**j.w)}"
                  f"chain f {{ type filter hook forward priority 0;\n{rule}\n}}\n}}\n"):
            j.look(rule, want)
    j.end()


def chains(lab, family):
    need("nft")
    j = Judge(lab, family)
    for want, table, bases in CHAINS:
        text = ""
        for i, (hook, priority, rule) in enumerate(bases):
            kind = "nat" if "masq" in rule or "snat" in rule else "filter"
            text += f"chain c{i} {{ type {kind} hook {hook} priority {priority};\n{rule.format(**j.w)}\n}}\n"
        if j.load(f"table {table.format(**j.w)} t {{\n{text}}}\n"):
            j.look(f"{table}: {text}", want)
    if j.load("table inet t { flags dormant; chain c { type filter hook forward priority 0; drop;\n}\n}\n"):
        j.look("a dormant table", "pass")
    j.end()


def restore(line):
    """What iptables-restore reads, for commands with semicolons in between."""
    text = {t: [] for t in ("raw", "mangle", "nat", "filter")}
    news, policy = "", "ACCEPT"
    for part in line.split("; "):
        at = part.split()
        if at[0] == "-N":
            news += f":{at[1]} - [0:0]\n"
        elif at[0] == "-P":
            policy = at[1]
        elif at[0] == "-t":
            text[at[1]].append(part.split(None, 2)[2])
        else:
            text["filter"].append(part if at[0] == "-A" else f"-A FORWARD {part}")
    return "".join(f"*{t}\n" + (f":FORWARD {policy} [0:0]\n{news}" if t == "filter" else "") + "".join(
        f"{r}\n" for r in rows) + "COMMIT\n" for t, rows in text.items())


def iptables(lab, family, kind):
    j = Judge(lab, family)
    tool = f"ip{j.w['six']}tables-{kind}-restore"
    need(tool)
    for want, line in lines(IPTABLES):
        line = line.format(**j.w)
        p = subprocess.run([tool], input=restore(line), text=True, stderr=subprocess.PIPE)
        if p.returncode and "initialize" in p.stderr:
            raise Skip(f"{tool}: {p.stderr.strip()}")
        if p.returncode:
            j.refused.append(f"{line}: {p.stderr}")
        else:
            j.look(line, want)
    j.end()


for family in ("IPv4", "IPv6"):
    case(f"rules of nftables, {family}", family)(rules)
    case(f"chains of nftables, {family}", family)(chains)
    for kind in ("nft", "legacy"):
        case(f"iptables, its {kind} kind, {family}", family, kind)(iptables)


if __name__ == "__main__":
    main()
