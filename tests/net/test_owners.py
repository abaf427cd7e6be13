# SPDX-License-Identifier: ISC
#
# Several programs ask for the same routes and groups: each takes its own back.
from cases import case, main
from lab import check, same
from packet import address

V4, V6 = ("10.1.0.9", "225.1.2.3", "225.5.6.7"), ("fd00:1::9", "ff2e::11", "ff2e::12")


def owners(d, table):
    """Of each rule or join of a case the owners, by group."""
    found = d.json(table)[table]
    rows = found["conf"] if table == "groups" else found["asm"] + found["ssm"]
    return {row["group"]: row["owners"] for row in rows if not row["group"].startswith("239.255.255.")}


def joined(group):
    """Whether the kernel has a1 as a member."""
    raw, dev = address(group), ""
    with open("/proc/net/igmp6" if ":" in group else "/proc/net/igmp") as f:
        for words in map(str.split, f):
            if ":" in group and words[1:3] == ["a1", raw.hex()]:
                return True
            dev = words[1] if words[0].isdigit() else dev
            if dev == "a1" and words[0] == raw[::-1].hex().upper():
                return True
    return False


def stays(d, owner, *words):
    """A command that leaves something to an owner."""
    rc, out, err = d.ctl(*words)
    same((rc, out), (0, ""), f"{words}: {err!r}")
    check(f"stays: owner {owner} asks for it" in err, f"{words}: {err!r}")


def reload(d):
    same(d.ctl("reload")[0::2], (0, ""), "reload")


@case("two owners of a rule and a group, each takes its own back, a reload in between", *V4)
@case("two owners of a rule and a group, each takes its own back, a reload in between, IPv6", *V6)
def two(lab, src, group, other):
    d = lab.daemon(f"mroute from a1 group {other} to a2\n")
    rule, join = ("add", "a1", src, group, "a2"), ("join", "a1", group)
    for owner in ("iptv", "cam-2"):
        d.do("-o", owner, *rule)
        d.do("-o", owner, *join)
    lab.passes("a1", src, group, "a2")
    before = lab.route(src, group)
    check(joined(group), "joined")
    counted = lab.counted(src, group)
    reload(d)
    d.hup(f"mroute from a3 group {other} to a4\n")
    # Entry, counters and membership are those from before, and packets pass.
    same((lab.route(src, group), lab.counted(src, group)), (before, counted), "the entry after two reloads")
    check(joined(group), "joined after the reload")
    same(owners(d, "routes"), {group: ["iptv", "cam-2"], other: ["config"]}, "owners of rules")
    same(owners(d, "groups"), {group: ["iptv", "cam-2"]}, "owners of groups")
    lab.passes("a1", src, group, "a2")
    stays(d, "cam-2", "-o", "iptv", "remove", "a1", src, group)
    stays(d, "cam-2", "-o", "iptv", "leave", "a1", group)
    lab.passes("a1", src, group, "a2")
    check(joined(group), "joined while one wants it")
    same(d.ctl("-o", "iptv", "remove", "a1", src, group)[0], 66, "remove of what it has not")
    same(d.ctl("-o", "iptv", "leave", "a1", group)[0], 66, "leave of what it has not")
    d.do("-o", "cam-2", "remove", "a1", src, group)
    d.do("-o", "cam-2", "leave", "a1", group)
    same(lab.route(src, group), None, "the entry after the second")
    check(not joined(group), "joined after the second")
    same(owners(d, "groups"), {}, "no group")


@case("what nobody names goes with a reload, what an owner names stays, disown takes it back")
def reloaded(lab):
    d = lab.daemon("mroute from a1 group 225.1.1.1 to a2\nmgroup from a1 group 225.1.1.1\n")
    d.do("add", "a1", "225.1.1.1", "a3")
    d.do("-o", "x", "add", "a1", "225.1.1.1", "a4")
    d.do("-o", "x", "join", "a1", "225.1.1.9")
    d.do("join", "a1", "225.1.1.8")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a3", "a4")
    reload(d)
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a4")
    same([joined(f"225.1.1.{i}") for i in (1, 8, 9)], [True, False, True], "groups after the reload")
    # What is saved with its owners is a configuration.
    saved = d.show("-d", "show", "config")
    check("225.1.1.1 to a2 a4  # owner: config (a2), x (a4)\n" in saved, f"owners in {saved}")
    stays(d, "x", "remove", "a1", "225.1.1.1")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a4")
    d.do("-o", "x", "disown")
    same(d.ctl("-o", "x", "disown")[0], 66, "disown once more")
    same(owners(d, "routes"), {}, "rules")
    same([joined(f"225.1.1.{i}") for i in (1, 9)], [True, False], "groups in the end")
    d.hup(saved)
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a4")


@case("owners in a batch: of a line, and of those that name none")
def batch(lab):
    d = lab.daemon("")
    rc, out, err = d.ctl("-o", "all", "-b", stdin="add a1 225.1.1.1 a2\n-o one add a1 225.1.1.2 a2\n"
                         "add a1 -oone 225.1.1.3 a2\njoin a1 225.1.1.4 # -o two\nshow groups\n"
                         "-o one ping\n-o\nadd a1 225.1.1.5 a2 -o\n-o a/b add a1 225.1.1.5 a2\nadd a1 225.1.1.6\n")
    same((rc, err.count("\n")), (64, 5), f"status and lines of {err!r}")
    for line, text in ((6, "ping: -o has no meaning here"), (7, "needs a value"), (8, "needs a value"),
                       (9, "a/b"), (10, "no output interface")):
        check(any(f"line {line}" in e and text in e for e in err.splitlines()), f"line {line}: {text} in {err!r}")
    same(owners(d, "routes"), {"225.1.1.1": ["all"], "225.1.1.2": ["one"], "225.1.1.3": ["one"], "225.1.1.6": ["all"]},
         "owners")
    check("225.1.1.4" in out, "show groups in a batch with an owner")
    same(owners(d, "groups"), {"225.1.1.4": ["all"]}, "owners of groups")


@case("names of owners that are none, and commands that take none")
def refused(lab):
    d = lab.daemon("")
    for name in ("", "-x", "a b", "a/b", "\033[31m", "x" * 65, "config", "unnamed"):
        rc, out, err = d.ctl("-o", name, "add", "a1", "225.1.1.1", "a2")
        same((rc, out, err.count("\n")), (64, "", 1), f"-o {name!r}: {err!r}")
    for words in (("-o", "x"), ("-o", "x", "show"), ("-o", "x", "flush"), ("-o", "x", "reload"), ("disown",),
                  ("-o", "x", "disown", "y"), ("-o",)):
        same(d.ctl(*words)[0], 64, f"{words}")
    same(d.json("config")["config"]["mgroup"], [], "groups")
    same(owners(d, "routes"), {}, "rules")
    d.do("-o", "x" * 64, "add", "a1", "225.1.1.1", "a2")
    same(owners(d, "routes"), {"225.1.1.1": ["x" * 64]}, "the longest name")


if __name__ == "__main__":
    main()
