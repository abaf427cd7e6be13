# SPDX-License-Identifier: ISC
#
# Bridges as people have them: containers, machines with taps, bridges behind bridges, access points,
# queriers elsewhere.
import contextlib
import fcntl
import os
import struct
import subprocess

from cases import case
from doctor.bridges import FROM, TO, bridge, calm, flows, joins, known, link, moves, port, setup, snoops
from doctor.table import THREE, Setup, begin, igmp, mld
from lab import Skip, check, same, wait_until
from member import member
from sick import RULES, blind, findings, need, path

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 2, 0x1000


def static(iface, group, *words, name="br0"):
    subprocess.run(["bridge", "mdb", "add", "dev", name, "port", iface, "grp", group, "permanent", *words], check=True)


def asks(t, iface):
    """A querier behind a port."""
    if t.v4:
        t.raw(iface, igmp(0x11, "0.0.0.0", "10.7.0.54", "224.0.0.1"))
    else:
        t.raw(iface, mld(130, "::", "fe80::54", "ff02::1"))


def tap(t, name, is_open):
    """A port for a virtual machine, which runs or not."""
    if not os.path.exists("/dev/net/tun"):
        raise Skip("no tunnel here")
    t.lab.ip_batch([f"tuntap add dev {name} mode tap", f"link set {name} master br0", f"link set {name} up"])
    if is_open:
        fd = os.open("/dev/net/tun", os.O_RDWR)
        t.callback(os.close, fd)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))


# ---- containers ----

@setup("bridge, clean: containers on a bridge without querier get all", "fine")
def docker(t):
    bridge(t, "a2", "a3", name="docker0", querier=False)
    begin(t, RULES.replace("to a2", "to docker0"))
    flows(t, "a2", "a3")


@setup("bridge, clean: a container sends, the router's input is the bridge", "fine")
def docker_out(t):
    bridge(t, "a1", "a3", name="docker0", querier=False)
    begin(t, RULES.replace("from a1", "from docker0"))
    flows(t, "a2")


@setup("bridge: containers behind a bridge that asks, none joined", "nobody", outs=("a2", "a3"))
def docker_nobody(t):
    bridge(t, "a2", "a3", name="docker0")
    begin(t, RULES.replace("to a2", "to docker0"))
    snoops(t)


@setup("bridge: the veth of the container that joined is down", "bridge_port", blind="maybe")
def docker_veth(t):
    bridge(t, "a2", "a3")
    static("a2", t.group)
    joins(t, "a3")
    known(t, "a3")
    t.lab.ip("link", "set", "a2", "down")
    begin(t, TO)


# ---- queriers ----

@setup("bridge, clean: the querier is behind a port, and gets all; nobody else joined", "fine")
def far_querier(t):
    bridge(t, "a2", "a3", querier=False)
    asks(t, "a3")
    begin(t, TO)
    flows(t, "a3")
    snoops(t)


@setup("bridge, clean: the querier is behind a port, a member behind another", "fine")
def far_querier_member(t):
    bridge(t, "a2", "a3", querier=False)
    asks(t, "a3")
    joins(t, "a2")
    known(t, "a2")
    begin(t, TO)
    flows(t, "a2", "a3")


@setup("bridge: the querier is behind a port that is told to be no router's, and nobody joined", "nobody")
def far_querier_hidden(t):
    bridge(t, "a2", "a3", querier=False)
    port("a3", "mcast_router", "0")
    asks(t, "a3")
    begin(t, TO)
    snoops(t)


@setup("bridge: it asks for members of IPv4, and of IPv6 without an address not", "nobody", families=("IPv4",))
def no_v6(t):
    v6_off(t)


@setup("bridge, clean: it asks for members of IPv4, and of IPv6 without an address not", "fine", families=("IPv6",))
def no_v6_clean(t):
    v6_off(t)


