# SPDX-License-Identifier: ISC
#
# What smcroutectl promises: done when it returns, silent when it worked, clear
# when it did not, tables and JSON that programs can read.
import errno
import json
import os
import socket
import subprocess

from cases import case, main
from lab import SMCROUTECTL, check, same, wait_until

RULES = ("mroute from a1 group 225.3.3.3 to a2\n"
         "mroute from a1 source 10.1.0.0/24 group 225.3.5.0/24 to a2 a3\n"
         "mroute from a1 source 10.1.0.5 group 225.4.4.4 to a2\n"
         "mroute from a1 group ff2e::3 to a2\n"
         "mroute from a1 source fd00:1::5 group ff2e::4 to a2 a3\n")


@case("IPv6: add, add more, remove some, remove: the kernel has it on the next line", "fd00:1::9", "ff2e::77")
@case("IPv4: add, add more, remove some, remove: the kernel has it on the next line", "10.1.0.9", "225.7.7.7")
def add_remove(lab, src, group):
    d = lab.daemon()
    for words, want, status, told in (
            ("add a4", ("a1", ["a4"]), 0, ""), ("add a2", ("a1", ["a2", "a4"]), 0, ""),
            ("add a2", ("a1", ["a2", "a4"]), 0, ""), ("remove a4", ("a1", ["a2"]), 0, ""),
            ("remove a3", ("a1", ["a2"]), 66, "the rule has no output a3"),
            ("remove a2 a3", ("a1", []), 0, "a3 was no output of the rule; no output interface: packets of this flow"),
            ("add a3", ("a1", ["a3"]), 0, ""), ("remove", None, 0, "")):
        command, *oifs = words.split()
        rc, out, err = d.ctl(command, "a1", src, group, *oifs)
        same((rc, out, told in err, bool(err)), (status, "", True, bool(told)), f"{words}: {err!r}")
        same(lab.route(src, group), want, words)
    lab.passes("a1", src, group)


@case("a template that is added or removed changes what is learned or blocked already")
def templates(lab):
    d = lab.daemon("mroute from a1 group ff2e::99 to a2\n")	# so that a1 has a MIF
    for src, group, wide in (("10.1.0.9", "225.8.8.8", "225.8.0.0/16"), ("fd00:1::9", "ff2e::88", "ff2e::/112")):
        lab.passes("a1", src, group)
        wait_until(lambda: lab.route(src, group) == ("a1", []), "a blocked entry")
        d.do("add", "a1", wide, "a2")
        lab.passes("a1", src, group, "a2")
        d.do("add", "a1", group, "a3")
        lab.passes("a1", src, group, "a3")
        d.do("remove", "a1", wide)
        lab.passes("a1", src, group, "a3")
        d.do("remove", "a1", group)
        lab.passes("a1", src, group)


@case("del and rem are remove")
def aliases(lab):
    d = lab.daemon()
    for word in ("del", "rem"):
        d.do("add", "a1", "10.1.0.9", "225.7.7.7", "a2")
        d.do(word, "a1", "10.1.0.9", "225.7.7.7")
        same(lab.route("10.1.0.9", "225.7.7.7"), None, word)


@case("a note, and success: no outputs, and an interface that is not there")
def notes(lab):
    d = lab.daemon()
    for words in (("a1", "10.1.0.9", "225.7.7.7"), ("a1", "10.1.0.9", "225.7.7.8", "wg0"), ("wg0", "225.7.7.9", "a2")):
        rc, out, err = d.ctl("add", *words)
        same((rc, out), (0, ""), f"add {words}")
        check(len(err.splitlines()) == 1, f"one line of note for {words}, not {err!r}")
    same(lab.route("10.1.0.9", "225.7.7.7"), ("a1", []), "the stop filter")


@case("flush takes the learned and blocked, and leaves the rules")
def flush(lab):
    d = lab.daemon("mroute from a1 group 225.9.9.9 to a2\nmroute from a1 source 10.1.0.9 group 225.9.9.8 to a2\n")
    before = lab.mroutes()
    lab.passes("a1", "10.1.0.9", "225.9.9.9", "a2")
    lab.passes("a1", "10.1.0.9", "225.9.9.7")
    wait_until(lambda: len(lab.mroutes()) == len(before) + 2, "two entries more")
    d.do("flush")
    same(lab.mroutes(), before, "entries after")
    lab.passes("a1", "10.1.0.9", "225.9.9.9", "a2")


@case("kill returns when the daemon is gone")
def kill(lab):
    d = lab.daemon(RULES)
    d.do("kill")
    check(not os.path.exists(d.pid_file), "the PID file is still there")
    check(not os.path.exists(d.sock), "the socket is still there")
    same(lab.mroutes(), {}, "the kernel's entries")
    same(d.wait(), 0, "exit status")


@case("ping, version, help")
def talk(lab):
    d = lab.daemon()
    d.do("ping")
    check(d.show("version").strip(), "no version")
    text = d.show("help")
    for word in ("add", "remove", "show", "flush", "reload", "kill", "ping", "help", "version"):
        check(word in text, f"help does not name {word}")
    check("OIF" in d.show("help", "add"), "help add has no usage")


