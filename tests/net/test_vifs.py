# SPDX-License-Identifier: ISC
#
# Numbers of interfaces: who gets one, which one, when it is given back, and what
# phyint lines do to it.
from cases import case, main
from lab import SMCROUTE, Daemon, check, same, wait_until


def bare(lab, conf, *options):
    """A daemon without the marker rules, so that no interface is taken but those of conf."""
    return Daemon(lab, conf, options)


def numbers(d, key="vif"):
    return {i["name"]: i[key] for i in d.json("interfaces")["interfaces"] if i[key] is not None}


def reasons(d):
    return [p["reason"] for p in d.json("pending")["pending"]]


@case("33 interfaces: the last one waits, and gets its turn", "225.1.1.1", "vif")
@case("33 interfaces of IPv6", "ff2e::1", "mif")
def turn(lab, group, key):
    lab.ip_batch(f"link add v{i} type veth peer name w{i}" for i in range(33))
    d = bare(lab, "".join(f"mroute from v{i} group {group} to a1\n" for i in range(33)))
    same(numbers(d, key), {"v0": 0, "a1": 1} | {f"v{i}": i + 1 for i in range(1, 31)}, "numbers")
    waits = d.json("pending")["pending"]
    same([(w["iif"], w["reason"]) for w in waits],
         [("v31", "no free VIF"), ("v32", "no free VIF")], "who waits")
    d.do("remove", "v7", group)
    wait_until(lambda: numbers(d, key).get("v31") == 8, "v31 with the number that v7 had")
    same([w["iif"] for w in d.json("pending")["pending"]], ["v32"], "who waits then")
    lab.ip("link", "del", "v3")
    wait_until(lambda: numbers(d, key).get("v32") == 4, "v32 with the number that v3 had")
    wait_until(lambda: [(w["iif"], w["reason"]) for w in d.json("pending")["pending"]]
               == [("v3", "no such interface")], "v3 alone pending")
    lab.ip("link", "add", "v3", "type", "veth", "peer", "name", "w3")
    wait_until(lambda: reasons(d) == ["no free VIF"], "v3 waiting")
    d.write(f"mroute from v3 group {group} to v31\n")
    same(d.ctl("reload")[0], 0, "reload")
    same(reasons(d), [], "pending after a reload to fewer")


@case("a wildcard that matches more than there are numbers: those without one are told", "225.1.1.1", "vif")
@case("the same of IPv6", "ff2e::1", "mif")
def wildcard_beyond(lab, group, key):
    lab.ip_batch(f"link add cali{i} type veth peer name w{i}" for i in range(36))
    d = bare(lab, f"mroute from a1 group {group} to cali+\n")
    late = [f"cali{i}" for i in range(31, 36)]
    wait, = d.json("pending")["pending"]
    same((wait["reason"], wait["waits_for"]), ("no free VIF", late), "what waits")
    check(f"to cali+  # {' '.join(late)}: no free VIF" in d.show("-d", "show", "pending"), "nor does the text")
    check("smcroute_pending 1\n" in d.show("show", "metrics"), "nor do the metrics")
    same([i["name"] for i in d.json("interfaces")["interfaces"] if i["reason"] == "no free VIF"], late, "interfaces")
    same([line.split()[1] for line in d.show("-d", "show", "interfaces").splitlines() if "no free VIF" in line],
         late, "lines of interfaces")
    lab.ip_batch(f"link del cali{i}" for i in range(5))
    wait_until(lambda: not reasons(d), "nothing pending")
    same(set(late) - set(numbers(d, key)), set(), "late ones without a number")


@case("numbers come in config order, lowest first, both families alike")
def order(lab):
    d = bare(lab, "phyint a3 enable\nphyint a4 ttl-threshold 3\nmroute from a2 group 225.1.1.1 to a4\n"
                  "mroute from a4 group ff2e::1 to a1\nmgroup from a1 group 225.1.1.1\n")
    same(numbers(d), {"a3": 0, "a2": 1, "a4": 2, "a1": 3}, "VIFs")
    same(numbers(d, "mif"), {"a3": 0, "a4": 1, "a1": 2}, "MIFs")
    d.do("add", "a2", "ff2e::2", "a3")
    same(numbers(d, "mif"), {"a3": 0, "a4": 1, "a1": 2, "a2": 3}, "MIFs after an add")
    d.do("remove", "a4", "ff2e::1")
    same(numbers(d, "mif"), {"a3": 0, "a2": 3}, "MIFs after a remove")
    d.do("add", "a2", "ff2e::3", "a1")
    same(numbers(d, "mif"), {"a3": 0, "a2": 3, "a1": 1}, "the lowest free one")


@case("ALLMULTI follows the numbers, and what others do")
def allmulti(lab):
    d = bare(lab, "mroute from a1 group 225.1.1.1 to a2\nmroute from a4 group ff2e::1 to a3\n")
    def on():
        return [i["name"] for i in d.json("interfaces")["interfaces"] if i["allmulti"]]
    same(on(), ["a1", "a2", "a3", "a4"], "with numbers")
    check("yes" in d.show("-d", "show", "interfaces"), "text")
    d.do("remove", "a1", "225.1.1.1")
    same(on(), ["a3", "a4"], "without the rule")
    lab.ip("link", "set", "a1", "allmulticast", "on")
    wait_until(lambda: on() == ["a1", "a3", "a4"], "switched on by hand")


