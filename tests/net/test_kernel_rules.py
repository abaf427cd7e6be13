# SPDX-License-Identifier: ISC
#
# Rules of the kernel, `mroute from a1 group G kernel to a2`: one entry for all
# sources, of which the daemon hears nothing; what stands beside it, and when
# the rule learns instead.
import os
import re

import sick
from cases import case, main
from lab import check, note, one_cpu, resting, same, wait_until

TRAFFIC = os.path.join(os.environ.get("B", "build"), "tests/traffic")
SOURCES = 100000
G, G6 = "225.1.2.3", "ff2e::2:3"
FAMILIES = (("IPv4", G, ["10.1.0.9", "192.0.2.7", "10.1.0.66"], "10.1.0.0/24"),
            ("IPv6", G6, ["fd00:1::9", "2001:db8::7", "fd00:1::66"], "fd00:1::/64"))


def metric(d, name):
    """The sum of all samples of a metric, or of those whose labels are in its name."""
    pattern = re.compile(r"smcroute_" + name.replace("{", r"\{.*").replace("}", r".*\}"))
    return sum(int(line.rsplit(" ", 1)[1]) for line in d.show("show", "metrics").splitlines()
               if pattern.match(line) and line[0] != "#")


def cpu(d):
    """Clock ticks that the daemon has used."""
    with open(f"/proc/{d.proc.pid}/stat") as f:
        return sum(int(n) for n in f.read().rsplit(") ", 1)[1].split()[11:13])


def backlog_drops():
    """Packets that this machine dropped before anybody looked at them."""
    with open("/proc/net/softnet_stat") as f:
        return sum(int(line.split()[1], 16) for line in f)


def kernels(d):
    """The entries of any source."""
    return sorted((e["group"], e["iif"], tuple(e["oifs"])) for e in d.json("routes")["routes"]["kernel"]
                  if e["state"] == "kernel")


def entry(d, source, group):
    return any((e["source"], e["group"]) == (source, group) for e in d.json("routes")["routes"]["kernel"])


def at_rest(d):
    wait_until(lambda: resting(d.proc.pid), "the daemon at rest")


@case("IPv4: 100,000 sources back to back", "4", "225.1.1.1", "10.16.0.5")
@case("IPv6: 100,000 sources back to back", "6", "ff2e::1", "fd00:16::5")
def all_sources(lab, family, group, stopped):
    d = lab.daemon(f"mroute from a1 group {group} kernel to a2\n"
                   f"mroute from a1 source {stopped} group {group}\n")
    same(kernels(d), [(group, "a1", ("a2",))], "the entry")
    before = {n: metric(d, n) for n in ("upcalls_total", "entries{}")}
    at_rest(d)
    used, dropped = cpu(d), backlog_drops()
    with one_cpu():
        rc, out, err = lab.run(TRAFFIC, "burst", family, str(SOURCES), "1", "/run/netns/ha", "/run/netns/hb")
    same((rc, err), (0, ""), "traffic")
    at_rest(d)
    same(cpu(d), used, "clock ticks of the daemon")
    sent, arrived, doubles, seconds = out.split()
    note(f"measured: {sent} sent, one of them of the source that is stopped, {arrived} arrived, {seconds} s")
    same({n: metric(d, n) for n in before}, before, "reports of the kernel, and entries")
    came = metric(d, f'vif_in_packets_total{{interface="a1",family="ipv{family}"}}')
    same(came - metric(d, f'vif_out_packets_total{{interface="a2",family="ipv{family}"}}'), 1, "packets stopped")
    same(metric(d, f'entry_packets_total{{source="\\*",group="{group}"}}'), came - 1, "packets of the entry")
    check(came == SOURCES or backlog_drops() > dropped, f"only {came} packets came in")
    same(int(doubles), 0, "doubles")
    # Who is root in a user namespace alone counts with a small buffer.
    with open("/proc/self/uid_map") as f:
        check(int(arrived) == came - 1 or int(f.read().split()[2]) == 1, f"only {arrived} arrived")


def each_family(name):
    def decorate(fn):
        for family, *args in FAMILIES:
            case(f"{family}: {name}", *args)(fn)
        return fn
    return decorate


@each_family("two inbound interfaces")
def two_iifs(lab, group, sources, _):
    d = lab.daemon(f"mroute from a1 group {group} kernel to a3 a4\nmroute from a2 group {group} kernel to a3\n")
    same(kernels(d), [(group, "a1", ("a3", "a4")), (group, "a2", ("a3",))], "the entries")
    for source in sources:
        lab.expect(lab.send("a1", source, group, 20), "a3", "a4")
        lab.expect(lab.send("a2", source, group, 20), "a3")
    same([metric(d, f'entry_packets_total{{source="\\*",group="{group}",iif="{i}",state="kernel"}}')
          for i in ("a1", "a2")], [20 * len(sources)] * 2, "packets of each entry")
    lab.expect(lab.send("a1", sources[0], group, 20, ttl=1))
    lab.expect(lab.send("a1", sources[0], group, 20), "a3", "a4")
    same([e["packets"] for e in d.json("routes")["routes"]["kernel"] if e["source"] is None],
         [20 * len(sources) + 40, 20 * len(sources)], "packets of each entry, again")
    same(metric(d, "upcalls_total"), 0, "reports")