def row(sg, rest):
    return f"{sg:<42} {rest}"


@case("the table of routes has the columns that scripts know")
def table(lab):
    d = lab.daemon(RULES)
    lab.passes("a1", "10.1.0.9", "225.3.3.3", "a2")
    text = d.show("-p", "show")
    lines = text.splitlines()
    line, rule = "_" * 79, "=" * 79
    for i, title in enumerate(("(*,G) Template Rules", "(S,G) Rules", "Kernel MFC Table")):
        at = lines.index(title)
        same([lines[at - 1], lines[at + 1], lines[at + 2], lines[at + 3]],
             [line, rule, row("ROUTE (S,G)", "IIF  OIFS"), rule], f"heading of {title}")
        check(i == 0 or at > lines.index("(*,G) Template Rules"), "order of the tables")
    for want in (row("(*, 225.3.3.3)", "a1   a2"), row("(10.1.0.0/24, 225.3.5.0/24)", "a1   a2 a3"),
                 row("(10.1.0.5, 225.4.4.4)", "a1   a2"), row("(*, ff2e::3)", "a1   a2"),
                 row("(fd00:1::5, ff2e::4)", "a1   a2 a3")):
        check(want in lines, f"no row {want!r} in\n{text}")
    check(row("(10.1.0.9, 225.3.3.3)", "a1   a2") in lines[lines.index("Kernel MFC Table"):],
          f"the learned entry is not in the kernel table:\n{text}")
    same(d.show("-p"), text, "no command, against show")
    same(d.show("-p", "show", "routes"), text, "show routes, against show")
    same([w for w in d.show("-t").splitlines() if w.startswith(("_", "=", "ROUTE")) or "Table" in w], [],
         "headings with -t")


@case("-d has packets and bytes, as SMCRoute, -dd also the state")
def detail(lab):
    d = lab.daemon(RULES)
    lab.passes("a1", "10.1.0.9", "225.3.3.3", "a2", n=23)
    sg, size = "(10.1.0.9, 225.3.3.3)", 23 * 36
    text = d.show("-d", "-p", "show")
    head = f"{'ROUTE (S,G)':<42} {'IIF':<3} {'PACKETS':>10} {'BYTES':>10}"
    same([line for line in text.splitlines() if "PACKETS" in line], [head + "  OIFS"] * 3, "headings")
    check(f"{sg:<42} a1  {23:>10} {size:>10}  a2" in text.splitlines(), f"no such row of {sg}:\n{text}")
    check(f"{'(*, 225.3.3.3)':<42} a1  {23:>10} {size:>10}  a2" in text.splitlines(), f"no sum of a rule:\n{text}")
    more = d.show("-dd", "-p", "show")
    same([line for line in more.splitlines() if "PACKETS" in line],
         [head + "  OIFS"] * 2 + [head + f" {'WRONG':>10} {'IDLE':>6} {'STATE':<7}  OIFS"], "headings with -dd")
    row = next(r for r in more[more.index("Kernel MFC"):].splitlines() if r.startswith(sg)).split()
    same(row[:5] + row[5:6] + row[7:], [*sg.split(), "a1", "23", str(size), "0", "learned", "a2"], "a row with -dd")
    check(" static " in more and f"{sg:<42} a1  {23:>10} {size:>10} {0:>10}" in more, f"-dd:\n{more}")


@case("JSON: rules and kernel entries with packets and bytes")
def as_json(lab):
    d = lab.daemon(RULES)
    for src, group in (("10.1.0.9", "225.3.3.3"), ("fd00:1::9", "ff2e::3")):
        lab.passes("a1", src, group, "a2", n=20)
    text = d.show("-j", "show")
    same(text.count("\n"), 1, "lines")
    routes = json.loads(text)["routes"]
    same(json.loads(d.show("-j"))["routes"].keys(), routes.keys(), "keys of -j alone")
    def keep(rows):
        return sorted(((r["source"] or "*", r["group"], r["iif"], tuple(sorted(r["oifs"]))) for r in rows
                       if not r["group"].startswith("239.255.255")))
    same(keep(routes["asm"]), [("*", "225.3.3.3", "a1", ("a2",)), ("*", "ff2e::3", "a1", ("a2",)),
                               ("10.1.0.0/24", "225.3.5.0/24", "a1", ("a2", "a3"))], "routes.asm")
    same(keep(routes["ssm"]), [("10.1.0.5", "225.4.4.4", "a1", ("a2",)),
                               ("fd00:1::5", "ff2e::4", "a1", ("a2", "a3"))], "routes.ssm")
    for src, group, size in (("10.1.0.9", "225.3.3.3", 36), ("fd00:1::9", "ff2e::3", 56)):
        for where in ("kernel", "asm"):
            hit = [r for r in routes[where] if r["group"] == group]
            same([(r["packets"], r["bytes"]) for r in hit], [(20, 20 * size)], f"{where} counters of {group}")


