# SPDX-License-Identifier: ISC
#
# Set-ups of gateways and hosts of containers: what people's tools leave in the packet filter, tunnels, rules for
# routes, several routers on one host, and senders that are set up in an odd way.
import contextlib
import os
import socket
import sys

from doctor.homes import AWAY, tunnel
from doctor.table import UNSURE, begin, restore, truth
from lab import Daemon, Failed, Skip, wait_until
from sick import RULES, sized

EVERYWHERE = {"IPv4": "224.0.0.0/4", "IPv6": "ff00::/8"}

# ---- one rule of nftables: what it is, hook, policy, the rule, the truth ----

FINE, DROPS = "fine", "firewall"


@contextlib.contextmanager
def optional():
    """For rules that not every kernel knows."""
    try:
        yield
    except Failed:
        raise Skip("nft: not in this kernel") from None


ONE = (
    ("multicast is dropped by its type", "forward", "accept", "fib daddr type multicast drop", DROPS),
    ("frames to many are dropped", "forward", "accept", "meta pkttype {{ broadcast, multicast }} drop", DROPS),
    ("all groups are dropped", "forward", "accept", "ip{six} daddr {all} drop", DROPS),
    ("all groups are dropped as they come in", "prerouting", "accept", "ip{six} daddr {all} drop", DROPS),
    ("only hosts may be sent to", "forward", "accept", "ip{six} daddr != {net} drop", DROPS),
    ("only neighbours may send", "forward", "accept", "ip{six} saddr != {net} drop", FINE),
    ("new connections are dropped", "forward", "accept", "ct state new drop", DROPS),
    ("only what is known passes", "forward", "drop", "ct state established,related accept", DROPS),
    ("connections from the LAN pass", "forward", "drop", "oifname \"a2\" ct state new,established accept", FINE),
    ("another interface alone passes", "forward", "drop", "oifname {{ \"a3\", \"a4\" }} accept", DROPS),
    ("all interfaces of a kind pass", "forward", "drop", "oifname \"a*\" accept", FINE),
    ("the port is another one", "forward", "drop", "udp dport 5001 accept", DROPS),
    ("the port is in a range", "forward", "drop", "udp dport 4999-5010 accept", FINE),
    ("TCP alone passes", "forward", "drop", "meta l4proto tcp accept", DROPS),
    ("fragments are dropped", "forward", "accept", "ip frag-off & 0x1fff != 0 drop", FINE),
    ("a small TTL is dropped", "forward", "accept", "ip ttl < 5 drop\nip6 hoplimit < 5 drop", FINE),
    ("all but a large TTL is dropped", "prerouting", "accept", "ip ttl < 64 drop\nip6 hoplimit < 64 drop", DROPS),
    ("the MSS is clamped", "forward", "accept", "tcp flags syn tcp option maxseg size set rt mtu", FINE),
    ("it is counted, logged and passed", "forward", "drop", "counter log prefix \"in \" accept", FINE),
    ("it is rejected", "forward", "accept", "oifname \"a2\" reject", DROPS),
    ("it goes to a queue that nobody reads", "forward", "accept", "queue num 7", "lost"),
    ("such a queue may be passed by", "forward", "accept", "queue num 7 bypass", FINE),
    ("the network of the receivers is protected", "postrouting", "accept", "oifname \"a2\" ip{six} saddr {net} drop",
     DROPS),
    ("what this host sends is dropped", "output", "drop", "ip{six} daddr {all} drop", FINE),
    ("what is for this host is dropped", "input", "drop", "ip{six} daddr {all} drop", FINE),
)
for name, hook, policy, rule, want in ONE:
    @truth(f"gateway: {name}", want, blind="any" if hook == "prerouting" or want == "lost" else None,
           cure="fix" if want == DROPS else None)
    def one(t, hook=hook, policy=policy, rule=rule):
        begin(t)
        t.flow.flows("a2")
        net = "10.0.0.0/8" if t.v4 else "fd00::/16"
        with optional():
            t.chain(hook, [rule.format(six=t.six, all=EVERYWHERE[t.family], net=net)], policy=policy)


# ---- what tools leave ----

@truth("fail2ban has banned the sender from this host", FINE)
def banned(t):
    begin(t)
    t.flow.flows("a2")
    t.nft(f"table inet f2b-table {{ set addr-set-sshd {{ type ipv{4 if t.v4 else 6}_addr; "
          f"elements = {{ {t.src} }}\n}}\n"
          "chain f2b-chain { type filter hook input priority -1; policy accept;\n"
          f"tcp dport 22 ip{t.six} saddr @addr-set-sshd reject\n}}\n}}\n")


