# SPDX-License-Identifier: ISC
#
# Set-ups with filters of tc, where the kernel has its classifiers and actions: see tests/vm.sh for one that does.
import subprocess

from doctor.bridges import bridge, joins, known
from doctor.table import THREE, UNSURE, begin, truth
from lab import Skip
from sick import RULES, need

WAYS = {"ingress": "a1", "egress": "a2"}
BLIND = {"ingress": UNSURE, "egress": (1, ["lost"])}


def tc(*lines):
    """Runs tc, or skips a case where this kernel lacks what it names."""
    need("tc")
    for line in lines:
        p = subprocess.run(["tc", *line.split()], text=True, stderr=subprocess.PIPE)
        if p.returncode:
            raise Skip(f"tc {line}: {p.stderr.strip()}")


def match(t, kind, group=None, more=""):
    """Words of a filter for the group, or with "matchall" for all that comes by."""
    group = group or t.group
    if kind == "matchall":
        return "matchall"
    if kind == "u32":
        return f"protocol {'ip' if t.v4 else 'ipv6'} u32 match ip{t.six} dst {group}/{32 if t.v4 else 128}{more}"
    return f"protocol {'ip' if t.v4 else 'ipv6'} flower dst_ip {group}{more}"


def filters(t, way, *words, dev=None, qdisc="clsact"):
    """Filters one after the other, at an end of a clsact."""
    dev = dev or WAYS[way]
    tc(f"qdisc add dev {dev} {qdisc}",
       *(f"filter add dev {dev} {way} pref {i} {w}" for i, w in enumerate(words, 10)))


# ---- what drops ----

for way in WAYS:
    for kind in ("matchall", "u32", "flower"):
        @truth(f"tc, {kind} drops it at the {way}", "firewall", blind=BLIND[way])
        def drops(t, way=way, kind=kind):
            begin(t)
            filters(t, way, match(t, kind) + " action drop")

    @truth(f"tc, flower drops its port at the {way}", "firewall", blind=BLIND[way])
    def port(t, way=way):
        begin(t)
        filters(t, way, match(t, "flower", more=" ip_proto udp dst_port 5000") + " action drop")

    @truth(f"tc, a prefix drops it at the {way}", "firewall", blind=BLIND[way])
    def prefix(t, way=way):
        begin(t)
        filters(t, way, match(t, "flower", "225.0.0.0/8" if t.v4 else "ff2e::/16") + " action drop")

    @truth(f"tc, the second filter drops it at the {way}", "firewall", blind=BLIND[way])
    def second(t, way=way):
        begin(t)
        filters(t, way, match(t, "flower", t.other) + " action ok", match(t, "matchall") + " action drop")

    @truth(f"tc, its second action drops it at the {way}", "firewall", blind=BLIND[way])
    def action(t, way=way):
        begin(t)
        filters(t, way, match(t, "matchall") + " action skbedit mark 7 pipe action drop")

    @truth(f"tc, another chain drops it at the {way}", "firewall", blind=BLIND[way])
    def chain(t, way=way):
        begin(t)
        filters(t, way, "matchall action goto chain 5", "chain 5 " + match(t, "flower") + " action drop")

    @truth(f"tc, it is led elsewhere at the {way}", "firewall", blind=BLIND[way])
    def redirect(t, way=way):
        begin(t)
        filters(t, way, match(t, "flower") + " action mirred egress redirect dev a4")

    @truth(f"tc, it is led to a device that is down at the {way}", "firewall", blind=BLIND[way])
    def redirect_down(t, way=way):
        begin(t)
        if subprocess.run("ip link add i0 type ifb".split()).returncode:
            raise Skip("no ifb in this kernel")
        filters(t, way, match(t, "flower") + " action mirred egress redirect dev i0")

    @truth(f"tc, a rate is kept at the {way}", "firewall", blind="any", cure=None)
    def police(t, way=way):
        begin(t)
        t.flow.flows("a2")
        filters(t, way, match(t, "matchall") + " action police rate 1kbit burst 100 conform-exceed drop/ok")

    @truth(f"tc, one of two is dropped by chance at the {way}", "firewall", blind="any", cure=None)
    def chance(t, way=way):
        begin(t)
        t.flow.flows("a2")
        filters(t, way, match(t, "matchall") + " action ok random determ drop 2")

    @truth(f"tc, a block that interfaces share drops it at the {way}", "firewall", blind=BLIND[way])
    def block(t, way=way):
        begin(t)
        tc(f"qdisc add dev {WAYS[way]} {way}_block 7 clsact", f"qdisc add dev a4 {way}_block 7 clsact",
           f"filter add block 7 {match(t, 'flower')} action drop")

    @truth(f"tc, a program drops it at the {way}", "ingress" if way == "ingress" else "lost", cure=None,
           blind=BLIND[way])
    def program(t, way=way):
        begin(t)
        need("tc")
        if subprocess.run(f"tc qdisc add dev {WAYS[way]} clsact && tc filter add dev {WAYS[way]} {way} bpf bytecode "
                          "'1,6 0 0 2,' direct-action", shell=True).returncode:
            raise Skip("no programs for tc here")


