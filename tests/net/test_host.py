# SPDX-License-Identifier: ISC
#
# smcroute-check -H: a clean host has no finding, with and without a daemon and
# capabilities; each fault that it knows, made for real, is named, and the
# command that it prints takes the finding away.
import os
import subprocess
import sys

from cases import case, main
from lab import CAP_NET_RAW, SMCROUTE, Skip, check, same, sys_call, wait_until
from peerd import Peer
from sick import blind, daemon, features, findings, need, paste, path

RULES = ("mroute from a1 source 10.1.0.9 group 225.1.2.3 to a2 a3\nmroute from a1 group ff2e::123 to a2\n"
         "mgroup from a1 group 225.1.2.3\n")
HOLD = """
import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
s.setsockopt(socket.IPPROTO_IP, 200, struct.pack("i", 1))	# MRT_INIT
print("held", flush=True)
time.sleep(60)
"""


@case("-v names it, and a build without it says so")
def built(lab):
    if "host" in features(lab):
        return
    check("-host" in features(lab), f"neither host nor -host: {features(lab)}")
    for words in (("-H",), ("doctor", "225.1.2.3")):
        rc, out, err = lab.run(SMCROUTE, "smcroute-check", *words)
        same((rc, out), (69, ""), f"{words}: exit status, output")
        check("not in this build" in err, f"{words}: {err!r}")


def host(lab, conf=RULES, **kw):
    """(exit status, findings) of a configuration."""
    return findings(lab, "-H", conf if conf.startswith("/") else lab.write("host.conf", conf), **kw)


def kinds(found, *severities):
    return [f["what"] for f in found if f["severity"] in (severities or ("error", "warning"))]


def is_clean(lab, conf=RULES, **kw):
    """Nothing is found; what was not seen."""
    rc, found = host(lab, conf, **kw)
    same((rc, kinds(found, "error", "warning", "note")), (0, []), "findings")
    return found


def commands(found, what):
    return [c for f in found if f["what"] == what for c in f["fix"]]


def mended(lab, conf, what, n=1):
    """Found n times, alone; its commands take it away."""
    rc, found = host(lab, conf)
    same((rc, kinds(found)), (1, [what] * n), "findings")
    paste(lab, commands(found, what))
    wait_until(lambda: kinds(host(lab, conf)[1]) == [], "no finding any more")	# links take a moment


def set_sysctl(name, value):
    try:
        with open(f"/proc/sys/net/{name}", "w") as f:
            f.write(str(value))
    except OSError:
        raise Skip("/proc/sys cannot be written") from None


@case("clean: no finding before the daemon, with it, and nothing but what is not seen without capabilities")
def clean(lab):
    is_clean(lab)
    daemon(lab, RULES)
    is_clean(lab)
    check("firewall" in kinds(is_clean(lab, wrap=blind()), "not seen"), "what is not seen is not said")
    rc, out, _ = lab.run(SMCROUTE, "smcroute-check", "-H", lab.write("own.conf", RULES))
    same((rc, out.splitlines()[-1]), (0, "good: nothing was found that stands in the way"), "as text")
    same(lab.run(SMCROUTE, "smcroute-check", "-Hq", lab.path("own.conf")), (0, "", ""), "quiet")


@case("an empty configuration, and none at all")
def empty(lab):
    is_clean(lab, "")
    same(lab.run(SMCROUTE, "smcroute-check", "-H")[0], 0, "exit status")


@case("/proc/sys masked, without capabilities: says so, finds what it found before")
def masked(lab):
    set_sysctl("ipv4/conf/a1/rp_filter", 1)
    conf = RULES.replace("10.1.0.9", "10.2.0.9")
    rc, found = host(lab, conf)
    same((rc, kinds(found)), (1, ["rp_filter"]), "findings")
    sys_call("mount", "mask", "/proc/sys", "tmpfs", 1, None)
    daemon(lab, conf)
    for wrap in ((), blind()):
        rc, found = host(lab, conf, wrap=wrap)
        same((rc, kinds(found)), (1, ["rp_filter"]), "findings")
        check("memberships" in kinds(found, "not seen"), "igmp_max_memberships is not said to be unseen")