@each_family("one source beside it")
def beside(lab, group, sources, _):
    d = lab.daemon(f"mroute from a1 group {group} kernel to a2\nmroute from a1 source {sources[0]} group {group}\n")
    lab.expect(lab.send("a1", sources[0], group, 20))
    lab.expect(lab.send("a1", sources[1], group, 20), "a2")
    d.do("add", "a1", sources[1], group, "a3")
    lab.expect(lab.send("a1", sources[1], group, 20), "a3")
    d.do("remove", "a1", sources[0], group)
    d.do("remove", "a1", sources[1], group)
    for source in sources:
        lab.expect(lab.send("a1", source, group, 20), "a2")
    same(metric(d, "upcalls_total"), 0, "reports")
    same(len(kernels(d)), 1, "entries of any source")


@each_family("heard elsewhere first")
def elsewhere(lab, group, sources, _):
    """No rule has a3, and a4 is an output: what comes in there goes nowhere and is in nobody's way."""
    d = lab.daemon(f"mroute from a1 group {group} kernel to a2 a4\nphyint a3 enable\n")
    for iface in ("a3", "a4"):
        for source in sources[:2]:
            lab.expect(lab.send(iface, source, group, 5))
            lab.expect(lab.send("a1", source, group, 20), "a2", "a4")
    lab.expect(lab.send("a3", sources[0], group, 5))
    wait_until(lambda: metric(d, "upcalls_total"), "a report of what came in on a3")
    lab.expect(lab.send("a1", sources[0], group, 20), "a2", "a4")
    d.do("flush")
    lab.expect(lab.send("a1", sources[0], group, 20), "a2", "a4")


def reason(d):
    return d.show("-d", "show", "pending")


@each_family("a template for a part of the sources")
def narrower(lab, group, sources, part):
    d = lab.daemon(f"mroute from a1 group {group} kernel to a2\n")
    rule = f"mroute from a1 source {part} group {group} to a3"
    d.do("add", "a1", part, group, "a3")
    same(kernels(d), [], "entries of any source")
    check(f'# not in the kernel, its sources are learned: "{rule}" takes a part of them' in reason(d),
          lambda: reason(d))
    check(f'(*, {group}) from a1: not in the kernel' in d.log(), "the log does not say it")
    lab.passes("a1", sources[0], group, "a3")
    lab.passes("a1", sources[1], group, "a2")
    check(entry(d, sources[1], group), "no entry is learned")
    d.do("remove", "a1", part, group)
    same(kernels(d), [(group, "a1", ("a2",))], "the entry is back")
    for source in sources:
        lab.expect(lab.send("a1", source, group, 20), "a2")
    check(not entry(d, sources[1], group), "the learned entry stays")
    same(reason(d), "No pending routes or groups\n", "show pending")


@each_family("both ways")
def both_ways(lab, group, sources, _):
    """Of two such entries the kernel would find one for both interfaces: all sources are learned."""
    d = lab.daemon(f"mroute from a1 group {group} kernel to a2\nmroute from a2 group {group} kernel to a1\n")
    same(kernels(d), [], "entries of any source")
    same(reason(d).count("takes packets of the group in on an output of it"), 2, "reasons")
    lab.passes("a1", sources[0], group, "a2")
    lab.passes("a2", sources[1], group, "a1")
    d.do("remove", "a2", group)
    same(kernels(d), [(group, "a1", ("a2",))], "the entry")
    lab.expect(lab.send("a1", sources[0], group, 20), "a2")


@each_family("reload and interfaces")
def changes(lab, group, sources, _):
    rule = f"mroute from a1 group {group} kernel to a2 a3\n"
    d = lab.daemon(rule)
    lab.expect(lab.send("a1", sources[0], group, 20), "a2", "a3")
    d.hup(f"mroute from a1 group {group} to a2\n")
    same(kernels(d), [], "without the word")
    lab.passes("a1", sources[0], group, "a2")
    d.hup(rule)
    lab.expect(lab.send("a1", sources[0], group, 20), "a2", "a3")
    check(not entry(d, sources[0], group), "what was learned stays")
    d.hup(rule)
    same(metric(d, f'entry_packets_total{{source="\\*",group="{group}"}}'), 20, "a reload of the same keeps counters")
    for name in ("a3", "a1"):
        lab.ip("link", "del", name)
        wait_until(lambda name=name: f"{name}: gone" in d.log(), f"{name} gone")
        wait_until(lambda name=name: kernels(d) == ([(group, "a1", ("a2",))] if name == "a3" else []), "the entries")
        lab.links(name)
        wait_until(lambda: kernels(d) == [(group, "a1", ("a2", "a3"))], "the entry is back")
        lab.expect(lab.send("a1", sources[0], group, 20), "a2", "a3")


@each_family("the doctor")
def doctor(lab, group, sources, _):
    """Whose sources have no entry of their own."""
    sick.daemon(lab, f"mroute from a1 group {group} kernel to a2\nmroute from a3 group {group} kernel to a2\n")
    with sick.Stream(lab, "a1", sources[0], group) as s:
        s.flows("a2")
        same(sick.doctors(lab, group), [(0, ["fine"], [], [])] * 2, "verdicts, with and without capabilities")


main()
