# SPDX-License-Identifier: ISC
#
# Set-ups of people: who sends to one source's receivers, through tunnels, from the router itself, behind
# NAT, with rules for routes; and two things wrong at once.
import fcntl
import os
import socket
import struct

from doctor.table import THREE, UNSURE, begin, truth
from lab import Skip, wait_until
from packet import address, frame
from sick import RULES, need

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
AWAY = "mroute from a1 group 225.9.9.9 to a2\nmroute from a1 group ff2e::ff to a2\n"


def ssm(t):
    t.group = "232.1.2.3" if t.v4 else "ff3e::1234"


def blocked(t, **kw):
    t.stream(**kw)
    wait_until(lambda: t.lab.route(t.src, t.group), "an entry that blocks it")


# ---- for one source ----

@truth("SSM: no rule", "no_rule", says="mroute from a1 source")
def ssm_no_rule(t):
    ssm(t)
    t.start(AWAY)
    blocked(t)


@truth("other rules for the group name their source", "no_rule", says="mroute from a1 source")
def by_source(t):
    other = "10.1.0.8" if t.v4 else "fd00:1::8"
    t.start(f"mroute from a1 source {other} group {t.group} to a2\n")
    blocked(t)


@truth("memberships of the group name their source", "no_rule", says="mroute from a1 source")
def by_member(t):
    other = "10.1.0.8" if t.v4 else "fd00:1::8"
    t.start(AWAY + f"mgroup from a1 source {other} group {t.group}\n")
    blocked(t)


@truth("SSM: nothing arrives, and the rule names the source", "nothing", cure=None, says="mgroup from a1 source")
def ssm_silent(t):
    ssm(t)
    t.start(f"mroute from a1 source {t.src} group {t.group} to a2\n")


@truth("SSM: nothing arrives, and no source is known", "nothing", cure=None, says="must name its source")
def ssm_unknown(t):
    ssm(t)
    t.start(f"mroute from a1 group {t.group} to a2\n")


# ---- this host sends ----

def own(t, iface, ttl):
    """Packets that a program of this host sends."""
    s = t.enter_context(socket.socket(socket.AF_INET if t.v4 else socket.AF_INET6, socket.SOCK_DGRAM))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, iface.encode())
    if t.v4:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
    else:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
    t.repeat(lambda: s.sendto(b"here", (t.group, 5000)), 0.02)
    t.sends = True
    src = "10.1.0.1" if t.v4 else "fd00:1::1"
    wait_until(lambda: t.lab.counted(src, t.group) > 5, "an entry for what this host sends")


@truth("this host sends itself, and it is routed", "fine")
def own_fine(t):
    t.start(THREE)
    own(t, "a1", 16)


@truth("this host sends itself, with a TTL of 1", "nothing", cure=None, blind="any", says="IP_MULTICAST_TTL")
def own_short(t):
    t.start(THREE)
    own(t, "a1", 1)


@truth("a source with an address of this host, which is let in", "fine", families=("IPv4",))
def own_address(t):
    t.sysctl("ipv4/conf/a1/accept_local", 1)
    begin(t, src="10.2.0.1")
    t.flow.flows("a2")


# ---- NAT ----

def nat(t, hook, priority, rule):
    t.nft(f"table ip{t.six} nat {{ chain p {{ type nat hook {hook} priority {priority}; {rule}\n}}\n}}\n")


@truth("NAT gives it another source", "fine", says="(NAT)")
def masquerade(t):
    t.start()
    nat(t, "postrouting", 100, "oifname \"a2\" masquerade")
    t.stream().flows("a2")


@truth("NAT for others, this host sends too, and a filter drops it", "firewall", blind="any")
def masquerade_drop(t):
    begin(t)
    nat(t, "postrouting", 100, "oifname \"a4\" masquerade")
    t.chain("forward", [f"ip{t.six} daddr {t.group} drop"])
    own(t, "a1", 1)


@truth("NAT gives it another group", "changed", blind="any", cure=None, says="nat")
def dnat(t):
    t.start()
    nat(t, "prerouting", -100, f"ip{t.six} daddr {t.group} dnat to {t.other}")
    t.stream()


# ---- routes back ----

for cure in ("fix", "or"):
    @truth(f"a rule for routes leads back elsewhere, {cure}", "rp_filter", families=("IPv4",), blind=UNSURE, cure=cure)
    def policy(t):
        t.lab.ip("rule", "add", "to", "192.0.2.0/24", "lookup", "100")
        t.lab.ip("route", "add", "192.0.2.0/24", "dev", "a2", "table", "100")
        t.lab.ip("route", "add", "192.0.2.0/24", "dev", "a1")
        t.sysctl("ipv4/conf/a1/rp_filter", 1)
        begin(t, src="192.0.2.5")