@case("/proc masked altogether: says so")
def no_proc(lab):
    if "SANITIZE" in os.environ and os.environ["SANITIZE"]:
        raise Skip("the sanitizers need /proc")
    path(lab)
    sys_call("mount", "mask", "/proc", "tmpfs", 1, None)
    rc, found = host(lab)
    same((rc, kinds(found)), (0, []), "findings")
    check({"memberships", "firewall"} <= set(kinds(found, "not seen")), "what is not seen is not said")


@case("errors in the configuration: exit 78")
def errors(lab):
    rc, found = host(lab, RULES + "mroute from\n")
    same((rc, kinds(found)), (78, ["config"]), "findings")


@case("an interface that is down; one without MULTICAST is used as it is")
def links(lab):
    lab.ip("link", "set", "a2", "multicast", "off")
    lab.ip("link", "set", "a3", "down")
    mended(lab, RULES, "interface")


@case("an interface that is not there; a wildcard without a match")
def missing(lab):
    rc, found = host(lab, "mroute from a1 group 225.1.2.3 to nosuch0 x+\n")
    same((rc, kinds(found)), (1, ["interface", "interface"]), "findings")


@case("no carrier")
def carrier(lab):
    with lab.at("hc"):
        lab.ip("link", "set", "eth0", "down")
    rc, found = host(lab)
    same((rc, kinds(found)), (1, ["interface"]), "findings")


@case("a disabled interface is no matter")
def disabled(lab):
    lab.ip("link", "set", "a3", "down")
    same(kinds(host(lab, RULES + "phyint a3 disable\n")[1]), [], "findings")


@case("a port instead of its bridge")
def port(lab):
    lab.ip_batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up", "link set a1 master br0"])
    conf = lab.write("smcroute.conf", "mroute from a1 group 225.1.2.3 to a2\n")
    daemon(lab, "mroute from a1 group 225.1.2.3 to a2\n")
    mended(lab, conf, "port")


@case("a bridge that snoops without a querier")
def snooping(lab):
    lab.ip_batch(["link add br0 type bridge mcast_snooping 1", "link set br0 up", "link set a1 master br0"])
    mended(lab, "mroute from br0 group 225.1.2.3 to a2\n", "snooping")


for source, text in (("10.2.0.9", "routed elsewhere"), ("192.0.2.0/24", "not routed at all")):
    @case(f"reverse path filter: a source {text}", source)
    def rp_filter(lab, source):
        set_sysctl("ipv4/conf/a1/rp_filter", 1)
        mended(lab, RULES.replace("10.1.0.9", source), "rp_filter")


@case("routes in a table without a rule")
def table(lab):
    daemon(lab, RULES, "-t", "100")
    rc, found = host(lab)
    same((rc, set(kinds(found))), (1, {"table"}), "findings")
    paste(lab, commands(found, "table"))
    same(kinds(host(lab)[1]), [], "findings afterwards")


@case("an interface of the configuration that the daemon does not have")
def no_vif(lab):
    d = daemon(lab, "mroute from a2 group 225.1.2.3 to a3\n")
    conf = "mroute from a2 group 225.1.2.3 to a3\nmroute from a1 group 225.1.2.3 to a3\n"
    lab.write(d.name + ".conf", conf)
    mended(lab, d.conf, "vifs")


@case("the same, with a daemon of another name")
def no_vif_named(lab):
    d = daemon(lab, "mroute from a2 group 225.1.2.3 to a3\n", "-u", "/run/other.sock")
    lab.write(d.name + ".conf", "mroute from a2 group 225.1.2.3 to a3\nmroute from a1 group 225.1.2.3 to a3\n")
    mended(lab, d.conf, "vifs")


