# SPDX-License-Identifier: ISC
#
# A family that another program has: who that is can be seen, and it is taken when he ends.
import os
import signal
import socket
import struct
import subprocess
import sys
import time

from cases import case, main
from lab import SLOW, Daemon, Skip, check, child_setup, need_users, same, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import peer

try:
    PROXY = peer.igmpproxy()	# outside of the lab, from which no package can be had
except peer.Missing as e:
    PROXY = e
ROUTE = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\nmroute from a1 source fd00:1::9 group ff2e::11 to a2\n"
MROUTE4, MROUTE6 = (socket.AF_INET, 2, 0, 200), (socket.AF_INET6, 58, 41, 200)
HOLD = """
import socket, struct, sys
open("/proc/self/comm", "w").write(sys.argv[5])
s = socket.socket(int(sys.argv[1]), socket.SOCK_RAW, int(sys.argv[2]))
s.setsockopt(int(sys.argv[3]), int(sys.argv[4]), struct.pack("i", 1))
print("held", flush=True)
sys.stdin.read(1)
s.close()
print("let go", flush=True)
sys.stdin.read()
"""


class Holder:
    """Another process that holds the routing socket of a family."""

    def __init__(self, which, name="holder"):
        self.name = name
        self.proc = subprocess.Popen([sys.executable, "-c", HOLD, *(str(int(n)) for n in which), name],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=child_setup)
        same(self.proc.stdout.readline(), "held\n", "the holder")

    def let_go(self):
        self.proc.stdin.write("x")
        self.proc.stdin.flush()
        same(self.proc.stdout.readline(), "let go\n", "the holder")

    def end(self):
        self.proc.kill()
        self.proc.wait()


def family_of(which):
    return "IPv4" if which == MROUTE4 else "IPv6"


def flow_of(which):
    return ("10.1.0.9", "225.1.1.1") if which == MROUTE4 else ("fd00:1::9", "ff2e::11")


def free_again(d, which):
    return f"{family_of(which)} multicast routing is free again and ours now" in d.log()


def wait_family(d, which):
    """It is ours, and the rules that waited for it are in force."""
    wait_until(lambda: free_again(d, which), "the family", 3 * SLOW)
    wait_until(lambda: not d.json("pending")["pending"], "nothing pending")


@case("IPv4 is taken: the other family works, the holder is named, and when it ends the family is ours", MROUTE4)
@case("the same of IPv6", MROUTE6)
@case("the same of IPv4 after all rights were dropped", MROUTE4, "-p", "nobody")
@case("the same of IPv6 after all rights were dropped", MROUTE6, "-p", "nobody")
def one_family(lab, which, *options):
    if options:
        need_users()
        os.chmod(lab.dir, 0o755)
    hold = Holder(which)
    d = Daemon(lab, lab.MARKS + ROUTE, options)
    conf = lab.MARKS + ROUTE
    n = sum("mroute" in line and (":" in line) == (which == MROUTE6) for line in conf.splitlines())
    waits = f"{n} rule{'s wait' if n > 1 else ' waits'}"
    text = f"{family_of(which)} multicast routing is taken by {hold.name} (pid {hold.proc.pid})"
    # Each of its rules once, not once a name.
    check(f"{family_of(which)}: {text}: {waits} for it\n" in d.log(), d.log())
    other = MROUTE6 if which == MROUTE4 else MROUTE4
    lab.wait(lab.send("a1", *flow_of(other), 20), "a2")
    for shown in (d.show("-d", "show", "pending"), d.show("-j", "show", "pending")):
        same(shown.count(text), n, shown)
    check(f'smcroute_routing{{family="{family_of(which).lower()}"}} 0\n' in d.show("show", "metrics"), "metrics")
    rc, out, err = d.ctl("reload")
    same((rc, text in out + err), (0, True), f"reload: {out}{err}")
    hold.end()
    wait_family(d, which)
    lab.passes("a1", *flow_of(which), "a2")
    lab.passes("a1", *flow_of(other), "a2")
    same(d.json("pending")["pending"], [], "pending")
    rc, out, err = d.ctl("reload")
    same((rc, "taken" in out + err), (0, False), f"reload: {out}{err}")


@case("a holder that gives the family up and lives on: taken on reload", MROUTE4, True)
@case("the same of IPv6, without a reload", MROUTE6, False)
def gives_up(lab, which, reload):
    hold = Holder(which)
    d = Daemon(lab, lab.MARKS + ROUTE)
    hold.let_go()
    if reload:
        rc, out, err = d.ctl("reload")
        same((rc, "wait" in out + err, free_again(d, which)), (0, False, True), f"reload: {out}{err}")
    wait_family(d, which)
    lab.passes("a1", *flow_of(which), "a2")
    hold.end()


