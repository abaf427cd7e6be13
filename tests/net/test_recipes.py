# SPDX-License-Identifier: ISC
#
# The recipes of examples/recipes.md, as they are printed there: each is run, with packets.
# Only names of interfaces are others, and a VLAN or a tunnel is a plain link.
import re
import subprocess

from cases import case, main
from examples import blocks
from lab import SMCROUTE, Daemon, Failed, Skip, check, note, same, sys_call, wait_until
from sick import path

DIRECTIVES = ("phyint", "mgroup", "mroute", "include")


def recipe_blocks(title):
    """The indented blocks below the heading that begins so: (configurations, commands)."""
    found = blocks("examples/recipes.md", title)
    confs = [b for b in found if any(line.startswith(DIRECTIVES) for line in b.splitlines())]
    return confs, [b for b in found if b not in confs]


def renamed(text, **names):
    """With interfaces of the router for those of the text."""
    for new, old in names.items():
        text, n = re.subn(rf"(?<![\w.]){re.escape(old)}(?![\w.])", new, text)
        if not n:
            raise Failed(f"no {old} in {text}")
    return text


def recipe(title, **names):
    """The one configuration of a recipe; smcroute-check finds no error in it."""
    conf, = recipe_blocks(title)[0]
    p = subprocess.run([SMCROUTE, "smcroute-check", "-"], input=conf, capture_output=True, text=True)
    if p.stderr:
        note(p.stderr)
    same(p.returncode, 0, conf)
    return renamed(conf, **names)


def member(lab, iface, group):
    return group in lab.ip("maddr", "show", "dev", iface)


@case("SSDP and DLNA over WireGuard: both ways, the tunnel without the MULTICAST flag")
def ssdp(lab):
    group = "239.255.255.250"
    lab.ip("link", "set", "a2", "multicast", "off")
    d = lab.daemon(recipe("SSDP", a1="br-lan", a2="wg0"))
    lab.passes("a1", "10.1.0.9", group, "a2")
    lab.passes("a2", "10.2.0.9", group, "a1")
    check(member(lab, "a1", group) and member(lab, "a2", group), "not joined on both")
    same(d.show("-t", "show", "pending").strip(), "No pending routes or groups", "pending")


@case("television with VLANs: joined, to two rooms, from these senders alone")
def television(lab):
    lab.daemon(recipe("Television", a1="eth0.10", a2="eth1.20", a3="eth1.30"))
    check(member(lab, "a1", "232.10.0.0") and member(lab, "a1", "232.10.0.63"), "not joined")
    lab.passes("a1", "10.20.0.9", "232.10.0.7", "a2", "a3")
    lab.expect(lab.send("a1", "10.20.0.12", "232.10.0.7"))
    lab.expect(lab.send("a1", "10.20.0.9", "232.10.0.64"))


@case("a Docker bridge that comes later than the daemon, and comes again")
def docker(lab):
    d = lab.daemon(recipe("A Docker bridge", a1="eth0"))
    for _ in range(2):
        lab.ip("link", "add", "docker0", "type", "bridge")
        lab.ip("link", "set", "a3", "master", "docker0")
        lab.ip("link", "set", "docker0", "up")
        wait_until(lambda: d.json("pending")["pending"] == [], "nothing pending")
        # A new bridge begins to forward when its port does.
        wait_until(lambda: "state UP" in lab.ip("link", "show", "docker0"), "the bridge")
        lab.wait(lab.send("a1", "10.1.0.9", "239.1.2.3"), "a3")
        lab.wait(lab.send("a3", "10.3.0.9", "239.4.5.6"), "a1")
        lab.ip("link", "del", "docker0")
        wait_until(lambda: d.json("pending")["pending"] != [], "something pending")


@case("all of a range, but not these: one host, one range out, one group to another output")
def exceptions(lab):
    conf = recipe("All of a range", a1="eth0", a2="eth1", a3="eth2")
    lab.daemon(conf.replace("192.168.1.66", "10.1.0.66"))
    lab.passes("a1", "10.1.0.9", "239.5.5.5", "a2", "a3")
    lab.passes("a1", "10.1.0.9", "239.1.2.3", "a3")
    lab.expect(lab.send("a1", "10.1.0.66", "239.5.5.5", 3))
    lab.expect(lab.send("a1", "10.1.0.66", "239.1.2.3", 3))
    lab.expect(lab.send("a1", "10.1.0.9", "239.1.9.9", 3))
    rc, out, _ = lab.run(SMCROUTE, "smcroute-check", "explain", "a1", "192.168.1.66", "239.5.5.5",
                         lab.write("x.conf", conf))
    check("the packets are stopped by" in out, f"{rc} {out}")


@case("very many sources, one group: one entry, none is learned; one source is stopped")
def many(lab):
    conf = recipe("Very many sources", a1="eth0", a2="eth1", a3="eth2")
    d = lab.daemon(conf.replace("192.168.1.66", "10.1.0.66"))
    for i in range(100):
        lab.wait(lab.send("a1", f"10.1.1.{i + 1}", "239.3.3.3"), "a2", "a3")
    lab.expect(lab.send("a1", "10.1.0.66", "239.3.3.3", 3))
    same(sorted(s for s, _ in lab.mroutes("239.3.3.3")), ["0.0.0.0", "10.1.0.66"], "sources of the kernel's entries")
    check("(*, 239.3.3.3)" in d.show("-dd", "show").split("Kernel MFC Table")[1], "not among the kernel's entries")


@case("two routing tables: one instance in each")
def tables(lab):
    commands, = recipe_blocks("Two routing tables")[1]
    sys_call("mount", "lab", "/etc", "tmpfs", 0, None)
    with open("/etc/tv.conf", "w") as f:
        f.write("mroute from a1 group 239.7.7.7 to a2\n")
    Daemon(lab, "mroute from a3 group 239.7.7.8 to a4\n")
    p = subprocess.run(["sh", "-ec", renamed(commands, a1="eth0.10")], env=path(lab), capture_output=True, text=True)
    if "_MULTIPLE_TABLES" in p.stderr:
        raise Skip("this kernel has one table only")
    try:
        check(p.returncode == 0 and "239.7.7.7" in p.stdout, f"{p.stdout}{p.stderr}")
        lab.wait(lab.send("a1", "10.1.0.9", "239.7.7.7"), "a2")
        lab.wait(lab.send("a3", "10.3.0.9", "239.7.7.8"), "a4")
        same(list(lab.mroutes()), [("10.3.0.9", "239.7.7.8")], "the main table")
    finally:
        lab.run(SMCROUTE, "smcroutectl", "-i", "tv", "kill")


@case("mDNS: the checker says that no router forwards it")
def mdns(lab):
    same(recipe_blocks("mDNS"), ([], []), "blocks")
    conf = lab.write("x.conf", "mroute from a1 group 224.0.0.251 to a2\nmroute from a1 group ff02::fb to a2\n")
    rc, _, err = lab.run(SMCROUTE, "smcroute-check", conf)
    same((rc, err.count("routers never forward it")), (0, 2), err)


if __name__ == "__main__":
    main()
