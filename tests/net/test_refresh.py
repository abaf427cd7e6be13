# SPDX-License-Identifier: ISC
#
# phyint ... refresh: memberships that are reported again, byte by byte, and what a
# Linux bridge that snoops makes of it, with a querier and without.
import collections
import os
import struct
import subprocess
import time

from cases import case, main
from lab import SLOW, Daemon, Skip, check, need_users, note, same, wait_until
from packet import address, checksum
from reports import (IGMP1, IGMP2, IGMP3, IS_EX, IS_IN, MLD1, MLD2, QUERY, Wire, igmp, mld_query, records,
                     snooping_bridge, sum6)

GROUPS = ("225.7.7.7", "ff0e::77")
MGROUPS = "".join(f"mgroup from a1 group {g}\n" for g in GROUPS)


# ---- a bridge that snoops ----

def members(lab):
    """{(port, group)} that the bridges know, that of the router too."""
    show = ["bridge", "mdb", "show"]
    out = subprocess.run(show, check=True, text=True, stdout=subprocess.PIPE).stdout
    with lab.at("ha"):
        out += subprocess.run(show, check=True, text=True, stdout=subprocess.PIPE).stdout
    return {(w[w.index("port") + 1], w[w.index("grp") + 1]) for w in map(str.split, out.splitlines()) if "grp" in w}


@case("a snooping bridge without a querier keeps the memberships for three intervals, and not without refresh")
def kept(lab):
    options = "mcast_querier 0 mcast_membership_interval 400"
    tx = snooping_bridge(lab, options)
    # The bridge may also be an interface of the router, which is then a member of its own.
    lab.ip_batch([f"link add br1 type bridge mcast_snooping 1 {options}", "link add p0 type veth peer name p1",
                  "link set p0 master br1", "link set br1 up", "link set p0 up", "link set p1 up"])
    wire, ours = Wire(lab), {(port, g) for port in ("eth0", "br1") for g in GROUPS}
    joins = MGROUPS + MGROUPS.replace("a1", "br1")
    d = Daemon(lab, joins)

    def interval(seen):
        """An interval of the bridge's own goes by, that of a member which reports once."""
        tx.send(igmp(IGMP2, address("225.9.9.9"), address("10.1.0.9"), address("225.9.9.9")))
        wait_until(lambda: ("s0", "225.9.9.9") in members(lab), "the member on s0")
        def over():
            now = members(lab)
            seen(now)
            return ("s0", "225.9.9.9") not in now
        wait_until(over, "the end of the membership on s0")

    wait_until(lambda: ours <= members(lab), "our port among the members")
    wait_until(lambda: not ours & members(lab), "the end of our memberships")
    lab.write(d.name + ".conf", joins + "phyint a1 refresh 1\nphyint br1 refresh 1\n")
    same(d.ctl("reload")[0], 0, "reload")
    wait_until(lambda: ours <= members(lab), "our port among the members again")
    for _ in range(3):
        interval(lambda now: check(ours <= now, f"the bridge knows only {ours & now}"))
    wire.no_leave()
    lab.write(d.name + ".conf", joins)
    same(d.ctl("reload")[0], 0, "reload")
    wait_until(lambda: not ours & members(lab), "the end of our memberships")
    wire.no_leave()
    tx.close()


def mld_reports_of_kernel():
    """How many the kernel itself has sent on a1."""
    with open("/proc/net/dev_snmp6/a1") as f:
        return sum(int(w[1]) for w in map(str.split, f) if w[0] in ("Icmp6OutType131", "Icmp6OutType143"))


