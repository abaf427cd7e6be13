# SPDX-License-Identifier: ISC
#
# Set-ups in which this host has no way out for what comes in, though its TTL is large enough, and those in
# which one of several causes is easily overlooked.
import subprocess

from doctor.table import RULES, begin, truth
from lab import Skip


def ip(t, *words):
    if subprocess.run(["ip", "-4" if t.v4 else "-6", *words], stderr=subprocess.DEVNULL).returncode:
        raise Skip("not in this kernel")


@truth("the output has no route to groups", "route", families=("IPv6",))
def no_route(t):
    begin(t)
    t.flow.flows("a2")
    ip(t, "route", "del", "multicast", "ff00::/8", "dev", "a2", "table", "local")


@truth("a rule prohibits the group, which routers do not heed", "fine")
def prohibited(t):
    begin(t)
    ip(t, "rule", "add", "pref", "0", "to", t.group, "prohibit")
    t.flow.flows("a2")


@truth("a policy of IPsec blocks it", "ipsec", families=("IPv4",), cure=None)
def ipsec(t):
    begin(t)
    ip(t, "xfrm", "policy", "add", "dir", "out", "dst", t.group, "action", "block")


@truth("a policy of IPsec that blocks it, which IPv6 does not heed", "fine", families=("IPv6",))
def ipsec_6(t):
    begin(t)
    ip(t, "xfrm", "policy", "add", "dir", "out", "dst", t.group, "action", "block")
    t.flow.flows("a2")


@truth("a source is refused beside one that flows", ["fine", "rp_filter"], families=("IPv4",), blind=(0, ["fine"]),
       cure=None, blind_says="reverse path filter")
def martian_too(t):
    begin(t)
    t.stream(src="192.0.2.77")
    t.sysctl("ipv4/conf/a1/rp_filter", 1)


@truth("nothing is sent, no router runs, and the file has a membership too", ["no_router", "nothing"],
       blind=(1, ["no_router"]), cure=None)
def no_router(t):
    t.words = (t.lab.write("own.conf", RULES + f"mgroup from a1 group {t.group}\n"),)