@truth("fail2ban, of all ports and of what is forwarded", DROPS)
def banned_all(t):
    begin(t)
    restore(t, "*filter\n:FORWARD ACCEPT [0:0]\n:f2b-all - [0:0]\n-A FORWARD -j f2b-all\n"
            "-A f2b-all -s {src} -j REJECT\n-A f2b-all -j RETURN\nCOMMIT\n", "nft", src=t.src)


@truth("Docker since 28: nobody gets to its bridge from outside", DROPS)
def docker_in(t):
    t.lab.ip_batch(["link add docker0 type bridge mcast_snooping 0", "link set docker0 up",
                    "link set a2 master docker0"])
    begin(t, RULES.replace("to a2", "to docker0"))
    restore(t, "*filter\n:FORWARD DROP [0:0]\n:DOCKER - [0:0]\n:DOCKER-FORWARD - [0:0]\n"
            "-A FORWARD -j DOCKER-FORWARD\n"
            "-A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
            "-A DOCKER-FORWARD -o docker0 -j DOCKER\n-A DOCKER-FORWARD -i docker0 -j ACCEPT\n"
            "-A DOCKER ! -i docker0 -o docker0 -j DROP\nCOMMIT\n", "nft")


@truth("Docker keeps addresses of containers to itself, before connections are tracked", FINE)
def docker_raw(t):
    begin(t)
    t.flow.flows("a2")
    restore(t, "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d {dst} ! -i docker0 -j DROP\nCOMMIT\n", "nft",
            dst="172.17.0.2" if t.v4 else "fd17::2")


@truth("podman's netavark", FINE)
def netavark(t):
    begin(t)
    t.flow.flows("a2")
    t.nft("table inet netavark {\nchain NETAVARK-ISOLATION-3 {\noifname \"podman0\" drop\n"
          "jump NETAVARK-ISOLATION-2\n}\nchain NETAVARK-ISOLATION-2 {\n}\n"
          "chain FORWARD { type filter hook forward priority filter; policy accept;\n"
          "ct state invalid drop\njump NETAVARK-ISOLATION-3\nip daddr 10.88.0.0/16 ct state established accept\n}\n"
          "chain POSTROUTING { type nat hook postrouting priority srcnat; policy accept;\n"
          "ip saddr 10.88.0.0/16 masquerade\n}\n}\n")


@truth("firewalld panics", DROPS, blind=UNSURE)
def panic(t):
    begin(t)
    t.nft("table inet firewalld_panic {\nchain p { type filter hook prerouting priority -400; policy drop;\n}\n"
          "chain o { type filter hook output priority -400; policy drop;\n}\n}\n")


@truth("multicast is dropped by the type of its frames, by iptables of old", DROPS)
def pkttype(t):
    restore(t, "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m pkttype --pkt-type multicast -j DROP\nCOMMIT\n", "legacy")
    begin(t)


@truth("nothing is tracked, and what is not is dropped", DROPS)
def untracked(t):
    begin(t)
    t.nft("table inet house {\nchain r { type filter hook prerouting priority -300;\n"
          f"ip{t.six} daddr {t.group} notrack\n"
          "}\nchain f { type filter hook forward priority 0;\nct state { invalid, untracked } drop\n}\n}\n")


@truth("connections are offloaded to a flow table", FINE)
def flowtable(t):
    begin(t)
    t.flow.flows("a2")
    with optional():
        t.nft("table inet fw4 {\nflowtable ft { hook ingress priority filter; devices = { \"a1\", \"a2\" }\n}\n"
              "chain f { type filter hook forward priority filter; policy accept;\n"
              "meta l4proto { tcp, udp } flow add @ft\n}\n}\n")


# ---- senders ----

def wrong_net(t):
    return "10.77.0.9" if t.v4 else "fd00:77::9"


@truth("sender: an address of another network, and nobody minds", FINE)
def other_net(t):
    begin(t, src=wrong_net(t))
    t.flow.flows("a2")


@truth("sender: an address of another network, and a default route", FINE, families=("IPv4",))
def other_net_loose(t):
    t.lab.ip("route", "add", "default", "via", "10.4.0.2", "dev", "a4")
    t.sysctl("ipv4/conf/all/rp_filter", 2)
    begin(t, src=wrong_net(t))
    t.flow.flows("a2")