def v6_off(t):
    need("bridge")
    t.lab.ip_batch(["link add br0 type bridge mcast_snooping 1 mcast_query_response_interval 10",
                    "link set a2 master br0", "link set br0 addrgenmode none", "link set br0 up",
                    "link set br0 type bridge mcast_querier 1"])
    begin(t, TO)
    if t.v4:
        snoops(t)
    else:
        flows(t, "a2")


@setup("bridge, clean: it has just begun to ask, and floods until then", "fine", blind="any")
def begun(t):
    bridge(t, "a2", querier=False)
    t.lab.ip("link", "set", "br0", "type", "bridge", "mcast_query_response_interval", "3000")
    t.lab.ip("link", "set", "br0", "type", "bridge", "mcast_querier", "1")
    begin(t, TO)
    t.flow.flows("a2")


@setup("bridge: the member leaves", "nobody")
def leaves(t):
    bridge(t, "a2")
    with contextlib.ExitStack() as stay:
        with t.lab.at("hb"):
            stay.enter_context(member("eth0", t.group))
        known(t, "a2")
    begin(t, TO)
    snoops(t)


@setup("bridge: this host is a member on it, and nobody behind its ports", "nobody", blind="any")
def host_member(t):
    bridge(t, "a2")
    t.enter_context(member("br0", t.group))
    begin(t, TO)
    snoops(t)


# ---- bridges behind bridges ----

def pair(t, *second, querier=True):
    """br0 leads to br1, behind which a2 is."""
    bridge(t)
    bridge(t, "a2", name="br1", net=8, querier=querier)
    t.lab.ip_batch(["link add v0 type veth peer name v1", "link set v0 master br0", "link set v1 master br1",
                    "link set v0 up", "link set v1 up"])


@setup("bridge, clean: a member behind a second bridge", "fine")
def second(t):
    pair(t, querier=False)
    joins(t, "a2")
    known(t, "v0")
    begin(t, TO)
    flows(t, "a2")


@setup("bridge: a second bridge behind it gets all, and nobody joined there", "nobody", cure="or")
def second_nobody(t):
    pair(t)
    port("v0", "mcast_router", "2")
    begin(t, TO)
    snoops(t)


@setup("bridge, clean: two bridges that flood", "fine")
def second_floods(t):
    pair(t)
    for name in ("br0", "br1"):
        t.lab.ip("link", "set", name, "type", "bridge", "mcast_snooping", "0")
    begin(t, TO)
    flows(t, "a2")


@setup("bridge: a port of the second bridge is disabled", "nobody", cure=None)
def second_port(t):
    pair(t)
    for name in ("br0", "br1"):
        t.lab.ip("link", "set", name, "type", "bridge", "mcast_snooping", "0")
    port("a2", "state", "0")
    begin(t, TO)


@setup("bridge, clean: in by one bridge, out by another", "fine")
def two(t):
    calm(t, "a1", "a3")
    bridge(t, "a2", name="br1", net=8)
    joins(t, "a2")
    known(t, "a2", "br1")
    begin(t, RULES.replace("a1", "br0").replace("a2", "br1"))
    flows(t, "a2")


@setup("bridge: two outputs are bridges, one without members", "nobody", outs=("a2", "a3"))
def two_outputs(t):
    bridge(t, "a2")
    bridge(t, "a3", name="br1", net=8)
    joins(t, "a2")
    known(t, "a2")
    begin(t, RULES.replace("to a2", "to br0 br1"))
    flows(t, "a2")
    snoops(t, "a3")


@setup("bridge, clean: outputs by a wildcard, a bridge among them", "fine")
def wildcard(t):
    bridge(t, "a2")
    joins(t, "a2")
    known(t, "a2")
    begin(t, RULES.replace("to a2", "to br+"))
    flows(t, "a2")


# ---- machines ----

@setup("bridge, clean: a machine that runs joined, beside one that does not run", "fine")
def machines(t):
    bridge(t, "a2")
    tap(t, "tap0", True)
    tap(t, "tap1", False)
    joins(t, "a2")
    known(t, "a2")
    begin(t, TO)
    flows(t, "a2")


