# SPDX-License-Identifier: ISC
#
# A rule is standing intent: interfaces that come late, go, return or change
# their name, and the kernel has what the rules want soon after.
from cases import case, main
from lab import same, wait_until

CONF = ("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a5\n"
        "mroute from a5 source 10.5.0.9 group 225.1.1.2 to a2\n"
        "mroute from a1 group 225.1.2.0/24 to a5\n"
        "mroute from a1 source fd00:1::9 group ff2e::11 to a2 a5\n"
        "mroute from a1 group ff2e::2:0/112 to a5\n")
NOTHING = "No pending routes or groups"


def settled(lab, d):
    wait_until(lambda: d.show("-p", "show", "pending").strip() == NOTHING, "nothing pending")


def works(lab):
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a5")
    lab.passes("a5", "10.5.0.9", "225.1.1.2", "a2")
    lab.passes("a1", "10.1.0.9", "225.1.2.3", "a5")
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2", "a5")
    lab.passes("a1", "fd00:1::9", "ff2e::2:3", "a5")


@case("an interface that does not exist yet, then appears")
def late(lab):
    d = lab.daemon(CONF)
    same(len(d.json("pending")["pending"]), 5, "pending")
    lab.ifaces.append("a5")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    lab.passes("a1", "10.1.0.9", "225.1.2.3")
    lab.links("a5")
    settled(lab, d)
    works(lab)


@case("from the client: added before its interface")
def late_client(lab):
    d = lab.daemon()
    for words in ("a1 10.1.0.9 225.1.1.1 a2 a5", "a5 10.5.0.9 225.1.1.2 a2", "a1 225.1.2.0/24 a5",
                  "a1 fd00:1::9 ff2e::11 a2 a5", "a1 ff2e::2:0/112 a5"):
        same(d.ctl("add", *words.split())[0], 0, words)
    lab.links("a5")
    settled(lab, d)
    works(lab)


@case("an interface that goes and is made again, three times")
def again(lab):
    lab.links("a5")
    d = lab.daemon(CONF)
    for _ in range(3):
        works(lab)
        lab.ip("link", "del", "a5")
        wait_until(lambda: len(d.json("pending")["pending"]) == 5, "five pending rules")
        wait_until(lambda: lab.route("10.1.0.9", "225.1.1.1") == ("a1", ["a2"]), "the route without a5")
        same(lab.route("10.5.0.9", "225.1.1.2"), None, "the route from a5")
        lab.links("a5")
        settled(lab, d)
    works(lab)


@case("a rename takes the rules away, and the old name brings them back")
def rename(lab):
    lab.links("a5")
    d = lab.daemon(CONF)
    works(lab)
    lab.ip_batch(["link set a5 down", "link set a5 name b5", "link set b5 up"])
    wait_until(lambda: lab.route("10.1.0.9", "225.1.1.1") == ("a1", ["a2"]), "the route without a5")
    wait_until(lambda: len(d.json("pending")["pending"]) == 5, "five pending rules")
    lab.ip_batch(["link set b5 down", "link set b5 name a5", "link set a5 up"])
    lab.settle("a5")
    settled(lab, d)
    works(lab)


@case("down and up, MULTICAST off and on")
def flags(lab):
    lab.links("a5")
    d = lab.daemon(CONF)
    works(lab)
    lab.ip_batch(["link set a5 down", "link set a5 up", "addr add fd00:5::1/64 dev a5 nodad"])
    lab.settle("a5")
    settled(lab, d)
    works(lab)
    for switch in ("off", "on"):
        lab.ip("link", "set", "a5", "multicast", switch)
        settled(lab, d)
        works(lab)


@case("a wildcard takes a new interface in")
def wildcard(lab):
    lab.daemon("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a+\nmroute from a1 group 225.1.1.2 to a+\n")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a3", "a4")
    lab.passes("a1", "10.1.0.9", "225.1.1.2", "a2", "a3", "a4")
    lab.links("a5")
    for group in ("225.1.1.1", "225.1.1.2"):
        wait_until(lambda g=group: lab.route("10.1.0.9", g) == ("a1", ["a2", "a3", "a4", "a5"]), "a5 among the outputs")
        lab.passes("a1", "10.1.0.9", group, "a2", "a3", "a4", "a5")


@case("without the MULTICAST flag: named in full it routes and joins, a wildcard leaves it out")
def no_flag(lab):
    lab.links("a5")
    lab.ip("link", "set", "a5", "multicast", "off")
    d = lab.daemon(CONF + "mroute from a1 group 225.1.3.3 to a+\nmroute from a1 group ff2e::3:3 to a+\n"
                   "mgroup from a5 group 225.1.4.4\nmgroup from a5 source fd00:5::9 group ff3e::44\n")
    settled(lab, d)
    works(lab)
    lab.passes("a1", "10.1.0.9", "225.1.3.3", "a2", "a3", "a4")
    lab.passes("a1", "fd00:1::9", "ff2e::3:3", "a2", "a3", "a4")
    joined = set(lab.ip("maddr", "show", "dev", "a5").split())
    same({"225.1.4.4", "ff3e::44"} - joined, set(), "groups that are not joined")


@case("an interface without any address routes")
def no_address(lab):
    lab.ip("addr", "flush", "dev", "a2")
    lab.daemon("mroute from a2 source 10.2.0.9 group 225.1.1.1 to a3\nmroute from a1 group 225.1.1.2 to a2\n")
    lab.passes("a2", "10.2.0.9", "225.1.1.1", "a3")
    lab.passes("a1", "10.1.0.9", "225.1.1.2", "a2")


if __name__ == "__main__":
    main()