@case("more interfaces than VIFs")
def vifs(lab):
    lab.ip_batch([line for i in range(33) for line in (f"link add x{i} type veth peer name y{i}",
                                                       f"link set x{i} up", f"link set y{i} up")])
    rc, found = host(lab, "mroute from a1 group 225.1.2.3 to x+\n")
    same((rc, kinds(found)), (1, ["vifs"]), "findings")


@case("another program has the routing socket")
def holder(lab):
    p = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    same(p.stdout.readline(), "held\n", "the other program")
    rc, found = host(lab)
    check(rc == 1 and "holder" in kinds(found), "not found")
    check(str(p.pid) in found[kinds(found).index("holder")]["text"], "not named")
    paste(lab, commands(found, "holder"))
    p.wait(5)
    wait_until(lambda: kinds(host(lab)[1]) == [], "no finding")


@case("SMCRoute has the routing sockets")
def holder_old(lab):
    p = Peer(lab)
    rc, found = host(lab)
    same((rc, kinds(found)), (1, ["holder", "holder"]), "findings")
    check("SMCRoute 2.x" in found[0]["text"], found[0]["text"])
    paste(lab, commands(found, "holder")[:1])
    same(p.proc.wait(20), 0, "its exit status")
    wait_until(lambda: kinds(host(lab)[1]) == [], "no finding")


@case("another program has the IPv4 routing socket, ours the other one")
def holder_half(lab):
    p = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    p.stdout.readline()
    daemon(lab, RULES)
    rc, found = host(lab)
    p.kill()
    p.wait()
    check(rc == 1 and kinds(found)[0] == "holder" and str(p.pid) in found[0]["text"], "not named")


@case("without CAP_NET_RAW, as a container has it")
def rights(lab):
    rc, found = host(lab, drop=CAP_NET_RAW)
    same((rc, kinds(found)), (1, ["rights"]), "findings")


@case("memberships that no sysctl admits, and too many for the descriptors")
def memberships(lab):
    set_sysctl("ipv4/igmp_max_memberships", 0)
    mended(lab, RULES, "memberships")
    set_sysctl("ipv4/igmp_max_memberships", 1)
    conf = lab.write("many.conf", RULES + "mgroup from a1 group 225.7.0.0/20\n")
    rc, found = host(lab, conf, wrap=("prlimit", "--nofile=1024:1024"))
    same((rc, kinds(found)), (1, ["memberships"]), "findings")
    paste(lab, commands(found, "memberships"))
    is_clean(lab, conf, wrap=("prlimit", "--nofile=1024:1024"))
    set_sysctl("ipv4/igmp_max_msf", 0)
    is_clean(lab, lab.write("six.conf", RULES + "mgroup from a1 group ff2e::5\n"))


for family, table_name in (("inet", "house"), ("ip", "house")):
    for hook in ("prerouting", "forward", "postrouting"):
        @case(f"nftables: {family} chain at {hook} with policy drop", family, table_name, hook)
        def nftables(lab, family, name, hook):
            need("nft")
            subprocess.run(["nft",
                            f"add table {family} {name}; add chain {family} {name} doors {{ type filter hook {hook} "
                            f"priority 0; policy drop; }}; add rule {family} {name} doors ct state established,related "
                            f"accept; add rule {family} {name} doors meta l4proto tcp accept"], check=True)
            mended(lab, "mroute from a1 source 10.1.0.9 group 225.1.2.3 to a2\n", "firewall")


@case("nftables: a dormant table does nothing")
def dormant(lab):
    need("nft")
    rules = "table ip t { flags dormant; chain f { type filter hook forward priority 0; policy drop;\n}\n}\n"
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    is_clean(lab)