@case("with a querier nothing is sent, and once it falls silent it is")
def silent(lab):
    # The kernel itself does not report this group, even when it is asked.
    lab.sysctl("ipv4/igmp_link_local_mcast_reports", 0)
    snooping_bridge(lab, "mcast_query_interval 100 mcast_startup_query_interval 100 mcast_query_response_interval 10")
    with lab.at("ha"):
        lab.ip("link", "set", "br0", "type", "bridge", "mcast_querier", "1")
    own = "224.0.0.99"
    wire = Wire(lab)

    def excess():
        """MLD reports on the wire beyond those that the kernel has sent."""
        return len([m for m in wire.read() if m[0] == 6]) - mld_reports_of_kernel()
    def steady():
        first = excess()
        time.sleep(0.02)
        return first == excess() and (first,)
    before, = wait_until(steady, "nothing under way")
    d = Daemon(lab, MGROUPS + f"mgroup from a1 group {own}\nphyint a1 refresh 1\n")

    def queried(n):
        wire.read()
        return min(wire.queries.values()) >= n
    wait_until(lambda: queried(7), "7 queries of each family", 3 * SLOW)
    wait_until(lambda: steady() == (before,), lambda: f"no MLD report but the kernel's, there are {excess() - before}")
    same(wire.again(own), [], "reports of our own")
    same([i["querier"] for i in d.json("interfaces")["interfaces"] if i["name"] == "a1"], [["igmp", "mld"]], "querier")
    with lab.at("ha"):
        lab.ip("link", "set", "br0", "type", "bridge", "mcast_querier", "0")
    after = len(wire.read())
    wire.wait(own, after)
    wire.wait(GROUPS[1], after, 3)
    check(excess() > before, "reports of our own are not told from those of the kernel")
    wire.no_leave()


# ---- on the wire ----

def looks(family, m, head, kind, group):
    """A report as the RFCs have it."""
    newest = kind in (IGMP3, MLD2)
    to = address({4: "224.0.0.22", 6: "ff02::16"}[family]) if newest else address(group)
    same((m[0], len(m)), (kind, len(m) if newest else {4: 8, 6: 24}[family]), "type and length")
    if family == 4:
        same((head[0], head[1], head[8], head[9], head[20:24]), (0x46, 0xc0, 1, 2, b"\x94\4\0\0"),
             "IHL, TOS, TTL, protocol, alert")
        same((head[12:16], head[16:20]), (address("10.1.0.1"), to), "addresses")
        same((checksum(head), checksum(m)), (0, 0), "checksums")
    else:
        same((head[6], head[7], head[40:48]), (0, 1, b"\x3a\0\5\2\0\0\1\0"), "next header, hop limit, alert")
        same((head[8:10], head[24:40], sum6(head[8:24], head[24:40], m)), (b"\xfe\x80", to, 0), "addresses, sum")
    if newest:
        want = {(IS_EX, address(group), ())}
        if family == 4:
            want.add((IS_IN, address("232.7.7.7"), (address("10.9.0.1"), address("10.9.0.2"))))
        same({(k, g, tuple(sorted(s))) for k, g, s in records(family, m)}, want, "records")


@case("byte by byte, in the version that the kernel's mode says: IGMPv3, v2, v1 and MLDv2, v1")
def fields(lab):
    wire = Wire(lab)
    Daemon(lab, MGROUPS + "phyint a+ refresh 1\nmgroup from a1 source 10.9.0.1 group 232.7.7.7\n"
           "mgroup from a1 source 10.9.0.2 group 232.7.7.7\nmgroup from a1 group 224.0.0.1\n"
           "mgroup from a1 group ff02::1\n")
    for dev, versions, kinds in (("a1", (0, 0), (IGMP3, MLD2)), ("a1", (2, 1), (IGMP2, MLD1)),
                                 ("all", (1, 1), (IGMP1, MLD1))):
        lab.sysctl(f"ipv4/conf/{dev}/force_igmp_version", versions[0])
        lab.sysctl(f"ipv6/conf/{dev}/force_mld_version", versions[1])
        after = len(wire.read())
        for group, kind in zip(GROUPS, kinds):
            # A round may have begun before.
            looks(*wire.wait(group, after, 2), kind, group)
        if kinds[0] != IGMP3:
            wire.wait("232.7.7.7", after)
        else:
            wire.no_leave()
    for group in ("224.0.0.1", "ff02::1"):
        same(wire.again(group), [], "reports of a group that nobody reports")


