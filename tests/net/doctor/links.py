# SPDX-License-Identifier: ISC
#
# Set-ups with interfaces that few kernels of containers have: VLAN, dummy, GRE, VRF, and bridges that snoop
# each VLAN on its own.  See tests/vm.sh for a kernel that does.
import socket
import subprocess

from doctor.bridges import flows, joins, known, moves, quiet, snoops
from doctor.bridges_in import FROM10, TO10, vlan, vlans
from doctor.table import begin, truth
from lab import Skip, wait_until
from sick import RULES


def make(t, *lines):
    """Links by ip(8), or a case skipped where this kernel has none of that kind."""
    for line in lines:
        p = subprocess.run(["ip", *line.split()], text=True, stderr=subprocess.PIPE)
        if p.returncode:
            raise Skip(f"ip {line}: {p.stderr.strip()}")


def up(t, name, net):
    t.lab.ip_batch([f"addr add 10.{net}.0.1/24 dev {name}", f"addr add fd00:{net}::1/64 dev {name} nodad",
                    f"link set {name} up"])


def tagged(t, iface, number):
    """A VLAN at a link of the router and at its host; the host's socket in it."""
    make(t, f"link add link {iface} name {iface}.{number} type vlan id {number}")
    up(t, f"{iface}.{number}", number)
    with t.lab.at(t.lab.host(iface)):
        t.lab.ip_batch([f"link add link eth0 name v{number} type vlan id {number}", f"link set v{number} up"])
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    t.callback(sock.close)
    sock.bind((f"v{number}", 0))
    return sock


# ---- VLAN ----

@truth("VLAN, clean: in by one, out by another", "fine")
def both(t):
    sock = tagged(t, "a1", 10)
    tagged(t, "a2", 20)
    begin(t, RULES.replace("a1", "a1.10").replace("a2", "a2.20"), sock=sock)
    t.flow.flows("a2")


@truth("VLAN: the rule names what it stands on", "no_vif", blind="any")
def names_lower(t):
    sock = tagged(t, "a1", 10)
    begin(t, sock=sock)


@truth("VLAN: the rule names it, and it comes without a tag", "vlan", blind="any", cure=None)
def no_tag(t):
    tagged(t, "a1", 10)
    begin(t, RULES.replace("a1", "a1.10"))


@truth("VLAN: what the output stands on is down", "output")
def lower_down(t):
    tagged(t, "a2", 20)
    begin(t, RULES.replace("a2", "a2.20"))
    t.lab.ip("link", "set", "a2", "down")


# ---- dummy, GRE ----

@truth("dummy, clean: it is an output", "fine")
def dummy(t):
    make(t, "link add d0 type dummy")
    up(t, "d0", 30)
    begin(t, RULES.replace("to a2", "to a2 d0"))
    t.flow.flows("a2")


def gre(t):
    make(t, "link add g0 type gre local 10.2.0.1 remote 10.2.0.2 ttl 16")
    t.lab.ip("neigh", "replace", "10.2.0.2", "lladdr", "02:00:00:00:00:07", "dev", "a2")
    t.lab.ip("link", "set", "g0", "multicast", "on")
    up(t, "g0", 31)


@truth("GRE, clean: it is an output", "fine", families=("IPv4",))
def gre_out(t):
    gre(t)
    begin(t, RULES.replace("to a2", "to g0 a3"))
    t.flow.flows("a3")
    wait_until(lambda: t.lab.ip("-s", "link", "show", "g0").split("TX:")[1].split()[7] != "0", "packets in the tunnel")


@truth("GRE: it is down", "output", families=("IPv4",), cure=None)
def gre_down(t):
    gre(t)
    begin(t, RULES.replace("to a2", "to g0"))
    t.lab.ip("link", "set", "g0", "down")


@truth("GRE: too large for it", "mtu", families=("IPv4",), cure=None)
def gre_mtu(t):
    gre(t)
    begin(t, RULES.replace("to a2", "to g0"), size=1490)


# ---- VRF ----

def vrf(t, *ports):
    make(t, "link add red type vrf table 10")
    t.lab.ip("link", "set", "red", "up")
    for p in ports:
        t.lab.ip("link", "set", p, "master", "red")


for text, ports in (("the input", ("a1",)), ("the output", ("a2",)), ("both", ("a1", "a2"))):
    @truth(f"VRF, clean: {text} in one", "fine", blind="any")
    def in_vrf(t, ports=ports):
        vrf(t, *ports)
        begin(t)
        if not moves(t):
            raise Skip("this kernel does not route it")


# Of IPv4 netfilter sees it as come in by the VRF (vrf_ip_rcv()), of IPv6 by the interface.
for text, rule in (("what came in by it", ""), ("what it calls its own", 'iifname "red" ')):
    @truth(f"VRF: a chain drops {text}", "firewall", families=("IPv4",) if rule else ("IPv4", "IPv6"), blind="any")
    def vrf_chain(t, rule=rule):
        vrf(t, "a1", "a2")
        begin(t)
        if not moves(t):
            raise Skip("this kernel does not route it")
        t.chain("forward", [f"{rule}ip{t.six} daddr {t.group} drop"])


# ---- bridges that snoop each VLAN on its own ----

def by_vlan(t, *ports, outside="a2", querier="1"):
    vlans(t, *ports, outside=outside, querier=False)
    if subprocess.run("ip link set br0 type bridge mcast_vlan_snooping 1".split()).returncode:
        raise Skip("bridges of this kernel do not snoop by VLAN")
    vlan("global", "set", "dev", "br0", "vid", "10", "mcast_snooping", "1", "mcast_igmp_version", "3",
         "mcast_mld_version", "2", "mcast_query_response_interval", "10", "mcast_querier", querier)


@truth("bridge by VLAN, clean: a member", "fine", blind="any")
def by_vlan_member(t):
    by_vlan(t, "a2", "a3")
    joins(t, "a2")
    known(t, "a2")
    begin(t, TO10)
    flows(t, "a2")


@truth("bridge by VLAN, clean: nobody asks, so all is flooded", "fine", blind="any")
def by_vlan_quiet(t):
    by_vlan(t, "a2", querier="0")
    begin(t, TO10)
    flows(t, "a2")


for cure in ("fix", "or"):
    @truth(f"bridge by VLAN: nobody joined, {cure}", "nobody", blind="any", cure=cure, says="nobody joined")
    def by_vlan_nobody(t):
        by_vlan(t, "a2")
        begin(t, TO10)
        snoops(t)


@truth("bridge by VLAN, clean: the input, which floods", "fine", blind="any")
def by_vlan_in(t):
    by_vlan(t, "a1", "a3", outside="a1", querier="0")
    begin(t, FROM10)
    flows(t, "a2")


for cure in ("fix", "or"):
    @truth(f"bridge by VLAN: it keeps them from this host, {cure}", "snooping", blind="any", cure=cure)
    def by_vlan_kept(t):
        by_vlan(t, "a1", "a3", outside="a1")
        begin(t, FROM10)
        if not quiet(t, "a2"):
            raise Skip("this kernel hands them to a router")
