# SPDX-License-Identifier: ISC
#
# Set-ups in which the rules are what is wrong: they wait, are disabled, not reloaded, mistyped, or there are none.
import os
import signal
import subprocess
import sys

from doctor.table import UNSURE, truth
from lab import Daemon, wait_until
from peerd import Peer
from sick import RULES

# Rules that make a1 a VIF, and of other groups.
AWAY = "mroute from a1 group 225.9.9.9 to a2\nmroute from a1 group ff2e::ff to a2\n"
HOLD = """
import socket, struct, sys, time
v4 = sys.argv[1] == "4"
s = socket.socket(socket.AF_INET if v4 else socket.AF_INET6, socket.SOCK_RAW, 2 if v4 else 58)
s.setsockopt(0 if v4 else 41, 200, struct.pack("i", 1))	# MRT_INIT
print("held", flush=True)
time.sleep(100)
"""


def hold(t, family):
    """Another program that has the routing socket of a family."""
    p = subprocess.Popen([sys.executable, "-c", HOLD, family], stdout=subprocess.PIPE, text=True)
    t.callback(p.wait)
    t.callback(p.kill)
    p.stdout.readline()


def blocked(t):
    """The flow, once the router has answered that nobody wants it."""
    t.stream()
    wait_until(lambda: t.lab.route(t.src, t.group), "an entry that blocks it")


@truth("no rule", "no_rule")
def no_rule(t):
    t.start(f"mroute from a3 group {t.group} to a2\n" + AWAY)
    blocked(t)


@truth("no rule, and no file is named", "no_rule")
def no_file(t):
    t.start(AWAY)
    t.words = ()
    blocked(t)


@truth("no rule, router of another identity", "no_rule")
def identity(t):
    d = t.start(AWAY, "-u", "/run/other.sock")
    t.words = ()
    t.where = d
    blocked(t)


@truth("no rule, socket at another place", "no_rule")
def socket_elsewhere(t):
    t.start(AWAY, "-u", t.lab.path("my own.sock"))
    blocked(t)


@truth("the rule is in the file and was not reloaded", "not_reloaded")
def not_reloaded(t):
    d = t.start(AWAY)
    blocked(t)
    t.lab.write(d.name + ".conf", RULES + AWAY)


@truth("the rule is in the file and was not reloaded, and its input has no VIF", "not_reloaded", blind=UNSURE)
def not_reloaded_vif(t):
    d = t.start("")
    t.stream()
    t.lab.write(d.name + ".conf", RULES)


@truth("a slip in the very line", "config", cure=None)
def slip(t):
    t.start(AWAY + f"mroute from a1 gruop {t.group} to a2\n")
    blocked(t)


@truth("the input is disabled", "disabled", blind="maybe", cure=None)
def input_disabled(t):
    t.start(RULES + "phyint a+ enable\nphyint a1 disable\n")
    t.stream()


@truth("the output is disabled", "disabled", cure=None)
def output_disabled(t):
    t.start(RULES + "phyint a2 disable\n")
    blocked(t)


@truth("the output does not exist", "waits", cure=None)
def output_missing(t):
    t.start(RULES.replace("a2", "wan9"))
    blocked(t)


@truth("one output of two does not exist", "fine")
def one_missing(t):
    t.start(RULES.replace("a2", "a2 wan9"))
    t.stream().flows("a2")


@truth("no free VIF for the input", "waits", blind="maybe", cure=None)
def no_free_vif(t):
    t.lab.ip_batch([line for i in range(16) for line in (f"link add x{i} type veth peer name y{i}",
                                                         f"link set x{i} up", f"link set y{i} up")])
    names = " ".join(f"x{i} y{i}" for i in range(16))
    t.start(f"mroute from x0 group 225.7.7.7 to {names}\nmroute from x0 group ff2e::7 to {names}\n" + RULES)
    t.stream()


@truth("stopped by a rule", [], cure=None)
def stopped(t):
    t.start(f"mroute from a1 group {'225.0.0.0/8' if t.v4 else 'ff2e::/16'} to a2\nmroute from a1 group {t.group}\n")
    blocked(t)


@truth("a rule was removed by smcroutectl", "not_reloaded")
def removed(t):
    d = t.start(RULES + AWAY)
    d.do("remove", "a1", t.group)
    blocked(t)


