# SPDX-License-Identifier: ISC
#
# Set-ups where packets come in by a bridge, in VLANs, or by a bond.
import subprocess

from doctor.bridges import FROM, TO, bridge, calm, flows, joins, known, knows, link, port, setup, snoops
from doctor.table import UNSURE, begin
from lab import Skip, wait_until
from sick import RULES, need


# ---- on the way in ----

def hands_over(t):
    """Once the bridge snoops, whether it hands to this host what that did not join: since 6.16 to one that routes."""
    def come(iface):
        before, first = t.flow.seen(iface), t.flow.sent
        wait_until(lambda: t.flow.sent > first + 20, "packets")
        return t.flow.seen(iface) > before
    wait_until(lambda: not come("a3"), "the bridge to snoop")
    return come("a2")


@setup("bridge, clean: they come in on a port, and this host is no member", "fine")
def comes_in(t):
    bridge(t, "a1", "a3")
    begin(t, FROM)
    if not hands_over(t):
        raise Skip("this kernel keeps it from this host")


for cure in ("fix", "or"):
    @setup(f"bridge: it keeps them from this host, {cure}", "snooping", cure=cure)
    def kept(t):
        bridge(t, "a1", "a3")
        begin(t, FROM)
        if hands_over(t):
            raise Skip("this kernel hands them to a router")


@setup("bridge, clean: it is told of this router by mrdisc", "fine", blind="any")
def announced(t):
    bridge(t, "a1", "a3")
    begin(t, FROM + "phyint br0 mrdisc\n")
    flows(t, "a2")


@setup("bridge, clean: they come in on a port, and this host is a member", "fine")
def member_in(t):
    bridge(t, "a1", "a3")
    begin(t, FROM + f"mgroup from br0 group {t.group}\n")
    flows(t, "a2")


@setup("bridge: the rule names the port where they come in", "port")
def names_port(t):
    calm(t, "a1", "a3")
    begin(t)


@setup("bridge: a rule from one port to another", "port", cure=None)
def port_to_port(t):
    calm(t, "a1", "a2")
    begin(t)


for state in ("disabled", "learning"):
    @setup(f"bridge: the port where they come in is {state}", "bridge_port", blind=UNSURE)
    def port_in(t, state=state):
        calm(t, "a1", "a3")
        port("a1", "state", {"disabled": "0", "learning": "2"}[state])
        begin(t, FROM)


for cure in ("fix", "or"):
    @setup(f"bridge: the port where they come in is locked, {cure}", "bridge_port", blind=UNSURE, cure=cure)
    def locked(t, cure=cure):
        if cure == "fix":
            knows(t, "locked")
        calm(t, "a1", "a3")
        port("a1", "learning", "off", "locked", "on")
        begin(t, FROM)


# ---- input and output are one ----

@setup("bridge, clean: a relay between isolated ports", "fine")
def relay(t):
    calm(t, "a1", "a2")
    port("a1", "isolated", "on")
    port("a2", "isolated", "on")
    joins(t, "a2")
    known(t, "a2")
    begin(t, RULES.replace("a1", "br0").replace("a2", "br0"))
    flows(t, "a2")


@setup("bridge: receivers are behind another port of it, and no rule is there", "no_rule", cure=None, blind="any")
def bridged(t):
    calm(t, "a1", "a2")
    joins(t, "a2")
    known(t, "a2")
    begin(t, FROM.replace("225.1.2.3", "225.7.7.7").replace("ff2e::123", "ff2e::777").replace("to a2", "to a3"))
    t.flow.flows("a2")


# ---- VLANs ----

