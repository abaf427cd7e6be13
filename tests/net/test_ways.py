# SPDX-License-Identifier: ISC
#
# What each of the four ways of a handover has to stand: a table of its own (-t), another user without any capability,
# both families, rules of all kinds, more memberships than a socket has room for, many entries.  `make handover` is the
# long form: ENTRIES of them, HANDOVERS one after the other.
import os
import time
from collections import Counter

from cases import case, main
from heirs import pid_of, program
from lab import check, need_users, same, wait_until
from packet import address
from reports import Wire, reported
from stream import Stream
from ways import WAYS, Upgrade, changes

ENTRIES, HANDOVERS = int(os.environ.get("ENTRIES", "1000")), int(os.environ.get("HANDOVERS", "2"))
GROUPS = 1024 + 256 + 256
RULES = ("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a3\n"
         "mroute from a1 source fd00:1::9 group ff2e::1:1 to a2 a3\n"
         "mroute from a1 group 225.2.0.0/16 to a2 a3\nmroute from a1 group ff2e::2:0/112 to a2 a3\n"
         "mroute from a1 group 225.3.3.3 kernel to a2 a3\nmroute from a1 group ff2e::3:3 kernel to a2 a3\n"
         "mgroup from a1 group 225.64.0.0/22\nmgroup from a1 source 10.1.0.2 group 232.1.1.0/24\n"
         "mgroup from a1 source fd00:1::2 group ff3e::64:0/120\n")
FLOWS = (("10.1.0.9", "225.1.1.1"), ("fd00:1::9", "ff2e::1:1"), ("10.1.0.7", "225.2.7.7"), ("fd00:1::7", "ff2e::2:7"),
         ("10.1.0.8", "225.3.3.3"), ("fd00:1::8", "ff2e::3:3"))


def entries(n):
    """As many rules for one source, half of them IPv6."""
    return "".join(f"mroute from a4 source 10.{64 + (i >> 16)}.{i >> 8 & 255}.{i & 255} group 225.40.1.1 to a3\n"
                   f"mroute from a4 source fd00:64::{i + 1:x} group ff2e::40 to a3\n" for i in range(n // 2))


def table(d):
    found = d.json("routes")["routes"]["kernel"]
    return sorted((e["group"], e["source"] or "", e["iif"], e["state"], *e["oifs"]) for e in found)


def members(d):
    return sorted((g["source"] or "", g["group"], g["iif"]) for g in d.json("groups")["groups"]["kernel"])


def has_no_rights(pid):
    with open(f"/proc/{pid}/status") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    same([int(status[c], 16) for c in ("CapInh", "CapPrm", "CapEff", "CapAmb")], [0] * 4, "capabilities")
    check("0" not in status["Uid"].split(), "root again")


@case("a table of its own, another user, many memberships and entries: " + WAYS[0].__name__, WAYS[0])
@case("the same: " + WAYS[1].__name__, WAYS[1])
@case("the same: " + WAYS[2].__name__, WAYS[2])
@case("the same: " + WAYS[3].__name__, WAYS[3])
def stands(lab, kind):
    need_users()
    program(lab)				# where another user gets to
    for family in ("-4", "-6"):
        for iface in ("a1", "a4"):
            lab.ip(family, "mrule", "add", "iif", iface, "table", "77")
    for name in ("ipv4/conf/a1/igmpv3", "ipv6/conf/a1/mldv2"):
        lab.sysctl(f"{name}_unsolicited_report_interval", 10)
    wait_until(lambda: "fe80" in lab.ip("-6", "addr", "show", "dev", "a1", "scope", "link", "-tentative"), "an address")
    wire, way = Wire(lab), kind(lab, RULES + entries(ENTRIES), "-t", "77", "-p", "nobody", "-c", "600")
    d = way.start()
    wait_until(lambda: len(changes(d)) == 1, "the start", 60)
    d.do("-o", "x", "add", "a1", "10.1.0.6", "225.6.6.6", "a2", "a3")
    flows = (*FLOWS, ("10.1.0.6", "225.6.6.6"))
    for flow in flows:
        lab.passes("a1", *flow, "a2", "a3", n=3)
    before, groups = table(d), members(d)
    check(len(before) >= ENTRIES + len(flows) and len(groups) == GROUPS, f"{len(before)} entries, {len(groups)} groups")
    # The kernel repeats a report once (RFC 3376, 8.1).
    joined = {address(g) for _, g, _ in groups}
    wait_until(lambda: wire.read() and min(Counter(reported(wire))[g] for g in joined) >= 2, "the reports of all joins")
    heard, stream, begin = len(wire.heard), Stream(lab, "a1", flows, 1000), time.monotonic()
    for _ in range(HANDOVERS):
        last, pid, starts = d, pid_of(d), len(changes(d))
        d = way.follow(d)
        # One that has the same log goes on in it.
        wait_until(lambda d=d, n=starts + 1 if d is last else 1: len(changes(d)) >= n, "the start", 60)
        same(changes(d)[-1], (0, 0, 0), "what was changed in the kernel")
        # After -p an upgrade goes on in the same process.
        same(pid_of(d) == pid, kind is Upgrade, "the same process")
        has_no_rights(pid_of(d))
        same(table(d), before, "entries")
        same(members(d), groups, "memberships")
        check("225.6.6.6" in d.show("show", "config"), "what an owner asked for")
    stream.end()
    same(len(wire.read()), heard, f"IGMP and MLD messages, of {reported(wire, heard)[:4]}")
    print(f"# measured: {stream.expect('a2', 'a3')} packets across {HANDOVERS} handovers of {len(before)} entries, "
          f"{time.monotonic() - begin:.1f} s")


if __name__ == "__main__":
    main()