@truth("a rule for routes leads back where it came from", "fine", families=("IPv4",))
def policy_good(t):
    t.lab.ip("rule", "add", "to", "192.0.2.0/24", "lookup", "100")
    t.lab.ip("route", "add", "192.0.2.0/24", "dev", "a1", "table", "100")
    t.lab.ip("route", "add", "192.0.2.0/24", "dev", "a2")
    t.sysctl("ipv4/conf/a1/rp_filter", 1)
    begin(t, src="192.0.2.5")
    t.flow.flows("a2")


@truth("a mark leads back elsewhere", "rp_filter", families=("IPv4",), blind=UNSURE)
def mark(t):
    t.sysctl("ipv4/conf/a1/rp_filter", 1)
    t.sysctl("ipv4/conf/a1/src_valid_mark", 1)
    t.lab.ip("rule", "add", "fwmark", "7", "lookup", "100")
    t.lab.ip("route", "add", "default", "dev", "a2", "table", "100")
    t.chain("prerouting", ["iifname a1 meta mark set 7"], priority=-150)
    begin(t)


@truth("loose, on an interface without an address", "rp_filter", families=("IPv4",), blind=UNSURE)
def bare(t):
    t.sysctl("ipv4/conf/a1/rp_filter", 2)
    t.lab.ip("addr", "flush", "dev", "a1")
    t.lab.ip("route", "add", "10.1.0.0/24", "dev", "a3")
    begin(t)


@truth("the source is 255.255.255.255", "source", families=("IPv4",), blind=UNSURE, cure=None)
def broadcast(t):
    begin(t, src="255.255.255.255")


# ---- outputs ----

@truth("a ttl-threshold that lets nothing out", "shut", families=("IPv4",), cure=None)
def shut(t):
    begin(t, RULES + "phyint a2 ttl-threshold 255\n")


@truth("too large for the route", "mtu", families=("IPv6",), cure=None)
def mtu_route(t):
    t.lab.ip("-6", "route", "add", "multicast", t.group, "dev", "a2", "mtu", "lock", "1300", "table", "local")
    begin(t, size=1400)


@truth("TTL 1: all outputs in one line", "ttl", outs=("a2", "a3", "a4"), says="a2, a3, a4")
def ttl_all(t):
    need("nft")
    begin(t, THREE, ttl=1)


# ---- two things wrong ----

@truth("TTL 1, and a filter that drops it", ["firewall", "ttl"], blind=(1, ["ttl"]))
def ttl_filter(t):
    begin(t, ttl=1)
    t.chain("forward", [f"ip{t.six} daddr {t.group} drop"])


@truth("TTL 1, and no rule", ["no_rule", "ttl"], blind=(1, ["no_rule"]))
def ttl_no_rule(t):
    need("nft")
    t.start(AWAY)
    blocked(t, ttl=1)


@truth("TTL 1, and the output is down", ["output", "ttl"], blind=(1, ["output"]))
def ttl_down(t):
    need("nft")
    begin(t, ttl=1)
    t.lab.ip("link", "set", "a2", "down")


@truth("two filters at once", "firewall")
def two_filters(t):
    begin(t)
    t.chain("forward", [f"ip{t.six} daddr {t.group} drop"])
    t.chain("postrouting", [f"ip{t.six} daddr {t.group} drop"], table="garden")


# ---- tunnels ----

def tunnel(t, name):
    """An interface like those of WireGuard: no ARP, no MULTICAST flag."""
    try:
        tun = t.enter_context(open("/dev/net/tun", "r+b", buffering=0))
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    except OSError as e:
        raise Skip(f"no tunnel here: {e.strerror}") from None
    t.lab.ip_batch([f"link set {name} up multicast off", f"addr add 10.9.0.1/24 dev {name}",
                    f"addr add fd00:9::1/64 dev {name} nodad"])
    return tun


@truth("it comes by a tunnel", "fine")
def tunnel_in(t):
    tun = tunnel(t, "wg0")
    t.start(RULES.replace("from a1", "from wg0"))
    src = "10.9.0.9" if t.v4 else "fd00:9::9"
    t.repeat(lambda: tun.write(frame(src, t.group, 16, 5)[14:]), 0.02)
    wait_until(lambda: t.lab.counted(src, t.group) > 5, "packets to be routed")


@truth("it goes out by a tunnel", "fine")
def tunnel_out(t):
    tun = tunnel(t, "wg0")
    begin(t, RULES.replace("to a2", "to wg0"))
    os.set_blocking(tun.fileno(), False)
    seen = []
    t.repeat(lambda: seen.append(address(t.group) in (tun.read(2000) or b"")), 0.001)
    wait_until(lambda: any(seen), "packets by the tunnel")


@truth("it comes by a tunnel that has no rule", "no_vif", blind=UNSURE, cure=None)
def tunnel_lost(t):
    tun = tunnel(t, "wg0")
    t.start()
    src = "10.9.0.9" if t.v4 else "fd00:9::9"
    t.repeat(lambda: tun.write(frame(src, t.group, 16, 5)[14:]), 0.02)