@case("phyint disable: never used, and the reason is told; enabled by a reload")
def disabled(lab):
    rules = ("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a3\nmroute from a3 group 225.1.1.2 to a2\n"
             "mgroup from a3 group 225.1.1.3\nmroute from a1 group 225.1.1.4 to a+\n")
    d = lab.daemon("phyint a3 disable\n" + rules)
    same(sorted((p["kind"], p["reason"]) for p in d.json("pending")["pending"]),
         [("mgroup", "disabled")] + [("mroute", "disabled")] * 3, "reasons")
    check("a3" not in numbers(d), "a3 has a number")
    same(lab.route("10.1.0.9", "225.1.1.1"), ("a1", ["a2"]), "the route")
    d.hup(rules)
    same(reasons(d), [], "pending")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a3")
    lab.passes("a3", "10.3.0.9", "225.1.1.2", "a2")
    d.hup("phyint a+ disable\nphyint a1 enable\nphyint a2 enable\nphyint a4 enable\n" + rules)
    check("a3" not in numbers(d), "a3 has a number after it was disabled")
    lab.send("a3", "10.3.0.9", "225.1.1.2", 5)
    same(lab.route("10.1.0.9", "225.1.1.1"), ("a1", ["a2"]), "the route again")


@case("a ttl-threshold waits for its interface, and is there when it returns")
def threshold(lab):
    lab.daemon("phyint a5 ttl-threshold 9\nmroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a5\n")
    for _ in range(2):
        lab.links("a5")
        wait_until(lambda: lab.route("10.1.0.9", "225.1.1.1") == ("a1", ["a2", "a5"]), "the route to a5")
        lab.expect(lab.send("a1", "10.1.0.9", "225.1.1.1", 20, ttl=9), "a2")
        lab.expect(lab.send("a1", "10.1.0.9", "225.1.1.1", 20, ttl=10), "a2", "a5")
        lab.ip("link", "del", "a5")
        wait_until(lambda: lab.route("10.1.0.9", "225.1.1.1") == ("a1", ["a2"]), "the route without a5")


@case("a threshold that a reload changes")
def threshold_changes(lab):
    rule = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a3\nmroute from a1 group 225.1.1.2 to a2 a3\n"
    d = lab.daemon(rule)
    lab.passes("a1", "10.1.0.9", "225.1.1.2", "a2", "a3")
    d.hup("phyint a3 ttl-threshold 10\n" + rule)
    for group in ("225.1.1.1", "225.1.1.2"):
        lab.expect(lab.send("a1", "10.1.0.9", group, 20, ttl=10), "a2")
        lab.expect(lab.send("a1", "10.1.0.9", group, 20, ttl=11), "a2", "a3")
    d.hup(rule)
    lab.expect(lab.send("a1", "10.1.0.9", "225.1.1.2", 20, ttl=10), "a2", "a3")


@case("wildcards as inbound and outbound interfaces never reflect")
def wild(lab):
    lab.daemon("mroute from a+ group 225.1.1.1 to a+\nmroute from a+ group ff2e::11 to a+\n")
    for source, group in (("10.1.0.9", "225.1.1.1"), ("fd00:1::9", "ff2e::11")):
        lab.passes("a1", source, group, "a2", "a3", "a4")
    lab.passes("a3", "10.3.0.9", "225.1.1.1", "a1", "a2", "a4")
    lab.links("a5")
    wait_until(lambda: lab.route("10.3.0.9", "225.1.1.1") == ("a3", ["a1", "a2", "a4", "a5"]), "a5 as an output")
    lab.passes("a5", "10.5.0.9", "225.1.1.1", "a1", "a2", "a3", "a4")
    lab.passes("a5", "fd00:5::9", "ff2e::11", "a1", "a2", "a3", "a4")


@case("an alias is its interface: one number for both")
def alias(lab):
    lab.ip("addr", "add", "10.77.0.1/24", "dev", "a2", "label", "a2:1")
    d = lab.daemon("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2:1 a2 a3\n"
                   "mroute from a2:1 group 225.1.1.2 to a1\n")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a3")
    lab.passes("a2", "10.2.0.9", "225.1.1.2", "a1")
    same(sorted(numbers(d)), ["a1", "a2", "a3", "a4"], "interfaces with a number")
    same(lab.run(SMCROUTE, "smcroute-check", "-q", d.conf)[0], 0, "check")


@case("an interface without IPv6 costs IPv4 nothing, and gets its turn")
def no_ipv6(lab):
    lab.ip("link", "set", "a3", "mtu", "1000")
    d = lab.daemon("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a3\n"
                   "mroute from a1 source fd00:1::9 group ff2e::11 to a2 a3\n")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a3")
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2")
    lab.ip_batch(["link set a3 mtu 1500"])
    wait_until(lambda: not reasons(d), "nothing pending")
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2", "a3")


if __name__ == "__main__":
    main()