def vlans(t, *ports, outside="a2", self_=True, querier=True):
    """A bridge that filters by VLAN; the router's interface is br0.10, the port `outside` is in VLAN 10."""
    need("bridge")
    if subprocess.run(["ip", "link", "add", "br0", "type", "bridge", "vlan_filtering", "1", "mcast_snooping", "1",
                       "mcast_query_response_interval", "10", "mcast_igmp_version", "3", "mcast_mld_version", "2"],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("this kernel's bridges know no VLANs")
    t.lab.ip_batch([*(f"link set {p} master br0" for p in ports), "link set br0 up",
                    "addr add fe80::8/64 dev br0 nodad", "link add link br0 name br0.10 type vlan id 10",
                    "addr add 10.7.0.1/24 dev br0.10", "addr add fd00:7::1/64 dev br0.10 nodad",
                    "addr add fe80::7/64 dev br0.10 nodad",
                    "link set br0.10 up"])
    if self_:
        vlan("add", "dev", "br0", "vid", "10", "self")
    if outside:
        vlan("add", "dev", outside, "vid", "10", "pvid", "untagged")
    if querier:
        t.lab.ip("link", "set", "br0", "type", "bridge", "mcast_querier", "1")


def vlan(*words):
    subprocess.run(["bridge", "vlan", *words], check=True)


TO10 = RULES.replace("to a2", "to br0.10")
FROM10 = RULES.replace("from a1", "from br0.10")


@setup("bridge, clean: a member in the VLAN of the output", "fine")
def vlan_member(t):
    vlans(t, "a2", "a3")
    joins(t, "a2")
    known(t, "a2")
    begin(t, TO10)
    flows(t, "a2")


@setup("bridge: a member in another VLAN alone", "nobody")
def vlan_other(t):
    vlans(t, "a2", "a3")
    joins(t, "a3")
    known(t, "a3")
    begin(t, TO10)
    snoops(t)


for cure in ("fix", "or"):
    @setup(f"bridge: the port is not in the VLAN, {cure}", "nobody", cure=cure)
    def vlan_port(t):
        vlans(t, "a2", outside=None, querier=False)
        begin(t, TO10)


@setup("bridge: this host is not in the VLAN of the output", "nobody")
def vlan_self(t):
    vlans(t, "a2", self_=False, querier=False)
    begin(t, TO10)


@setup("bridge, clean: no VLAN but the usual one", "fine")
def vlan_usual(t):
    vlans(t, "a2", "a3", outside=None)
    joins(t, "a2")
    known(t, "a2")
    t.lab.ip_batch(["addr add 10.8.0.1/24 dev br0", "addr add fd00:8::1/64 dev br0 nodad"])
    begin(t, TO)
    flows(t, "a2")


@setup("bridge, clean: they come in in a VLAN", "fine")
def vlan_in(t):
    vlans(t, "a1", "a3", outside="a1", querier=False)
    begin(t, FROM10)
    flows(t, "a2")


@setup("bridge: the port where they come in is not in the VLAN", "vlan", blind=UNSURE)
def vlan_port_in(t):
    vlans(t, "a1", "a3", outside="a3", querier=False)
    begin(t, FROM10)


@setup("bridge: this host is not in the VLAN where they come in", "bridge_port", blind=UNSURE)
def vlan_self_in(t):
    vlans(t, "a1", "a3", outside="a1", self_=False, querier=False)
    begin(t, FROM10)


@setup("bridge: the rule names the bridge, not the VLAN on it", "no_vif", blind="any")
def vlan_named(t):
    vlans(t, "a1", "a3", outside="a1", querier=False)
    begin(t, FROM)


# ---- bonds ----

def bond(t, port):
    if subprocess.run(["ip", "link", "add", "bond0", "type", "bond", "mode", "active-backup", "miimon", "50"],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("this kernel has no bonds")
    t.lab.ip_batch([f"link set {port} down", f"link set {port} master bond0", "addr add 10.7.0.1/24 dev bond0",
                    "addr add fd00:7::1/64 dev bond0 nodad", f"link set {port} up", "link set bond0 up"])
    wait_until(lambda: "LOWER_UP" in link("bond0"), "the bond")


@setup("bond, clean: it is the output", "fine")
def bond_out(t):
    bond(t, "a2")
    begin(t, RULES.replace("to a2", "to bond0"))
    flows(t, "a2")


@setup("bond: the rule names a port of it", "port")
def bond_port(t):
    bond(t, "a1")
    begin(t)