@case("what is no general query is none; the version of the querier is that of the reports")
def heard(lab):
    wire = Wire(lab)
    d = Daemon(lab, MGROUPS + "phyint a1 refresh 1\n")
    none, any_host = bytes(4), address("224.0.0.1")
    src4, src6 = address("10.1.0.2"), address("fe80::2")

    def querier(*options):
        return {i["name"]: i["querier"] for i in d.json(*options, "interfaces")["interfaces"]}["a1"]
    for group in GROUPS:
        wire.wait(group)
    wait_until(lambda: querier() == [], "no querier")
    check("no" in [line.split() for line in d.show("-d", "show", "interfaces").splitlines() if " a1 " in line][0],
          "no querier in the table")
    tx = lab.senders["ha"]
    tx.send(igmp(QUERY, none, src4, any_host, 100, spoil=1))
    tx.send(igmp(QUERY, none, src4, any_host, 100, ttl=2))
    tx.send(igmp(QUERY, address(GROUPS[0]), src4, address(GROUPS[0]), 100))
    tx.send(igmp(IGMP2, none, src4, any_host))
    tx.send(mld_query(bytes(16), src6, spoil=1))
    tx.send(mld_query(bytes(16), src6, hops=2))
    tx.send(mld_query(bytes(16), address("fd00:1::2")))
    tx.send(mld_query(address(GROUPS[1]), src6))
    after = len(wire.read())
    for group in GROUPS:
        wire.wait(group, after, 4)
    same(querier(), [], "querier")
    check("querier is heard, it" not in d.log(), "one of these was taken for a querier")
    # One without an address of its own is a switch that asks for a router.
    tx.send(igmp(QUERY, none, none, any_host, 100))
    wait_until(lambda: querier() == ["igmp"], "the querier of IPv4")
    tx.send(mld_query(bytes(16), src6))
    wait_until(lambda: querier() == ["igmp", "mld"], "the querier of IPv6")
    for family, what in ((4, "no IGMP querier is heard"), (6, "no MLD querier is heard")):
        wait_until(lambda: d.log().count(what) > 1, f"IPv{family} to be refreshed again")
    after = len(wire.read())
    for group, kind in zip(GROUPS, (IGMP2, MLD1)):
        same(wire.wait(group, after, 2)[1][0], kind, "type")


@case("1,024 memberships a family, a packet each: all of them are reported, round after round")
def many(lab):
    lab.sysctl("ipv4/conf/a1/force_igmp_version", 2)
    lab.sysctl("ipv6/conf/a1/force_mld_version", 1)
    wire = Wire(lab)
    d = Daemon(lab, "phyint a1 refresh 1\nmgroup from a1 group 225.7.0.0/22\nmgroup from a1 group ff0e::/118\n")
    def all_reported():
        seen = collections.Counter(m[4:8] if m[0] == IGMP2 else m[-16:] for _, m, _ in wire.read())
        return [g for g, n in seen.items() if n >= 4]
    # Of its own accord the kernel says each twice: robustness variable of RFC 3376, 8.1.
    wait_until(lambda: len(all_reported()) >= 2048, "four reports of each", 6 * SLOW)
    wire.no_leave()
    note(f"measured: {len(wire.heard)} reports")
    d.do("ping")


@case("without any capability after the start: a reload that asks for it", [])
@case("after -p nobody", ["-p", "nobody"])
def unprivileged(lab, options):
    if options:
        need_users()
    os.chmod(lab.dir, 0o755)
    wire = Wire(lab)
    d = Daemon(lab, MGROUPS, options)
    with open(f"/proc/{d.proc.pid}/status") as f:
        if not int(next(line for line in f if line.startswith("CapEff")).split()[1], 16) == 0:
            raise Skip("capabilities are kept")
    lab.write(d.name + ".conf", MGROUPS + "phyint a1 refresh 1\n")
    same(d.ctl("reload")[0], 0, "reload")
    after = len(wire.read())
    for group in GROUPS:
        wire.wait(group, after, 3)


@case("an interface without an address: IGMP from 0.0.0.0, MLD once there is a link-local one")
def bare(lab):
    lab.ip("link", "add", "b1", "type", "veth", "peer", "name", "p1")
    lab.sysctl("ipv6/conf/b1/addr_gen_mode", 1)
    lab.sysctl("ipv6/conf/p1/disable_ipv6", 1)
    lab.ip_batch(["link set p1 netns hd", "link set b1 up"])
    with lab.at("hd"):
        lab.ip("link", "set", "p1", "up")
    wire = Wire(lab, "hd", "p1")
    d = Daemon(lab, MGROUPS.replace("a1", "b1") + "phyint b1 refresh 1\n")
    wire.wait(GROUPS[0], n=2)
    wait_until(lambda: "memberships of IPv6 are not reported" in d.log(), "IPv6 to fail")
    lab.ip("addr", "add", "fe80::77/64", "dev", "b1", "nodad")
    same(wire.wait(GROUPS[1], n=2)[2][8:24], address("fe80::77"), "source")


if __name__ == "__main__":
    main()