@truth("sender: an address of another network, and no route at all", "rp_filter", families=("IPv4",), blind=UNSURE)
def other_net_none(t):
    t.sysctl("ipv4/conf/all/rp_filter", 2)
    begin(t, src=wrong_net(t))


@truth("sender: an address of the receivers' network", FINE)
def net_of_receivers(t):
    begin(t, src="10.2.0.9" if t.v4 else "fd00:2::99")
    t.flow.flows("a2")


@truth("sender: it got no address (169.254)", FINE, families=("IPv4",))
def zeroconf(t):
    begin(t, src="169.254.7.7")
    t.flow.flows("a2")


@truth("sender: a TTL of 2", FINE)
def two(t):
    begin(t, ttl=2)
    t.flow.flows("a2")


@truth("sender: a TTL of 2, and a threshold of 2", "ttl", families=("IPv4",))
def two_of_two(t):
    begin(t, RULES + "phyint a2 ttl-threshold 2\n", ttl=2)


@truth("sender: a TTL of 1, raised behind routing, which is too late", "ttl")
def late(t):
    begin(t, ttl=1)
    t.chain("postrouting", ["ip ttl set 16\nip6 hoplimit set 16"], priority=-150)


@truth("sender: a TTL of 1, raised for another port", "ttl")
def another_port(t):
    begin(t, ttl=1)
    t.chain("prerouting", ["udp dport 5001 ip ttl set 16\nudp dport 5001 ip6 hoplimit set 16"], priority=-150)


def to_mac(t, mac):
    make = t.flow.make
    t.flow.make = lambda i: bytes.fromhex(mac.replace(":", "")) + make(i)[6:]


@truth("sender: frames to this host alone", FINE)
def to_us(t):
    begin(t)
    to_mac(t, t.lab.ip("-br", "link", "show", "a1").split()[2])
    t.flow.flows("a2")


@truth("sender: frames to another host, which a switch floods", "nothing", blind="maybe", cure=None)
def to_another(t):
    t.start()
    t.stream()
    to_mac(t, "02:00:00:00:77:77")


@truth("sender: frames to the address of another group", FINE)
def to_other_group(t):
    begin(t)
    to_mac(t, "01:00:5e:7f:00:01" if t.v4 else "33:33:00:00:00:77")
    t.flow.flows("a2")


@truth("sender: large packets that may be fragmented", FINE, families=("IPv4",))
def large(t):
    t.lab.ip("link", "set", "a2", "mtu", "1300")
    begin(t)

    def make(i):
        data = bytearray(sized(t.src, t.group, 16, i, 1400))
        data[20] = 0
        data[24:26] = ((int.from_bytes(data[24:26], "big") + 0x4000 - 1) % 0xFFFF + 1).to_bytes(2, "big")
        return bytes(data)
    t.flow.make = make
    wait_until(lambda: t.lab.counted(t.src, t.group) > 60, "large packets")


@truth("sender: another group", "nothing", blind="maybe", cure=None)
def wrong_group(t):
    t.start()
    t.stream(group="225.1.2.4" if t.v4 else "ff2e::124")


# ---- rules for routes ----

@truth("routes: by the source to another table", FINE)
def by_source(t):
    dash = "-4" if t.v4 else "-6"
    t.lab.ip(dash, "rule", "add", "from", "10.1.0.0/24" if t.v4 else "fd00:1::/64", "lookup", "200")
    t.lab.ip(dash, "route", "add", "default", "dev", "a4", "table", "200")
    t.sysctl("ipv4/conf/a1/rp_filter", 1)
    begin(t)
    t.flow.flows("a2")


@truth("routes: by the input to a black hole", FINE)
def by_input(t):
    dash = "-4" if t.v4 else "-6"
    t.lab.ip(dash, "rule", "add", "iif", "a1", "lookup", "200")
    t.lab.ip(dash, "route", "add", "blackhole", "default", "table", "200")
    t.sysctl("ipv4/conf/a1/rp_filter", 1)
    begin(t)
    t.flow.flows("a2")


@truth("routes: multicast is routed elsewhere by the main table", FINE)
def main_table(t):
    t.lab.ip("-4" if t.v4 else "-6", "route", "add", EVERYWHERE[t.family], "dev", "a4")
    begin(t)
    t.flow.flows("a2")


@truth("routes: multicast is unreachable by the main table", FINE)
def unreachable(t):
    t.lab.ip("-4" if t.v4 else "-6", "route", "add", "unreachable", EVERYWHERE[t.family])
    begin(t)
    t.flow.flows("a2")


