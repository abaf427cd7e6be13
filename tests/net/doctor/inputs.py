# SPDX-License-Identifier: ISC
#
# Set-ups in which packets do not get as far as an entry, or do not arrive.
from doctor.table import UNSURE, announcements, begin, querier, truth
from packet import frame
from sick import RULES

EXACT = "mroute from a1 source {} group {} to a2\n"


@truth("nothing is sent", "nothing", cure=None)
def silence(t):
    t.start()


@truth("nothing is sent, but by others", "nothing", blind="maybe", cure=None)
def others(t):
    t.start()
    t.stream(group=t.other)


@truth("nothing is sent, but to the group by this host", "nothing", blind="maybe", cure=None)
def own(t):
    t.start()
    announcements(t)


@truth("nothing is sent, but members report", "nothing", blind="maybe", cure=None)
def reports(t):
    t.start()
    querier(t)


@truth("the input is down", "nothing")
def down(t):
    begin(t)
    t.lab.ip("link", "set", "a1", "down")


@truth("the input has no carrier", "nothing", cure=None)
def carrier(t):
    t.start()
    with t.lab.at("ha"):
        t.lab.ip("link", "set", "eth0", "down")
    t.carrier_goes("a1")


@truth("it comes in where no rule is", "no_vif", blind=UNSURE)
def no_vif(t):
    t.lab.links("a5")
    begin(t, iface="a5")


@truth("it comes in where no rule is, and is stopped by the reverse path filter too", ["no_vif", "rp_filter"],
       families=("IPv4",), blind=UNSURE)
def no_vif_rp(t):
    t.lab.links("a5")
    begin(t, iface="a5")
    t.sysctl("ipv4/conf/a5/rp_filter", 1)


for text, src in (("routed elsewhere", "10.2.0.9"), ("not routed at all", "192.0.2.77")):
    for key in ("all", "a1"):
        for cure in ("fix", "or"):
            @truth(f"reverse path filter on {key}, a source {text}, {cure}", "rp_filter", families=("IPv4",),
                   blind=UNSURE, cure=cure)
            def rp_filter(t, key=key, src=src):
                begin(t, src=src)
                t.sysctl(f"ipv4/conf/{key}/rp_filter", 1)


@truth("reverse path filter, and a route that is a black hole", "rp_filter", families=("IPv4",), blind=UNSURE)
def rp_blackhole(t):
    t.lab.ip("route", "add", "blackhole", "192.0.2.77")
    begin(t, src="192.0.2.77")
    t.sysctl("ipv4/conf/a1/rp_filter", 1)


@truth("the reverse path filter refuses others", "fine")
def rp_others(t):
    t.sysctl("ipv4/conf/a1/rp_filter", 1)
    begin(t)
    t.flow.flows("a2")
    t.stream(src="192.0.2.77" if t.v4 else "fd00:9::9", group=t.other)


for family, hook in (("inet", "prerouting"), ("ip", "prerouting"), ("netdev", "ingress")):
    @truth(f"a chain of family {family} at {hook} drops it", "firewall", blind=UNSURE)
    def chain(t, family=family, hook=hook):
        begin(t)
        kind = "ip6" if family == "ip" and not t.v4 else family
        dev = " device \"a1\"" if family == "netdev" else ""
        t.chain(hook + dev, [f"ip{t.six} daddr {t.group} drop"], family=kind)


@truth("policy drop before routing, but for connections", "firewall", blind=UNSURE)
def established(t):
    begin(t)
    t.chain("prerouting", ["ct state established accept"], policy="drop")


@truth("a rate limit before routing drops nine of ten", "firewall", blind="any")
def limit(t):
    t.start()
    t.stream().flows("a2")
    t.chain("prerouting", ["limit rate over 5/second burst 1 packets drop"])


@truth("IPv6 is off at the input", "ipv6_off", families=("IPv6",), blind="maybe")
def family_off(t):
    begin(t)
    t.sysctl("ipv6/conf/a1/disable_ipv6", 1)


@truth("IPv6 is off for an MTU below 1280", "ipv6_off", families=("IPv6",), blind="maybe")
def small_mtu(t):
    begin(t)
    t.lab.ip("link", "set", "a1", "mtu", "1200")


for text, four, six in (("of this host", "10.2.0.1", "fd00:2::1"), ("0.0.0.0", "0.0.0.0", "::"),
                        ("of the loopback", "127.0.0.9", "::1"), ("of its link", "169.254.7.7", "fe80::9"),
                        ("a group", "225.7.7.7", "ff0e::7")):
    @truth(f"a source that is no source to be routed: {text}", "source",
           families={"of this host": ("IPv4",), "of its link": ("IPv6",)}.get(text, ("IPv4", "IPv6")), blind="any",
           cure=None)
    def source(t, four=four, six=six):
        begin(t, src=four if t.v4 else six)


@truth("the header's checksum is wrong", "damaged", families=("IPv4",), blind=UNSURE, cure=None)
def damaged(t):
    begin(t)

    def make(i):
        data = bytearray(frame(t.src, t.group, 16, i))
        data[24] ^= 0x55
        return bytes(data)
    t.flow.make = make


@truth("routes in a table without a rule", "table")
def table(t):
    t.start(RULES, "-t", "100")
    t.stream()


@truth("a bridge that drops it on its way in", "firewall", blind=UNSURE)
def bridge_filter(t):
    t.lab.ip_batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up", "link set a1 master br0"])
    begin(t, RULES.replace("from a1", "from br0"))
    t.chain("prerouting", [f"ip{t.six} daddr {t.group} drop"], family="bridge")


@truth("it comes with the tag of a VLAN that nobody takes off", "vlan", blind=UNSURE, cure=None, foreign=["vlan"],
       says="VLAN 20")
def tagged(t):
    t.start()
    data = frame(t.src, t.group, 16, 5)
    t.raw("a1", data[:12] + b"\x81\0\0\x14" + data[12:])
