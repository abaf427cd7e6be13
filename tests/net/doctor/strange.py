# SPDX-License-Identifier: ISC
#
# Set-ups that were judged wrong once: rules for marks, routers of two tables, copies under another name, interfaces
# above others, tunnels that nobody reads, packets that are shorter than they say.
import os
import shutil
import struct

import lab as lab_py
from doctor.changed import ip
from doctor.gateways import second
from doctor.homes import tunnel
from doctor.table import UNSURE, begin, restore, truth
from lab import Daemon, check
from packet import checksum
from sick import RULES

OTHERS = "mroute from a1 group 225.77.1.1 to a3\nmroute from a1 group ff2e::7711 to a3\n"
MARKED = "iifname \"a1\" meta mark set 9"


# ---- tables ----

@truth("a rule of ip mrule refuses what has a mark, which a chain gives it", "table", blind=UNSURE, cure="or",
       says="fwmark")
def mark_refused(t):
    begin(t)
    t.flow.flows("a2")
    t.chain("prerouting", [MARKED], priority=-150)
    ip(t, "mrule", "add", "fwmark", "9", "prohibit")


@truth("the same by iptables of old", "table", blind=UNSURE, cure="or", says="fwmark", families=("IPv4",))
def mark_refused_legacy(t):
    begin(t)
    t.flow.flows("a2")
    restore(t, "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i a1 -j MARK --set-mark 9\nCOMMIT\n", "legacy")
    ip(t, "mrule", "add", "fwmark", "9", "prohibit")


@truth("a mark leads to the table where the routes are", "fine", blind="maybe", foreign=None)
def mark_leads(t):
    t.chain("prerouting", [MARKED], priority=-150)
    ip(t, "mrule", "add", "fwmark", "9", "lookup", "100")
    t.start(RULES, "-t", "100")
    t.stream().flows("a2")


@truth("a rule of ip mrule for a table that nobody has, and the reverse path filter", "rp_filter", families=("IPv4",),
       blind=UNSURE)
def no_table(t):
    begin(t, src="192.0.2.77")
    ip(t, "mrule", "add", "iif", "a1", "lookup", "200")
    t.sysctl("ipv4/conf/a1/rp_filter", 1)


@truth("two routers: the other one has the interface, and no rule", "no_rule", foreign=None)
def two_routers_no_rule(t):
    second(t, OTHERS, "a1")
    begin(t)


@truth("two routers: a mark leads to the other one, which has no rule", "no_rule", foreign=None)
def two_routers_mark(t):
    os.mkdir("/run/two")
    Daemon(t.lab, OTHERS, ("-t", "100", "-u", "/run/two/my.sock"), name="two")
    t.chain("prerouting", [MARKED], priority=-150)
    ip(t, "mrule", "add", "fwmark", "9", "lookup", "100")
    begin(t)


# ---- a copy under another name ----

def copy(t, conf):
    """A daemon whose program has another name."""
    path = t.lab.path("router")
    shutil.copy(lab_py.SMCROUTE, path)
    ours, lab_py.SMCROUTED = lab_py.SMCROUTED, [path, "smcrouted"]
    try:
        t.start(conf)
    finally:
        lab_py.SMCROUTED = ours


@truth("the program has another name, and no rule", "no_rule", outs=("a3",), foreign=None)
def renamed(t):
    copy(t, OTHERS)
    t.stream()


@truth("the program has another name, and routes", "fine", foreign=None)
def renamed_fine(t):
    copy(t, RULES)
    t.stream().flows("a2")


# ---- interfaces ----

def macvlan(t, mode="bridge"):
    t.lab.ip_batch([f"link add mv0 link a1 type macvlan mode {mode}", "link set mv0 up"])
    begin(t, RULES.replace("from a1", "from mv0"))


for mode in ("bridge", "passthru"):
    @truth(f"macvlan: the input is one, {mode}", "fine")
    def mv(t, mode=mode):
        macvlan(t, mode)
        t.flow.flows("a2")


@truth("macvlan: a chain drops what is for it on what it stands on", "firewall", blind=UNSURE)
def mv_below(t):
    macvlan(t)
    t.chain('ingress device "a1"', [f"ip{t.six} daddr {t.group} drop"], family="netdev")


@truth("macvlan: a chain drops it there", "firewall", blind="any")
def mv_there(t):
    macvlan(t)
    t.chain('ingress device "mv0"', [f"ip{t.six} daddr {t.group} drop"], family="netdev")


@truth("tunnel: nobody reads what leaves by it", "driver", blind=(1, ["lost"]), cure=None)
def unread(t):
    tunnel(t, "tun0")
    t.lab.ip("link", "set", "tun0", "txqueuelen", "5")
    begin(t, RULES.replace("to a2", "to tun0"))
    check(t.has_entry(20), "no entry")


# ---- senders ----

@truth("it moves to another interface, where a rule is for it too", "wrong_iif", blind="any", cure=None, foreign=None,
       says="a rule is for them too")
def moves(t):
    begin(t, RULES + RULES.replace("from a1", "from a3"))
    t.flow.flows("a2")
    t.flow.tx = t.lab.senders[t.lab.host("a3")]


@truth("packets are shorter than their header says", "damaged", blind=UNSURE, cure=None)
def short(t):
    t.start()
    t.stream()
    make = t.flow.make

    def longer(i):
        data = bytearray(make(i))
        if t.v4:
            data[16:18], data[24:26] = (900).to_bytes(2, "big"), bytes(2)
            data[24:26] = struct.pack("!H", checksum(bytes(data[14:34])))
        else:
            data[18:20] = (900).to_bytes(2, "big")
        return bytes(data)
    t.flow.make = longer


@truth("a rule for routes asks for its port, and leads back elsewhere", "rp_filter", families=("IPv4",), blind=UNSURE,
       says="a rule for routes that asks for more", cure=None)
def by_port(t):
    t.sysctl("ipv4/conf/a1/rp_filter", 1)
    ip(t, "rule", "add", "ipproto", "udp", "sport", "5000", "lookup", "100")
    t.lab.ip("route", "add", "default", "dev", "a3", "table", "100")
    begin(t)