@setup("bridge: its only machine does not run", "output", cure=None)
def machine_off(t):
    bridge(t, querier=False)
    tap(t, "tap1", False)
    begin(t, TO)


@setup("bridge: a machine that runs, and did not join", "nobody", cure=None)
def machine_deaf(t):
    bridge(t, "a2")
    tap(t, "tap0", True)
    begin(t, TO)
    snoops(t)


# ---- access points ----

@setup("bridge: source and receiver are isolated from each other, and no rule is there", "no_rule", cure=None,
       blind="any")
def isolated(t):
    calm(t, "a1", "a2")
    port("a1", "isolated", "on")
    port("a2", "isolated", "on")
    joins(t, "a2")
    known(t, "a2")
    begin(t, FROM.replace("225.1.2.3", "225.7.7.7").replace("ff2e::123", "ff2e::777").replace("to a2", "to a3"))


@setup("bridge, clean: a relay where the bridge passes it on itself", "fine")
def relay(t):
    calm(t, "a1", "a2")
    joins(t, "a2")
    known(t, "a2")
    begin(t, RULES.replace("a1", "br0").replace("a2", "br0"))
    flows(t, "a2")


@setup("bridge, clean: hairpin on the member's port", "fine")
def hairpin(t):
    bridge(t, "a2")
    port("a2", "hairpin", "on")
    joins(t, "a2")
    known(t, "a2")
    begin(t, TO)
    flows(t, "a2")


# ---- filters of a bridge, and what else may be on it ----

@setup("bridge: a chain passes one packet in ten to the member's port", "bridge_port", cure=None, blind="maybe")
def limited(t):
    bridge(t, "a2")
    joins(t, "a2")
    known(t, "a2")
    begin(t, TO)
    t.flow.flows("a2")
    t.chain("output", [f"ip{t.six} daddr {t.group} limit rate over 5/second burst 1 packets drop"], family="bridge")


@setup("bridge, clean: a chain of its family drops another group", "fine")
def chain_other(t):
    bridge(t, "a2")
    joins(t, "a2")
    known(t, "a2")
    begin(t, TO)
    t.chain("output", [f"ip{t.six} daddr {t.other} drop"], family="bridge")
    flows(t, "a2")


@setup("bridge, clean: old members and queriers behind both sides", "fine")
def old(t):
    bridge(t, "a2", "a3", more="mcast_igmp_version 2 mcast_mld_version 1")
    asks(t, "a1")
    if t.v4:
        t.raw("a2", igmp(0x16, t.group, "10.7.0.55"))
    else:
        t.raw("a2", mld(131, t.group, "fe80::55"))
    known(t, "a2")
    begin(t, TO)
    flows(t, "a2")


@setup("bridge, clean: much other traffic on it", "fine", blind="any")
def busy(t):
    bridge(t, "a2", "a3")
    joins(t, "a2")
    joins(t, "a3", group=t.other)
    known(t, "a2")
    begin(t, TO + TO.replace("225.1.2.3", "225.9.9.9").replace("ff2e::123", "ff2e::999"))
    t.stream(group=t.other).flows("a3")
    flows(t, "a2")


@setup("bridge: nobody joined, and much other traffic on it", "nobody", blind="any")
def busy_nobody(t):
    bridge(t, "a2", "a3")
    joins(t, "a2", group=t.other)
    begin(t, TO + TO.replace("225.1.2.3", "225.9.9.9").replace("ff2e::123", "ff2e::999"))
    t.stream(group=t.other).flows("a2")
    snoops(t)


@setup("bridge: it is down", "output")
def down(t):
    bridge(t, "a2", querier=False)
    begin(t, TO)
    t.lab.ip("link", "set", "br0", "down")