@case("JSON: interfaces and pending")
def more_json(lab):
    d = lab.daemon("mroute from a1 source 10.1.0.5 group 239.5.5.5 to wg0\nmroute from a1 group ff2e::5 to a2\n")
    ifaces = {i["name"]: i for i in d.json("interfaces")["interfaces"]}
    same(ifaces["a1"]["index"], socket.if_nametoindex("a1"), "ifindex of a1")
    same((ifaces["a1"]["vif"], ifaces["a1"]["mif"]), (0, 0), "VIF and MIF of a1")
    same((ifaces["lo"]["vif"], ifaces["lo"]["mif"]), (None, None), "VIF and MIF of lo")
    pending = d.json("pending")["pending"]
    same([(p["kind"], p["iif"], p["source"], p["group"], p["oifs"]) for p in pending],
         [("mroute", "a1", "10.1.0.5", "239.5.5.5", ["wg0"])], "pending")


@case("show interfaces, show pending as text")
def small_tables(lab):
    d = lab.daemon("mroute from wg0 group 239.5.5.5 to a2\n")
    text = d.show("-p", "show", "interfaces")
    check(any(r.split() == ["INDEX", "PHYINT", "VIF", "MIF"] for r in text.splitlines()), f"no heading:\n{text}")
    index = str(socket.if_nametoindex("a1"))
    check(any(r.split() == [index, "a1", "0", "N/A"] for r in text.splitlines()), f"no row of a1:\n{text}")
    text = d.show("-p", "show", "pending")
    check("mroute  from wg0 group 239.5.5.5 to a2" in text.splitlines(), f"not pending:\n{text}")
    d.do("remove", "wg0", "239.5.5.5")
    same(d.show("-p", "show", "pending").strip(), "No pending routes or groups", "pending")


@case("wrong words are 64, wrong addresses 65, unknown rules 66; nothing is changed")
def errors(lab):
    d = lab.daemon(RULES)
    before, rules = lab.mroutes(), d.show("-t")
    for code, *lines in (
            (64, "foo", "show groats", "add a1", "add", "remove a1", "re", "ping pong", "-Z", "show routes routes"),
            (65, "add a1 225.1.1.9/abc a2", "add a1 225.1.1.9/99 a2", "add a1 225.1.1.9/-3 a2",
             "add a1 10.0.0.9 ff0e::1 a2", "add a1 fd00::9 225.1.1.1 a2", "add a1 10.0.0.9 10.0.0.8 a2",
             "add a1 225.1.1.0/3 a2", "add a1 225.1.1.1 abcdefghijklmnopqr", "add abcdefghijklmnopqr 225.1.1.1 a2"),
            (66, "remove a1 10.1.0.9 225.99.9.9", "remove a1 225.99.9.9", "remove a2 225.3.3.3",
             "remove a1 ff2e::99")):
        for words in lines:
            rc, out, err = d.ctl(*words.split())
            same((rc, out), (code, ""), f"{words}: {err.strip()}: status")
            check(err.strip(), f"{words}: nothing on stderr")
            check(code == 64 or len(err.splitlines()) == 1, f"{words}: more than a line: {err!r}")
    same(lab.mroutes(), before, "the kernel's entries")
    same(d.show("-t"), rules, "the rules")


@case("no daemon is 69 and names the socket")
def no_daemon(lab):
    path = lab.path("nobody.sock")
    rc, out, err = lab.run(*SMCROUTECTL, "-u", path, "show")
    same((rc, out), (69, ""), "status")
    check(path in err, f"{err!r} does not name {path}")


@case("a reader that leaves early does not hurt")
def early(lab):
    d = lab.daemon("".join(f"mroute from a1 source 10.1.{i // 250}.{i % 250 + 1} group 225.1.1.1 to a2\n"
                           for i in range(5000)))
    for _ in range(3):
        p = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "show"], stdout=subprocess.PIPE)
        p.stdout.read(1)
        p.stdout.close()
        p.wait()
    d.do("ping")
    same(len(d.json()["routes"]["ssm"]), 5002, "rules")
    wait_until(lambda: d.proc.poll() is None, "the daemon")


@case("what cannot be written is 71, once for a batch that is done all the same")
def full_disk(lab):
    d = lab.daemon()
    for words, lines in ((["show"], ""), (["-j", "show"], ""), (["-b"], "show\nadd a1 225.1.1.1 a2\nshow\n")):
        with open("/dev/full", "w") as full:
            p = subprocess.run([*SMCROUTECTL, "-u", d.sock, *words], input=lines, text=True, stdout=full,
                               stderr=subprocess.PIPE, timeout=d.seconds)
        same((p.returncode, p.stderr), (71, f"smcroutectl: cannot write: {os.strerror(errno.ENOSPC)}\n"), words)
    same([row["group"] for row in d.json()["routes"]["asm"]], ["225.1.1.1"], "the batch was done")


if __name__ == "__main__":
    main()