@truth("routes: nothing is forwarded but multicast", FINE)
def not_forwarding(t):
    t.sysctl("ipv4/ip_forward", 0)
    t.sysctl("ipv6/conf/all/forwarding", 0)
    begin(t)
    t.flow.flows("a2")


# ---- several routers ----

def second(t, conf, iface):
    """Another daemon, with a table of its own for what comes in on an interface."""
    os.mkdir("/run/two")
    d = Daemon(t.lab, conf, ("-t", "100", "-u", "/run/two/my.sock"), name="two")
    t.lab.ip("-4" if t.v4 else "-6", "mrule", "add", "iif", iface, "lookup", "100")
    return d


@truth("two routers: the other one has another interface", FINE, foreign=None)
def two_routers(t):
    second(t, RULES.replace("from a1", "from a3"), "a3")
    begin(t)
    t.flow.flows("a2")


@truth("two routers: the other one has the interface, and the rule", FINE, foreign=None)
def two_routers_other(t):
    second(t, RULES, "a1")
    begin(t, AWAY)
    t.flow.flows("a2")


# ---- tunnels and addresses ----

@truth("tunnel: it is down", "output", foreign=None)
def tunnel_down(t):
    tunnel(t, "wg0")
    begin(t, RULES.replace("to a2", "to wg0 a2"))
    t.flow.flows("a2")
    t.lab.ip("link", "set", "wg0", "down")


@truth("tunnel: too large for it", "mtu", blind="maybe", cure=None)
def tunnel_mtu(t):
    tunnel(t, "wg0")
    t.lab.ip("link", "set", "wg0", "mtu", "1380")
    begin(t, RULES.replace("to a2", "to wg0 a2"), size=1400)
    t.flow.flows("a2")


@truth("tunnel: what it carries is dropped", DROPS, blind="maybe", cure=None)
def tunnel_drop(t):
    tunnel(t, "wg0")
    begin(t, RULES.replace("to a2", "to wg0 a2"))
    t.flow.flows("a2")
    t.chain("forward", ["oifname \"wg*\" drop"])


@truth("addresses: the output has none", FINE)
def bare(t):
    t.lab.ip("addr", "flush", "dev", "a2")
    t.sysctl("ipv6/conf/a2/addr_gen_mode", 1)
    t.lab.ip("-6", "addr", "flush", "dev", "a2")
    begin(t)
    t.flow.flows("a2")


@truth("addresses: the input has none", FINE)
def bare_in(t):
    t.lab.ip("addr", "flush", "dev", "a1")
    begin(t)
    t.flow.flows("a2")


@truth("groups: of a site, as many are", FINE)
def site(t):
    t.group = "239.255.77.77" if t.v4 else "ff15::77"
    begin(t, f"mroute from a1 group {t.group} to a2\n")
    t.flow.flows("a2")


@truth("groups: of one link alone", "local", cure=None, foreign=None)
def link_local(t):
    t.group = "224.0.0.251" if t.v4 else "ff02::fb"
    t.start()
    t.stream()


@truth("members: a program of this host joined on the input", FINE)
def joined(t):
    s = t.enter_context(socket.socket(socket.AF_INET if t.v4 else socket.AF_INET6, socket.SOCK_DGRAM))
    index = socket.if_nametoindex("a1")
    if t.v4:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(t.group) + bytes(4) +
                     index.to_bytes(4, sys.byteorder))
    else:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, t.group) +
                     index.to_bytes(4, sys.byteorder))
    begin(t)
    t.flow.flows("a2")


@truth("macvlan: the output is one, of a container say", FINE)
def macvlan(t):
    t.lab.ip_batch(["link add mv0 link a2 type macvlan mode private", "link set mv0 up"])
    begin(t, RULES.replace("to a2", "to mv0"))
    t.flow.flows("a2")


@truth("veth: the container's end is down", "output", cure=None)
def veth_down(t):
    t.lab.ip_batch(["link add vc0 type veth peer name vc1", "link set vc0 up"])
    begin(t, RULES.replace("to a2", "to vc0 a2"))
    t.flow.flows("a2")


@truth("veth: its end is in a bridge that drops what it passes on", FINE)
def veth_bridge(t):
    t.lab.ip_batch(["link add br9 type bridge", "link set br9 up", "link add vc0 type veth peer name vc1",
                    "link set vc0 up", "link set vc1 up master br9"])
    begin(t, RULES.replace("to a2", "to vc0 a2"))
    t.flow.flows("a2")
    t.chain("forward", ["drop"], family="bridge")