@setup("bridge: too large for it", "mtu")
def mtu(t):
    bridge(t, "a2", querier=False)
    t.lab.ip("link", "set", "br0", "mtu", "1300")
    begin(t, TO, size=1400)


@setup("bridge: IPv6 is off on it", "ipv6_off", families=("IPv6",), blind="maybe")
def family_off(t):
    bridge(t, "a2", querier=False)
    begin(t, TO)
    t.flow.flows("a2")
    t.sysctl("ipv6/conf/br0/disable_ipv6", 1)


@setup("bridge: one output of three is a port of it, and the rule wants the others too", "fine")
def mixed(t):
    bridge(t, "a2")
    begin(t, THREE)
    flows(t, "a2", "a3", "a4")


@setup("bridge: no daemon, and the rule of the file names it", "no_router", blind="any", cure="fix")
def no_daemon(t):
    bridge(t, "a1", "a3", querier=False)
    t.words = (t.lab.write("smcroute.conf", FROM),)
    t.stream()


@setup("bridge, clean: a macvlan on it is the input", "fine")
def macvlan_in(t):
    bridge(t, "a1", "a3")
    t.lab.ip_batch(["link add mv0 link br0 type macvlan mode bridge", "addr add 10.8.0.1/24 dev mv0",
                    "addr add fd00:8::1/64 dev mv0 nodad", "link set mv0 up"])
    begin(t, RULES.replace("from a1", "from mv0"))
    flows(t, "a2")


@setup("bridge, clean: a switch behind the output snoops, which nobody sees", "fine")
def far_switch(t):
    begin(t)
    flows(t, "a2")
    with t.lab.at("hb"):
        t.lab.ip_batch(["link add br0 type bridge mcast_snooping 1", "link set br0 up"])


@setup("bridge, clean: a spanning tree that holds back one of two ways", "fine", families=("IPv4",))
def loop(t):
    bridge(t, "a2", more="stp_state 1 forward_delay 200 hello_time 100", querier=False)
    t.lab.ip_batch(["link add l0 type veth peer name l1", "link set l0 master br0", "link set l1 master br0",
                    "link set l0 up", "link set l1 up"])
    wait_until(lambda: "state forwarding" in link("a2"), "the spanning tree")
    begin(t, TO)
    flows(t, "a2")
    if "state blocking" not in link("l1") + link("l0"):
        raise Skip("no port is blocking")


# ---- rules in the kernel, and all groups at once ----

KERNEL = TO.replace(" to ", " kernel to ")


@setup("bridge, clean: a rule in the kernel, a member", "fine", blind="any")
def in_kernel(t):
    bridge(t, "a2")
    joins(t, "a2", t.src)
    known(t, "a2")
    begin(t, KERNEL)
    t.flow.flows("a2")


@setup("bridge: a rule in the kernel, and nobody joined", "nobody", blind="maybe")
def in_kernel_nobody(t):
    bridge(t, "a2")
    begin(t, KERNEL)
    wait_until(lambda: not moves(t, "a2"), "the bridge to snoop")


@case("bridge: all groups at once, one without members")
def all_groups(lab):
    path(lab)
    with Setup(lab, "IPv4") as t:
        bridge(t, "a2")
        joins(t, "a2")
        known(t, "a2")
        begin(t, TO + "mroute from a1 group 225.9.9.9 to br0\n")
        t.flow.flows("a2")
        t.stream(group=t.other)
        wait_until(lambda: lab.counted(t.src, t.other) > 20, "packets of the other group")
        rc, found = findings(lab, "doctor", "1", *t.words)
        same((rc, [f["what"] for f in found if f["severity"] in ("error", "good")]), (1, ["nobody", "fine"]), "verdict")
        check(t.other in found[0]["text"], "the other group is not named")
        # The port counts both groups, so that one may hide the other.
        rc, found = findings(lab, "doctor", "1", *t.words, wrap=blind())
        check(rc in (1, 2) and any(t.other in f["text"] for f in found), f"verdict without capabilities: {rc}")
