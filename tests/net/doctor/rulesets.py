# SPDX-License-Identifier: ISC
#
# Whole rulesets, built as those are that tools and distributions make: the flow passes in one variant
# and is dropped in the other.
import ctypes
import os
import socket
import struct
import subprocess

from doctor.table import UNSURE, begin, restore, truth
from lab import Skip, libc
from sick import need

# firewalld: zones by interface, policies in between, invalid first, reject last.
FIREWALLD = """table inet firewalld {{
chain mangle_PREROUTING {{ type filter hook prerouting priority -140; policy accept;
jump mangle_PREROUTING_ZONES
}}
chain mangle_PREROUTING_ZONES {{ iifname "a1" goto mangle_PRE_public
goto mangle_PRE_public
}}
chain mangle_PRE_public {{
}}
chain filter_PREROUTING {{ type filter hook prerouting priority 10; policy accept;
icmpv6 type {{ nd-router-advert, nd-neighbor-solicit }} accept
meta nfproto ipv6 fib saddr . mark . iif oif missing drop
}}
chain filter_INPUT {{ type filter hook input priority 10; policy accept;
ct state {{ established, related }} accept
iifname "lo" accept
reject with icmpx type admin-prohibited
}}
chain filter_FORWARD {{ type filter hook forward priority 10; policy accept;
ct state {{ established, related }} accept
ct status dnat accept
iifname "lo" accept
ct state invalid drop
ip6 daddr {{ ::/96, ::ffff:0.0.0.0/96, 2002::/24 }} reject with icmpv6 type addr-unreachable
jump filter_FORWARD_ZONES
reject with icmpx type admin-prohibited
}}
chain filter_FORWARD_ZONES {{ iifname {{ "a1", "a3" }} oifname "a2" jump filter_FWD_internal
iifname vmap {{ "a4" : goto filter_FWD_public }}
}}
chain filter_FWD_internal {{ jump filter_FWD_internal_allow
}}
chain filter_FWD_internal_allow {{ {allow}
}}
chain filter_FWD_public {{ meta l4proto {{ icmp, ipv6-icmp }} accept
}}
}}
"""

# fw4 of OpenWrt: zones, a set of offloaded devices, reject by a chain of its own.
FW4 = """table inet fw4 {{
chain input {{ type filter hook input priority 0; policy drop;
iif "lo" accept
}}
chain forward {{ type filter hook forward priority 0; policy drop;
ct state vmap {{ established : accept, related : accept }}
iifname "a1" jump forward_lan comment "!fw4: lan"
iifname "a3" jump forward_wan
jump handle_reject
}}
chain handle_reject {{ meta l4proto tcp reject with tcp reset
reject
}}
chain forward_lan {{ {allow}
jump accept_to_lan
}}
chain accept_to_lan {{ oifname "a4" counter accept
}}
chain forward_wan {{ meta nfproto ipv4 meta l4proto igmp accept
}}
chain srcnat {{ type nat hook postrouting priority 100; policy accept;
oifname "a3" masquerade
}}
chain raw_prerouting {{ type filter hook prerouting priority -300; policy accept;
}}
chain mangle_forward {{ type filter hook forward priority -150; policy accept;
iifname "a3" tcp flags syn / syn,rst tcp option maxseg size set rt mtu
}}
}}
"""

# ufw: user chains in a row, a limit before the log, policy DROP.
UFW = """*filter
:FORWARD DROP [0:0]
:ufw{six}-before-forward - [0:0]
:ufw{six}-user-forward - [0:0]
:ufw{six}-after-logging-forward - [0:0]
:ufw{six}-reject-forward - [0:0]
-A FORWARD -j ufw{six}-before-forward
-A FORWARD -j ufw{six}-after-logging-forward
-A FORWARD -j ufw{six}-reject-forward
-A ufw{six}-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw{six}-before-forward -p {icmp} -j ACCEPT
-A ufw{six}-before-forward -j ufw{six}-user-forward
-A ufw{six}-user-forward {allow}
-A ufw{six}-after-logging-forward -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
COMMIT
"""

# Docker: its own chains before, policy DROP behind.
DOCKER = """*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER {allow}
-A DOCKER-USER -j RETURN
COMMIT
*nat
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
COMMIT
"""


for name, text in (("firewalld", FIREWALLD), ("fw4", FW4)):
    @truth(f"{name}, which lets it pass", "fine")
    def tool_passes(t, text=text):
        t.nft(text.format(allow=f"ip{t.six} daddr {t.group} accept"))
        begin(t)
        t.flow.flows("a2")

    @truth(f"{name}, without a rule for it", "firewall")
    def tool_drops(t, text=text):
        t.nft(text.format(allow=f"ip{t.six} daddr {t.other} accept"))
        begin(t)


for name, text, kind in (("ufw", UFW, "nft"), ("ufw of old", UFW, "legacy"), ("Docker", DOCKER, "legacy")):
    @truth(f"{name}, which lets it pass", "fine")
    def frontend_passes(t, text=text, kind=kind):
        restore(t, text, kind, allow=f"-i a1 -o a2 -d {t.group} -j ACCEPT")
        begin(t)
        t.flow.flows("a2")

    @truth(f"{name}, without a rule for it", "firewall")
    def frontend_drops(t, text=text, kind=kind):
        restore(t, text, kind, allow=f"-i a1 -o a2 -d {t.other} -j ACCEPT")
        begin(t)


@truth("firewalld, and a source that is not routed back", "firewall", families=("IPv6",), blind=UNSURE)
def firewalld_back(t):
    t.nft(FIREWALLD.format(allow="accept"))
    begin(t, src="fd00:77::9")