@truth("the wrong way round", "nothing", blind="maybe", cure=None)
def wrong_way(t):
    t.start(f"mroute from a2 group {t.group} to a1\n")
    t.stream()


@truth("wrong input interface", "wrong_iif")
def wrong_iif(t):
    t.start(f"mroute from a3 source {t.src} group {t.group} to a2\n" + AWAY)
    t.stream()


@truth("no router, a file", "no_router", blind="maybe", cure=None)
def no_router(t):
    t.words = (t.lab.write("own.conf", RULES),)
    t.stream()


@truth("another program routes", "holder", blind=UNSURE, cure=None)
def foreign(t):
    hold(t, "4" if t.v4 else "6")
    t.words = (t.lab.write("own.conf", RULES),)
    t.stream()


@truth("SMCRoute routes, and has no rule", "no_rule")
def old(t):
    t.words = (Peer(t.lab).conf,)
    t.stream()


@truth("SMCRoute routes here and in another network namespace, and has no rule", "no_rule", foreign=None)
def old_twice(t):
    with t.lab.at("ha"):
        Peer(t.lab)
    old(t)


@truth("SMCRoute routes it", "fine")
def old_fine(t):
    t.words = (Peer(t.lab, RULES).conf,)
    t.stream().flows("a2")


@truth("another program routes the other family", "fine")
def half_foreign(t):
    hold(t, "6" if t.v4 else "4")
    t.start()
    t.stream().flows("a2")


@truth("another program routes this family, ours the other one", "holder", blind=UNSURE, cure=None)
def foreign_half(t):
    hold(t, "4" if t.v4 else "6")
    t.start()
    t.stream()


@truth("a router of another network namespace has the usual socket", "no_router", cure=None, says="smcrouted -i here")
def elsewhere(t):
    with t.lab.at("ha"):
        t.start(f"mroute from eth0 group {t.group} to lo\n")
    t.words = (t.lab.write("own.conf", RULES),)
    t.stream()


@truth("the same, and one of this namespace runs with another socket", "no_rule", foreign=None)
def elsewhere_too(t):
    with t.lab.at("ha"):
        t.start(f"mroute from eth0 group {t.group} to lo\n")
    os.mkdir("/run/own")
    t.words = (Daemon(t.lab, AWAY, ("-u", "/run/own/my.sock"), name="here").conf,)
    blocked(t)


@truth("routers of this namespace and of others, each with a socket of its own", "no_rule", foreign=None)
def many_elsewhere(t):
    for name in "one", "two", "own":
        os.mkdir(f"/run/{name}")
    for table, name in (7, "one"), (8, "two"):
        with t.lab.at("ha"):
            Daemon(t.lab, f"mroute from eth0 group {t.group} to lo\n",
                   ("-t", str(table), "-u", f"/run/{name}/my.sock"), name=name)
    t.words = (Daemon(t.lab, AWAY, ("-u", "/run/own/my.sock"), name="here").conf,)
    blocked(t)


@truth("the router is full", ["fine", "limit"], blind=(0, ["fine"]), cure=None, foreign=None)
def full(t):
    t.start(RULES, "-M", "1")
    first = "10.1.0.77" if t.v4 else "fd00:1::77"
    t.stream(src=first).flows("a2")
    t.stream()


@truth("the router does not answer", "no_answer", cure=None)
def no_answer(t):
    d = t.start(AWAY)
    d.proc.send_signal(signal.SIGSTOP)
    t.callback(d.proc.send_signal, signal.SIGCONT)
    t.stream()


@truth("another group in the rule", "no_rule")
def near_group(t):
    t.start(RULES.replace("225.1.2.3", "225.1.2.4").replace("ff2e::123", "ff2e::124"))
    blocked(t)


@truth("another source in the rule", "no_rule")
def near_source(t):
    t.start(f"mroute from a1 source {'10.1.0.10' if t.v4 else 'fd00:1::10'} group {t.group} to a2\n")
    blocked(t)


@truth("an interface above another one", "fine")
def macvlan(t):
    t.lab.ip_batch(["link add mv0 link a1 type macvlan mode bridge", "link set mv0 up"])
    t.start(RULES.replace("from a1", "from mv0"))
    t.stream().flows("a2")


@truth("wildcards", "fine")
def wildcards(t):
    t.start(RULES.replace("from a1", "from a+").replace("to a2", "to a+"))
    t.stream().flows("a2", "a3", "a4")