@case("IPv6 is off: disable_ipv6, and an MTU that is too small")
def v6_off(lab):
    set_sysctl("ipv6/conf/a1/disable_ipv6", 1)
    mended(lab, RULES, "ipv6_off")
    lab.ip("link", "set", "a2", "mtu", "1200")
    mended(lab, RULES, "ipv6_off")


@case("no link-local address, where a group of IPv6 is joined")
def link_local(lab):
    lab.ip("-6", "addr", "flush", "dev", "a1", "scope", "link")
    is_clean(lab)
    mended(lab, RULES + "mgroup from a1 group ff2e::123\n", "address")


@case("a file that is not there is named")
def no_such_file(lab):
    rc, found = host(lab, "/nowhere/x.conf")
    same((rc, kinds(found)), (78, ["config"]), "findings")
    check("/nowhere/x.conf" in found[0]["text"], found[0]["text"])


@case("routes in a table with a rule for IPv4 alone; outputs need none")
def table_half(lab):
    conf = "mroute from a1 group 225.1.2.3 to a2\nmroute from a1 group ff2e::123 to a2\n"
    daemon(lab, conf, "-t", "100")
    lab.ip("mrule", "add", "iif", "a1", "lookup", "100")
    mended(lab, conf, "table")


@case("nftables: rules that jump, reject, and accept this group")
def nft_rules(lab):
    need("nft")
    rules = """table ip t {
        chain sub { ip daddr 225.0.0.0/8 iifname "a1" return
                    reject
        }
        chain f { type filter hook forward priority 0; policy accept;
                  iifname "a*" jump sub
        }
        chain open { type filter hook forward priority 10; policy drop;
                  ip saddr 10.1.0.0/24 ip daddr 225.0.0.0-225.255.255.255 oifname != "a9" accept
        }
    }
    """
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    conf = "mroute from {} source {} group {} to a2\n"
    same(kinds(host(lab, conf.format("a1", "10.1.0.9", "225.1.2.3"))[1]), [], "accepted")
    for words in (("a3", "10.1.0.9", "225.1.2.3"), ("a1", "10.1.0.9", "226.1.2.3"), ("a1", "10.9.0.9", "225.1.2.3")):
        rc, found = host(lab, conf.format(*words))
        check(rc == 1 and set(kinds(found)) == {"firewall"}, f"{words} are let through")
    subprocess.run(["nft", "add set ip t s { type ipv4_addr; }; insert rule ip t sub ip daddr @s accept; "
                    "insert rule ip t open ip daddr @s accept"], check=True)
    rc, found = host(lab, conf.format("a1", "10.1.0.9", "226.1.2.3"))
    same((rc, set(kinds(found))), (1, {"firewall"}), "a set without elements accepts nothing")
    subprocess.run(["nft", "add element ip t s { 226.1.2.3 }"], check=True)
    same(host(lab, conf.format("a1", "10.1.0.9", "226.1.2.3"))[0], 0, "exit status once it is in the set")


@case("iptables: policy DROP, by nftables and of old")
def iptables(lab):
    need("iptables-nft", "iptables-legacy")
    subprocess.run(["iptables-nft", "-P", "FORWARD", "DROP"], check=True)
    subprocess.run(["iptables-nft", "-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j",
                    "ACCEPT"], check=True)
    mended(lab, RULES.splitlines()[0] + "\n", "firewall")
    if os.geteuid() or subprocess.run(["test", "-r", "/proc/net/ip_tables_names"]).returncode:
        return
    subprocess.run(["iptables-legacy", "-P", "FORWARD", "DROP"], check=True)
    mended(lab, RULES.splitlines()[0] + "\n", "firewall")


@case("names that a shell would take apart are quoted")
def quoting(lab):
    name = "a$(id)'\";&"
    lab.ip("link", "add", name, "type", "veth", "peer", "name", "other")
    lab.ip("link", "set", "other", "up")
    mended(lab, f"mroute from a1 group 225.1.2.3 to {name}\n", "interface")


if __name__ == "__main__":
    main()