@truth("tc, the ingress queue of old drops it", "firewall", blind=UNSURE)
def old(t):
    begin(t)
    filters(t, "ingress", match(t, "flower") + " action drop", qdisc="ingress")


@truth("tc, one output of three drops it", "firewall", outs=("a2", "a3", "a4"), blind=BLIND["egress"])
def one(t):
    begin(t, THREE)
    filters(t, "egress", match(t, "flower") + " action drop", dev="a3")


@truth("tc, a class of the output's queue drops it", "queue", blind="any", cure=None)
def classful(t):
    begin(t)
    tc("qdisc add dev a2 root handle 1: prio", f"filter add dev a2 parent 1: {match(t, 'flower')} action drop")


@truth("tc, the output's queue loses one of two", "queue", blind="any", cure=None)
def netem(t):
    begin(t)
    t.flow.flows("a2")
    tc("qdisc add dev a2 root netem loss 50%")


for way, port_of in (("ingress", "in"), ("egress", "out")):
    @truth(f"tc, at the bridge's port where it goes {port_of}", "firewall", blind="any")
    def bridged(t, way=way):
        bridge(t, WAYS[way], querier=way == "egress")
        if way == "egress":
            joins(t, "a2")
            known(t, "a2")
        begin(t, RULES.replace("to a2" if way == "egress" else "from a1",
                               "to br0" if way == "egress" else "from br0"))
        filters(t, way, match(t, "flower") + " action drop")


# ---- what does not ----

def clean(name, *words, ways=("ingress", "egress")):
    for way in ways:
        @truth(f"tc, clean: {name}, {way}", "fine")
        def run(t, way=way):
            begin(t)
            filters(t, way, *(w(t) for w in words))
            t.flow.flows("a2")


clean("another group is dropped", lambda t: match(t, "flower", t.other) + " action drop",
      lambda t: match(t, "u32", t.other) + " action drop")
clean("another port is dropped", lambda t: match(t, "flower", more=" ip_proto udp dst_port 5001") + " action drop")
clean("a first filter lets it pass", lambda t: match(t, "flower") + " action ok",
      lambda t: match(t, "matchall") + " action drop")
clean("it goes on to no filter", lambda t: match(t, "matchall") + " action continue")
clean("a copy is sent elsewhere", lambda t: match(t, "matchall") + " action mirred egress mirror dev a4")
clean("a rate that is high enough", lambda t: match(t, "matchall") + " action police rate 100mbit burst 100k")
clean("the other protocol is dropped", lambda t: f"protocol {'ipv6' if t.v4 else 'ip'} matchall action drop",
      lambda t: "protocol arp matchall action drop")


@truth("tc, clean: it comes in by a queue of its own (ifb)", "fine")
def ifb(t):
    begin(t)
    if subprocess.run("ip link add i0 up type ifb".split()).returncode:
        raise Skip("no ifb in this kernel")
    filters(t, "ingress", match(t, "matchall") + " action mirred egress redirect dev i0")
    t.flow.flows("a2")


@truth("tc, it comes in by a queue of its own (ifb), and a chain drops it", "firewall", blind="any",
       says="chain doors")
def ifb_chain(t):
    ifb(t)
    t.chain("prerouting", [f"ip{t.six} daddr {t.group} drop"])