@case("two holders one after the other: the second one is named, and followed")
def next_one(lab):
    first = Holder(MROUTE4)
    d = Daemon(lab, lab.MARKS + ROUTE)
    first.let_go()
    second = Holder(MROUTE4)
    first.end()
    text = f"taken by {second.name} (pid {second.proc.pid})"
    wait_until(lambda: text in d.log(), "the name of the second one")
    check(text in d.show("-d", "show", "pending"), d.show("-d", "show", "pending"))
    second.end()
    wait_family(d, MROUTE4)
    lab.passes("a1", *flow_of(MROUTE4), "a2")


@case("the name of a holder is escaped wherever it is shown")
def strange_name(lab):
    hold = Holder(MROUTE4, "a\x1b[31m\"b")
    d = Daemon(lab, lab.MARKS + ROUTE)
    text = f'taken by a\\x1b[31m"b (pid {hold.proc.pid})'
    check(text in d.log(), d.log())
    check(text in d.show("-d", "show", "pending"), d.show("-d", "show", "pending"))
    same({p["reason"][-len(text):] for p in d.json("pending")["pending"] if ":" not in p["group"]}, {text}, "JSON")
    hold.end()


def next_pid(d, before):
    """The PID of the daemon that its keeper starts in the place of one that is killed."""
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: open(d.pid_file).read() not in ("", f"{before}\n"), "the next one")
    return int(open(d.pid_file).read())


@case("a keeper with a family less: the next daemon names its holder, not the keeper, which gets it later")
def kept(lab):
    hold = Holder(MROUTE4)
    d = Daemon(lab, lab.MARKS + ROUTE, ("-k",))
    text = f"taken by holder (pid {hold.proc.pid})"
    pid = next_pid(d, int(open(d.pid_file).read()))
    check(text in d.show("-d", "show", "pending"), d.show("-d", "show", "pending"))
    lab.wait(lab.send("a1", *flow_of(MROUTE6), 20), "a2")
    hold.end()
    wait_family(d, MROUTE4)
    lab.passes("a1", *flow_of(MROUTE4), "a2")
    next_pid(d, pid)
    for which in MROUTE4, MROUTE6:
        check(f"{family_of(which)} routing goes on as it was handed over" in d.log(), d.log())
        lab.passes("a1", *flow_of(which), "a2")


@case("a daemon that waits for a family ends well")
def ends(lab):
    hold = Holder(MROUTE6)
    d = Daemon(lab, lab.MARKS + ROUTE)
    same(d.stop(), 0, "exit status")
    hold.end()


@case("igmpproxy holds IPv4, ours starts, igmpproxy ends: IPv4 routes are there within 2 s")
def proxy(lab):
    if isinstance(PROXY, Exception):
        raise Skip(str(PROXY))
    conf = lab.write("igmpproxy.conf", "phyint a1 upstream ratelimit 0 threshold 1\n"
                     "phyint a2 downstream ratelimit 0 threshold 1\nphyint a3 disabled\nphyint a4 disabled\n")
    with open(lab.path("igmpproxy.log"), "w") as log:
        other = subprocess.Popen([PROXY, "-n", "-v", conf], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 preexec_fn=child_setup)
    # It has the family when it has its interfaces.
    wait_until(lambda: other.poll() is not None or lab.ip("-4", "mroute", "show", "table", "all") is not None
               and "a1" in open("/proc/net/ip_mr_vif").read(), "igmpproxy")
    check(other.poll() is None, lambda: f"igmpproxy ended: {open(lab.path('igmpproxy.log')).read()}")
    d = Daemon(lab, lab.MARKS + ROUTE)
    check(f"IPv4 multicast routing is taken by igmpproxy (pid {other.pid})" in d.log(), d.log())
    lab.wait(lab.send("a1", "fd00:1::9", "ff2e::11", 20), "a2")
    other.send_signal(signal.SIGTERM)
    other.wait(SLOW)
    start = time.monotonic()
    wait_until(lambda: lab.route("10.1.0.9", "225.1.1.1") == ("a1", ["a2"]), "the route")
    print(f"# measured: IPv4 routes {(time.monotonic() - start) * 1000:.0f} ms after the end of igmpproxy")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")


if __name__ == "__main__":
    main()
