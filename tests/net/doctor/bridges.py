# SPDX-License-Identifier: ISC
#
# Set-ups with bridges, whose ports are links of the lab: who is a member behind which port the bridge
# has learned from real reports, or was told.
import contextlib
import itertools
import json
import re
import subprocess

from doctor.table import MODE, begin, truth
from lab import Failed, Skip, same, wait_until
from member import member
from sick import RULES, inside, need

TO = RULES.replace("to a2", "to br0")
FROM = RULES.replace("from a1", "from br0")


COUNT = itertools.count()


def setup(name, what, families=("IPv4", "IPv6"), **kw):
    """As truth; but where both families are the same, by turns one of them, unless DOCTOR=all."""
    n = next(COUNT)
    if not MODE and len(families) > 1:
        families = families[n % 2:n % 2 + 1]
    return truth(name, what, families=families, **kw)


def bridge(t, *ports, name="br0", querier=True, net=7, more=""):
    """A bridge that snoops, with interfaces of the router as its ports, and addresses."""
    need("bridge")
    t.lab.ip_batch([f"link add {name} type bridge mcast_snooping 1 mcast_query_response_interval 10 "
                    f"mcast_igmp_version 3 mcast_mld_version 2 {more}",
                    *(f"link set {p} master {name}" for p in ports),
                    f"addr add 10.{net}.0.1/24 dev {name}", f"addr add fd00:{net}::1/64 dev {name} nodad",
                    f"addr add fe80::{net}/64 dev {name} nodad", f"link set {name} up"])
    if querier:
        t.lab.ip("link", "set", name, "type", "bridge", "mcast_querier", "1")


def calm(t, *ports):
    """A bridge that snoops and hands all to this host: since 6.16 it does for a router anyway."""
    bridge(t, *ports, more="mcast_router 2")