@truth("a masquerade changes the source of what leaves", "fine", blind="maybe")
def masquerade(t):
    t.nft("table inet house { chain doors { type nat hook postrouting priority 100;\noifname \"a2\" masquerade\n}\n}\n")
    begin(t)
    t.flow.flows("a2")


@truth("a rule lowers the TTL before routing", "ttl_changed", blind="any")
def lowered(t):
    begin(t)
    what = "ip ttl set 1" if t.v4 else "ip6 hoplimit set 1"
    t.chain("prerouting", [f"ip{t.six} daddr {t.group} {what}"], priority=-150)


@truth("iptables lowers the TTL before routing", "ttl_changed", blind="any")
def lowered_xt(t):
    need(f"ip{t.six}tables-legacy")
    begin(t)
    target = ["TTL", "--ttl-set", "1"] if t.v4 else ["HL", "--hl-set", "1"]
    if subprocess.run([f"ip{t.six}tables-legacy", "-t", "mangle", "-A", "PREROUTING", "-j", *target]).returncode:
        raise Skip("no tables of old in this kernel")


@truth("a mark that one chain sets and another one drops", "firewall")
def marked(t):
    begin(t)
    t.nft("table inet house {\nchain marks { type filter hook prerouting priority -150;\niifname \"a1\" meta mark set "
          "0x64\n}\nchain f { type filter hook forward priority 0;\nmeta mark 0x64 drop\n}\n}\n")


@truth("two chains drop it, one behind the other", "firewall")
def twice(t):
    begin(t)
    t.nft("table inet one {\nchain f { type filter hook forward priority -10;\nudp dport 4000-6000 drop\n}\n}\n"
          f"table ip{t.six} two {{\nchain f {{ type filter hook forward priority 10; policy drop;\n}}\n}}\n")


@truth("a chain of family inet drops it as it comes in", "firewall", blind=UNSURE)
def inet_ingress(t):
    begin(t)
    t.chain("ingress device \"a1\"", [f"ip{t.six} daddr {t.group} drop"])


@truth("half of it is dropped by chance", "firewall")
def chance(t):
    begin(t)
    t.chain("forward", ["numgen inc mod 2 0 drop"])


@truth("a quota is used up", "firewall")
def quota(t):
    begin(t)
    t.chain("forward", ["quota over 100 bytes drop"])


@truth("a dynamic set of those that send too much", "firewall")
def flood(t):
    begin(t)
    t.nft(f"table inet house {{ set flood {{ type ipv{4 if t.v4 else 6}_addr; flags dynamic; size 1000;\n}}\n"
          "chain f { type filter hook forward priority 0;\n"
          f"update @flood {{ ip{t.six} saddr limit rate over 5/second burst 1 packets }} drop\n}}\n}}\n")


@truth("a queue too slow for it", "queue", blind="any", cure="or")
def queue(t):
    need("tc")
    begin(t)
    if subprocess.run("tc qdisc add dev a2 root tbf rate 1kbit burst 100 limit 200".split()).returncode:
        raise Skip("no tbf in this kernel")


for when in ("input", "output"):
    @truth(f"a filter of the bridge that is the {when}", "firewall",
           blind=UNSURE if when == "input" else "any", outs=("a2",))
    def bridge(t, when=when):
        port = "a1" if when == "input" else "a2"
        t.lab.ip_batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up",
                        f"link set {port} master br0"])
        begin(t, "mroute from {0} group 225.1.2.3 to {1}\nmroute from {0} group ff2e::123 to {1}\n".format(
            *(("br0", "a2") if when == "input" else ("a1", "br0"))))
        hook = "input" if when == "input" else "output"
        t.chain(hook, [f"ip{t.six} daddr {t.group} drop"], family="bridge")


@truth("clean: a program at the input (XDP) that passes all", "fine")
def program(t):
    begin(t)
    t.flow.flows("a2")
    xdp(t, "a1", 2)


@truth("a program at the input (XDP) drops all", "nothing", blind="any", cure=None)
def program_drops(t):
    begin(t)
    xdp(t, "a1", 1)


def xdp(t, dev, verdict):
    """Attaches a program that says XDP_PASS (2) or XDP_DROP (1) to all."""
    code = struct.pack("=BBhiBBhi", 0xB7, 0, 0, verdict, 0x95, 0, 0, 0)
    buf, text = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"ISC")
    attr = struct.pack("=IIQQIIQII", 6, 2, ctypes.addressof(buf), ctypes.addressof(text), 0, 0, 0, 0, 0)
    number = {"x86_64": 321, "aarch64": 280, "s390x": 351}.get(os.uname().machine)
    fd = libc.syscall(number, 5, attr, len(attr)) if number else -1
    if fd < 0:
        raise Skip("no programs for XDP here")
    t.callback(os.close, fd)
    nest = struct.pack("=HHi", 8, 1, fd) + struct.pack("=HHI", 8, 3, 2)	# IFLA_XDP_FD, _FLAGS: XDP_FLAGS_SKB_MODE
    body = struct.pack("=BxHiII", 0, 0, socket.if_nametoindex(dev), 0, 0)
    body += struct.pack("=HH", 4 + len(nest), 43 | 0x8000) + nest		# IFLA_XDP
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
        s.send(struct.pack("=IHHII", 16 + len(body), 19, 5, 1, 0) + body)	# RTM_SETLINK
        err = struct.unpack_from("=i", s.recv(4096), 16)[0]
    if err:
        raise Skip(f"XDP: {os.strerror(-err)}")