def link(name):
    return subprocess.run(["ip", "-d", "link", "show", "dev", name], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def port(name, *words):
    """Words by pairs, an option and its value."""
    p = subprocess.run(["bridge", "link", "set", "dev", name, *words], text=True, stderr=subprocess.PIPE)
    for word in words[::2] if p.returncode else ():
        has(word)
    same(p.returncode, 0, p.stderr)


def mdb(name="br0"):
    """{(port, group)} of a bridge."""
    out = subprocess.run(["bridge", "-d", "-j", "mdb", "show", "dev", name], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return {(e["port"], e["grp"]) for b in json.loads(out or "[]") for e in b["mdb"]}


def knows(t, word, what="link"):
    """Skips a case where the bridge(8) that is to run the commands lacks a word."""
    has(word, what, inside(t.lab))


def has(word, what="link", wrap=()):
    """The same of the one here, or behind the words of wrap."""
    help_ = subprocess.run([*wrap, "bridge", what, "help"], text=True, stderr=subprocess.PIPE).stderr
    if not re.search(rf"\b{word}\b", help_):
        raise Skip(f"the bridge of that system does not know: {what} {word}")


def joins(t, iface, *sources, group=None, **kw):
    """Somebody behind a port joins."""
    with t.lab.at(t.lab.host(iface)):
        t.enter_context(member("eth0", group or t.group, *sources, **kw))


def known(t, iface, name="br0"):
    wait_until(lambda: (iface, t.group) in mdb(name), f"{name} to know of the member behind {iface}")


def snoops(t, iface="a2"):
    """Until the bridge passes on no more what nobody has joined: its first query is over."""
    def stops():
        before, count = t.flow.seen(iface), t.lab.counted(t.src, t.group)
        wait_until(lambda: t.lab.counted(t.src, t.group) > count + 20, "packets")
        return t.flow.seen(iface) == before
    wait_until(stops, "the bridge to snoop")


def quiet(t, iface):
    """Whether packets stop to come out there, though they are sent."""
    def stops():
        before, sent = t.flow.seen(iface), t.flow.sent
        wait_until(lambda: t.flow.sent > sent + 20, "packets")
        return t.flow.seen(iface) == before
    with contextlib.suppress(Failed):
        return wait_until(stops, "silence", 10)
    return False


def moves(t, iface="a2"):
    """Whether packets still come out there."""
    before = t.flow.seen(iface)
    with contextlib.suppress(Failed):
        wait_until(lambda: t.flow.seen(iface) > before, "packets", 0.5)
        return True
    return False


# ---- on the way out ----

for cure in ("fix", "or"):
    @setup(f"bridge: nobody joined, {cure}", "nobody", cure=cure)
    def nobody(t):
        bridge(t, "a2")
        begin(t, TO)
        snoops(t)


@setup("bridge: somebody joined another group only", "nobody")
def other(t):
    bridge(t, "a2", "a3")
    joins(t, "a3", group=t.other)
    begin(t, TO)
    snoops(t)


for cure in ("fix", "or"):
    @setup(f"bridge: joined for another source, {cure}", "nobody", cure=cure, says="77 behind a2)")
    def other_source(t, cure=cure):
        if cure == "fix":
            knows(t, "src", "mdb")
        bridge(t, "a2", "a3")
        joins(t, "a2", "10.1.0.77" if t.v4 else "fd00:1::77")
        begin(t, TO)
        snoops(t)

    @setup(f"bridge: nobody joined a group of SSM, {cure}", "nobody", cure=cure, says="for this source")
    def ssm(t, cure=cure):
        if cure == "fix":
            knows(t, "src", "mdb")
        t.group = "232.1.2.3" if t.v4 else "ff3e::123"
        bridge(t, "a2")
        begin(t, TO.replace("225.1.2.3", "232.1.2.3").replace("ff2e::123", "ff3e::123"))
        snoops(t)


@setup("bridge, clean: a router gets it, and who joined asked for another source", "fine",
       says="who joined on br0 asked for other sources")
def other_source_router(t):
    bridge(t, "a2", "a3")
    joins(t, "a3", "10.1.0.77" if t.v4 else "fd00:1::77")
    port("a2", "mcast_router", "2")
    begin(t, TO)
    flows(t, "a2")
    snoops(t, "a3")


@setup("bridge: joined for all sources but this one", "nobody", says="all but")
def but_this(t):
    bridge(t, "a2")
    joins(t, "a2", t.src, block=True)
    begin(t, TO)
    snoops(t)


@setup("bridge: nobody joined, one output of two", "nobody", outs=("a2", "a3"))
def one_of_two(t):
    bridge(t, "a2")
    begin(t, RULES.replace("to a2", "to br0 a3"))
    snoops(t)


@setup("bridge: the port of a member is down", "bridge_port", cure=None)
def member_down(t):
    bridge(t, "a2", "a3")
    joins(t, "a3")
    begin(t, TO)
    subprocess.run(["bridge", "mdb", "add", "dev", "br0", "port", "a2", "grp", t.group, "permanent"], check=True)
    known(t, "a3")
    t.lab.ip("link", "set", "a2", "down")


@setup("bridge: the port of a member is disabled", "bridge_port")
def member_disabled(t):
    bridge(t, "a2", "a3")
    joins(t, "a2")
    joins(t, "a3")
    known(t, "a2")
    port("a2", "state", "0")
    begin(t, TO)


@setup("bridge: the MTU of a member's port is too small", "bridge_port", blind="maybe")
def member_mtu(t):
    bridge(t, "a2", "a3")
    joins(t, "a2")
    known(t, "a2")
    t.lab.ip_batch(["link set a2 mtu 1300", "link set br0 mtu 1500"])
    begin(t, TO, size=1400)


@setup("bridge: a chain of its family closes a member's port", "firewall", blind=(1, ["bridge_port"]))
def member_chain(t):
    bridge(t, "a2", "a3")
    joins(t, "a2")
    joins(t, "a3")
    known(t, "a2")
    known(t, "a3")
    begin(t, TO)
    t.chain("output", [f'oifname "a2" ip{t.six} daddr {t.group} drop'], family="bridge")


@setup("bridge: all ports are disabled", "output")
def disabled(t):
    bridge(t, "a2", querier=False)
    begin(t, TO)
    port("a2", "state", "0")


@setup("bridge: its only port is down", "output")
def port_down(t):
    bridge(t, "a2", querier=False)
    begin(t, TO)
    t.lab.ip("link", "set", "a2", "down")
    t.carrier_goes("br0")


@setup("bridge: it has no port", "nobody", cure=None)
def empty(t):
    bridge(t)
    begin(t, TO)


@setup("bridge: a port listens, by the spanning tree", "output", cure=None)
def listening(t):
    bridge(t, "a2", more="stp_state 1 forward_delay 3000")
    begin(t, TO)


# ---- clean ----

def flows(t, *outs):
    """Until they come out, for a while in which a querier has been heard."""
    snoops_for = t.lab.counted(t.src, t.group)
    wait_until(lambda: t.lab.counted(t.src, t.group) > snoops_for + 20, "packets")
    t.flow.flows(*outs)


@setup("bridge, clean: nobody asks, so all is flooded", "fine")
def flooded(t):
    bridge(t, "a2", querier=False)
    begin(t, TO)
    flows(t, "a2")


@setup("bridge, clean: it does not snoop", "fine")
def dull(t):
    bridge(t, "a2", more="mcast_snooping 0")
    begin(t, TO)
    flows(t, "a2")


for version in (2, 3):
    @setup(f"bridge, clean: one of two ports has a member, IGMPv{version}, MLDv{version - 1}", "fine")
    def joined(t, version=version):
        bridge(t, "a2", "a3", more=f"mcast_igmp_version {version} mcast_mld_version {version - 1}")
        joins(t, "a2")
        known(t, "a2")
        begin(t, TO)
        flows(t, "a2")
        snoops(t, "a3")


@setup("bridge, clean: joined for this source", "fine")
def joined_source(t):
    bridge(t, "a2")
    joins(t, "a2", t.src)
    known(t, "a2")
    begin(t, TO)
    flows(t, "a2")


@setup("bridge, clean: joined for this source, and elsewhere for others", "fine")
def joined_sources(t):
    bridge(t, "a2", "a3", "a4")
    joins(t, "a2", t.src)
    joins(t, "a3", "10.1.0.77" if t.v4 else "fd00:1::77")
    joins(t, "a4", t.src, block=True)
    for i in ("a2", "a3", "a4"):
        known(t, i)
    begin(t, TO)
    flows(t, "a2")


@setup("bridge, clean: a port has a router behind it", "fine")
def router(t):
    bridge(t, "a2", "a3")
    port("a2", "mcast_router", "2")
    begin(t, TO)
    flows(t, "a2")
    snoops(t, "a3")


@setup("bridge, clean: a port is a member for good", "fine")
def permanent(t):
    bridge(t, "a2", "a3")
    subprocess.run(["bridge", "mdb", "add", "dev", "br0", "port", "a2", "grp", t.group, "permanent"], check=True)
    begin(t, TO)
    flows(t, "a2")
    snoops(t, "a3")


@setup("bridge, clean: a port floods no multicast, which holds for what is bridged", "fine")
def no_flood(t):
    bridge(t, "a2", querier=False)
    port("a2", "mcast_flood", "off")
    begin(t, TO)
    flows(t, "a2")


@setup("bridge, clean: isolated ports", "fine")
def isolated(t):
    bridge(t, "a2", "a3")
    port("a2", "isolated", "on")
    port("a3", "isolated", "on")
    joins(t, "a2")
    known(t, "a2")
    begin(t, TO)
    flows(t, "a2")


@setup("bridge, clean: one of two ports is disabled, and nobody is behind it", "fine")
def one_disabled(t):
    bridge(t, "a2", "a3", querier=False)
    port("a3", "state", "0")
    begin(t, TO)
    flows(t, "a2")


@setup("bridge, clean: to unicast", "fine")
def to_unicast(t):
    bridge(t, "a2")
    port("a2", "mcast_to_unicast", "on")
    joins(t, "a2")
    known(t, "a2")
    begin(t, TO)
    flows(t, "a2")


@setup("bridge, clean: a macvlan on it is the output", "fine")
def macvlan(t):
    bridge(t, "a2")
    t.lab.ip_batch(["link add mv0 link br0 type macvlan mode bridge", "addr add 10.8.0.1/24 dev mv0",
                    "addr add fd00:8::1/64 dev mv0 nodad", "link set mv0 up"])
    joins(t, "a2")
    known(t, "a2")
    begin(t, RULES.replace("to a2", "to mv0"))
    flows(t, "a2")


@setup("bridge: a macvlan on it is the output, and nobody joined", "nobody")
def macvlan_nobody(t):
    bridge(t, "a2")
    t.lab.ip_batch(["link add mv0 link br0 type macvlan mode bridge", "addr add 10.8.0.1/24 dev mv0",
                    "addr add fd00:8::1/64 dev mv0 nodad", "link set mv0 up"])
    begin(t, RULES.replace("to a2", "to mv0"))
    snoops(t)


@setup("bridge, clean: the output is one of its ports", "fine")
def to_port(t):
    bridge(t, "a2", "a3")
    begin(t)
    flows(t, "a2")
