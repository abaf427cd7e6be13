# SPDX-License-Identifier: ISC
#
# Sockets that are handed to a daemon: routing goes on as it was, and what is bad among them is told and left.
import contextlib
import os
import signal
import socket
import struct

from cases import case, main
from holder import Holder
from lab import Daemon, Skip, check, need_users, same, wait_until
from member import member
from packet import address
from reports import TERM, Wire, reported, reports_twice

RULES = ("mroute from a1 source 10.1.0.2 group 225.1.2.3 to a2 a3\n"
         "mroute from a1 source fd00:1::2 group ff2e::123 to a2 a3\n"
         "mroute from a1 group 225.9.0.0/16 to a3\nmroute from a1 group ff2e::9:0/112 to a3\n"
         "mroute from a2 group 225.8.8.8 kernel to a4\nmroute from a2 group ff2e::8:8 kernel to a4\n"
         "phyint a3 ttl-threshold 3\n")
FLOWS = [("a1", "10.1.0.2", "225.1.2.3", "a2", "a3"), ("a1", "fd00:1::2", "ff2e::123", "a2", "a3"),
         ("a1", "10.1.0.9", "225.9.1.1", "a3"), ("a1", "fd00:1::9", "ff2e::9:1", "a3"),
         ("a2", "10.2.0.7", "225.8.8.8", "a4"), ("a2", "fd00:2::7", "ff2e::8:8", "a4")]
AS_IT_WAS = "kernel entries: 0 added, 0 changed, 0 removed"


def vifs(d):
    return [(i["name"], i["vif"], i["mif"], i["ttl_threshold"]) for i in d.json("interfaces")["interfaces"]]


def counts(d):
    """Packets of entries by source and group."""
    return {(e["source"], e["group"]): e["packets"] for e in d.json("routes")["routes"]["kernel"]}


def pass_all(lab):
    for flow in FLOWS:
        lab.passes(*flow)


def go_on_all(lab, n=5):
    for iface, src, group, *outs in FLOWS:
        lab.expect(lab.send(iface, src, group, n), *outs)


def go_on(lab, *options, wrap=()):
    """A daemon is killed and followed by another one: numbers, entries, thresholds and counters are as they were."""
    h, rules = Holder(lab), lab.MARKS + RULES
    d = h.start(rules, *options, wrap=wrap)
    pass_all(lab)
    numbers, table, packets = vifs(d), lab.mroutes(), counts(d)
    h.kill(d)
    same(lab.mroutes(), table, "routes without a daemon")
    go_on_all(lab)
    d = h.start(rules, *options, wrap=wrap)
    same(lab.mroutes(), table, "routes afterwards")
    same(vifs(d), numbers, "numbers and thresholds")
    wait_until(lambda: AS_IT_WAS in d.log(), "something was changed")
    go_on_all(lab)
    for _, src, group, *_ in FLOWS[:4]:
        same(counts(d)[(src, group)], packets[(src, group)] + 10, f"packets of {group}")
    d.hup(RULES.replace("to a3", "to a3 a4"))
    lab.expect(lab.send("a1", "10.1.0.9", "225.9.1.1", 5), "a3", "a4")
    return h, d


@case("routes of all kinds go on when their daemon is killed")
def killed(lab):
    go_on(lab)


@case("in a table of its own")
def other_table(lab):
    for family in ("-4", "-6"):
        for iface in ("a1", "a2", "a3", "a4"):
            if lab.run("ip", family, "mrule", "add", "iif", iface, "lookup", "100")[0]:
                raise Skip("this kernel has one table only")
    h, d = go_on(lab, "-t", "100")
    check({"mroute4.100", "mroute6.100"} <= set(h.names()), f"names {h.names()}")
    # For a daemon of another table they are no use.
    h.kill(d)
    d = h.start(lab.MARKS, "-t", "101")
    same(d.log().count("it holds another routing table than that of option -t"), 2, "lines of the log")


@case("after -p, and without any capability from the start")
def no_capability(lab):
    need_users()
    h = Holder(lab)
    d = h.start(lab.MARKS + RULES, "-p", "nobody")
    pass_all(lab)
    table = lab.mroutes()
    h.kill(d)
    os.chmod(lab.dir, 0o777)
    os.unlink(d.sock)
    os.unlink(d.log_file)
    d = h.start(lab.MARKS + RULES, wrap=("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                                         "--inh-caps=-all"))
    with open(f"/proc/{d.proc.pid}/status") as f:
        check("CapEff:\t0000000000000000" in f.read(), "capabilities")
    same(lab.mroutes(), table, "routes afterwards")
    go_on_all(lab)
    d.do("add", "a1", "225.5.5.5", "a2")
    lab.passes("a1", "10.1.0.3", "225.5.5.5", "a2")
    d.do("join", "a1", "225.5.5.5")
    # It cannot open others, and does not do what it could not do.
    h.kill(d)
    d = h.start(lab.MARKS, ready=False, held=[], wrap=("setpriv", "--reuid", "65534", "--inh-caps=-all"))
    same(d.wait(), 77, "exit status without sockets")


@case("another configuration: just the difference")
def difference(lab):
    many = [f"mroute from a1 source 10.1.0.2 group 225.30.{i // 200}.{i % 200} to a2\n" for i in range(2000)]
    h = Holder(lab)
    d = h.start(lab.MARKS + "".join(many))
    h.kill(d)
    others = many[:1990] + [line.replace("to a2", "to a3") for line in many[1990:]]
    d = h.start(lab.MARKS + "".join(others))
    wait_until(lambda: "kernel entries: 0 added, 10 changed, 0 removed" in d.log(), "not just the ten")
    lab.expect(lab.send("a1", "10.1.0.2", "225.30.9.199", 3), "a3")
    lab.expect(lab.send("a1", "10.1.0.2", "225.30.0.0", 3), "a2")


@case("what goes while nobody is there: an interface, and one that comes again under its name")
def gone_meanwhile(lab):
    h = Holder(lab)
    d = h.start(lab.MARKS + RULES)
    pass_all(lab)
    before = vifs(d)
    h.kill(d)
    lab.ip("link", "del", "a3")
    lab.ip("link", "add", "b3", "type", "veth", "peer", "name", "c3")
    lab.ip("link", "set", "b3", "up")
    lab.ip("link", "set", "c3", "up")
    d = h.start(lab.MARKS + RULES + "phyint b3 enable\n")
    same({v[1] for v in vifs(d) if v[0] == "b3"}, {v[1] for v in before if v[0] == "a3"}, "number of b3")
    # Entries that went out of a3 do not go out of b3, whose number that was.
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as s:
        s.bind(("c3", 3))
        s.setblocking(False)
        for iface, src, group, *outs in FLOWS:
            flow = lab.send(iface, src, group, 3)
            lab.wait(flow, *(o for o in outs if o != "a3"))
        lab.links("a3")
        pass_all(lab)
        frames = []
        with contextlib.suppress(BlockingIOError):
            while True:
                frames.append(s.recv(2048))
        check(not any(address(f[2]) in frame for frame in frames for f in FLOWS), "packets on the number of a3")
    h.kill(d)
    lab.ip("link", "del", "a2")
    lab.links("a2")
    d = h.start(lab.MARKS + RULES)
    pass_all(lab)


@case("packets of a source that nobody was told of come through", "10.1.0.44", "225.9.4.4", False)
@case("the same of IPv6", "fd00:1::44", "ff2e::9:44", False)
@case("and where the daemon was told, and gave no answer", "10.1.0.44", "225.9.4.4", True)
@case("the same of IPv6", "fd00:1::44", "ff2e::9:44", True)
def unanswered(lab, src, group, is_read):
    h = Holder(lab)
    d = h.start(lab.MARKS + RULES)
    os.kill(d.proc.pid, signal.SIGSTOP)
    unread = lab.send("a1", src, group, 3)
    wait_until(lambda: (src, group) in lab.mroutes(), "a flow that waits")
    h.kill(d)
    if is_read:
        os.read(dict(h.held)["mroute6" if ":" in src else "mroute4"], 2048)
    d = h.start(lab.MARKS + RULES)
    lab.expect(unread, "a3")
    same(lab.route(src, group), ("a1", ["a3"]), "entry")


def wrong_sockets(lab):
    """Descriptors that are not what their names say: [(name, descriptor, what the log says)]."""
    raw4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
    icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with lab.at("hb"):
        away4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
        away4.setsockopt(socket.IPPROTO_IP, 200, struct.pack("i", 1))	# MRT_INIT
        udp_away = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return [("mroute6", raw4, "it is a socket of another kind"), ("mrdisc4", icmp, "it is a socket of another kind"),
            ("report4", udp, "it is a socket of another kind"), ("mroute4", raw4, "it holds no routing table any more"),
            ("mroute4", away4, "it is of another network namespace"),
            ("member.9", udp_away, "it is of another network namespace"),
            ("member.8", raw4, "it is a socket of another kind"),
            ("mrdisc6", open("/dev/null"), "it is no socket"), ("x\x1b[31m", udp, "no name of a socket"),
            ("mroute4.5", raw4, "it holds another routing table"),
            ("unknown", open("/dev/null"), "no name of a socket"),
            ("advert4", udp, "no name of a socket"), ("advert4.0", udp, "no name of a socket"),
            ("advert6.2", udp, "it is a socket of another kind"), ("advert4.2", raw4, "it is a socket of another kind")]


@case("descriptors that are bad, foreign, stale, twice there: told, left, and the start goes on")
def bad(lab):
    h, wrong = Holder(lab), wrong_sockets(lab)
    d = h.start(lab.MARKS + RULES)
    pass_all(lab)
    table = lab.mroutes()
    h.kill(d)
    with h.lock:
        good = list(h.held)
        twice = [(n, os.dup(fd)) for n, fd in good if n.startswith("mroute")]
        held = [(n, s.fileno()) for n, s, _ in wrong] + good + twice
    d = h.start(lab.MARKS + RULES, held=held)
    log = d.log()
    for i, (name, _, why) in enumerate(wrong):
        shown = name.replace("\x1b", "\\x1b")
        check(f'descriptor {3 + i} "{shown}" that was handed over is not used: {why}' in log, f"{name}: {why}")
    same(log.count("there is one of this name already"), 2, "doubles")
    same(lab.mroutes(), table, "routes afterwards")
    check(AS_IT_WAS in log, "something was changed")
    go_on_all(lab)
    kinds = [os.readlink(f"/proc/{d.proc.pid}/fd/{n}") for n in os.listdir(f"/proc/{d.proc.pid}/fd")]
    for _, s, _ in wrong[:7]:
        check(f"socket:[{os.fstat(s.fileno()).st_ino}]" not in kinds, "a bad one is kept open")
    h.kill(d)
    # Bad ones alone are as good as none, and somebody else has the tables.
    d = h.start(lab.MARKS, held=[(n, s.fileno()) for n, s, _ in wrong], ready=False)
    same(d.wait(), 69, "exit status")
    same(lab.mroutes(), table, "routes of the one who has them")


@case("an environment that makes no sense, or is for another process")
def environment(lab):
    h = Holder(lab)
    for env, text in (({"LISTEN_FDS": "x"}, 'LISTEN_FDS is "x"'), ({"LISTEN_FDS": "-1"}, 'LISTEN_FDS is "-1"'),
                      ({"LISTEN_FDS": "99999999999"}, "LISTEN_FDS"), ({"LISTEN_FDS": ""}, "LISTEN_FDS"),
                      ({"LISTEN_FDS": "1000000"}, 'LISTEN_FDS is "1000000"'),
                      ({"LISTEN_PID": "1", "LISTEN_FDS": "5"}, ""), ({"LISTEN_FDS": "500"}, ""),
                      ({"LISTEN_FDS": "2", "LISTEN_FDNAMES": ":::::"}, ""), ({"LISTEN_FDNAMES": "a" * 9000}, "")):
        def setup(env=env):
            os.environ["LISTEN_PID"] = str(os.getpid())
            os.environ["LISTEN_FDS"] = "0"
            os.environ.update(env)
        d = Daemon(lab, lab.MARKS, setup=setup)
        check(text in d.log(), f"{env}: {text}")
        with open(f"/proc/{d.proc.pid}/environ") as f:
            check("LISTEN_FDS" in f.read(), "the test itself")
        lab.mark()
        same(d.stop(), 0, "exit status")
    h.close()


@case("names of what only a running daemon hands over mean nothing in the environment")
def others(lab):
    h = Holder(lab)
    with open("/dev/null", "r+b") as null:
        names = ("stderr", "control", "pidfile", "client", "monitor", "upgrade")
        d = h.start(lab.MARKS, held=[(n, null.fileno()) for n in names])
        for i, n in enumerate(names):
            check(f'descriptor {3 + i} "{n}" that was handed over is not used' in d.log(), n)
        lab.mark()
        same(d.stop(), 0, "exit status")
    h.close()


@case("a start that fails leaves the routes to whoever holds the sockets")
def failed_start(lab):
    h = Holder(lab)
    d = h.start(lab.MARKS + RULES)
    pass_all(lab)
    table = lab.mroutes()
    h.kill(d)
    d = h.start(lab.MARKS + RULES, "-f", "/nonexistent", ready=False)
    same(d.wait(), 78, "exit status")
    same(lab.mroutes(), table, "routes")
    go_on_all(lab)
    d = h.start(lab.MARKS + RULES)
    wait_until(lambda: AS_IT_WAS in d.log(), "something was changed")


GROUPS = ("mgroup from a1 group 225.10.0.0/24\nmgroup from a1 source 10.1.0.2 group 232.10.0.0/24\n"
          "mgroup from a1 group ff2e::10:0/120\nmgroup from a1 source fd00:1::2 group ff3e::10:0/120\n"
          "phyint a1 mrdisc\nphyint a2 mrdisc\n")
MINE = ("225.200.0.1", "ff2e::200:1")


def joining(h):
    """How many sockets of memberships are held."""
    return sum(n.startswith(("member", "advert")) for n in h.names())


def members(d):
    return sorted((g["source"] or "", g["group"], g["iif"]) for g in d.json("groups")["groups"]["kernel"])


@case("1,024 memberships of both kinds and families over many sockets: no message on the wire")
def memberships(lab):
    h, wire = Holder(lab), Wire(lab)
    d = h.start(lab.MARKS + GROUPS, "-m", "180")
    before = members(d)
    groups = {address(g) for _, g, _ in before} | {address("224.0.0.2"), address("ff02::2")}
    check(len(groups) >= 1024, f"{len(groups)} groups")
    for group in MINE:
        with member("a1", group):
            reports_twice(wire, group, 0)
    # The first three advertisements of each family, and none for a long time.
    wait_until(lambda: wire.read() and len(wire.mrdisc) == 6, "advertisements")
    # Where the socket of the store was full, what did not go at once has gone by now.
    sockets = joining(h)
    check(sockets > 30, f"{sockets} sockets")
    for i in range(3):
        wire.read()
        start = len(wire.heard)
        h.kill(d)
        d = h.start(lab.MARKS + GROUPS, "-m", "180")
        # What the daemon had to say would have been said before this.
        for group in (f"225.200.1.{i}", f"ff2e::201:{i}"):
            with member("a1", group):
                reports_twice(wire, group, start)
        same(set(reported(wire, start)) & groups, set(), "groups that were reported")
        same(members(d), before, "memberships")
        wait_until(lambda: joining(h) == sockets, lambda: f"{sockets} sockets as before: {joining(h)}")
    check(len(wire.mrdisc) <= 8 and not set(wire.mrdisc) & set(TERM), f"advertisements: {wire.mrdisc}")
    d.hup(GROUPS.replace("225.10.0.0/24", "225.10.0.0/25"))
    wait_until(lambda: address("225.10.0.200") in reported(wire, start), "a leave that is meant")


@case("what a supervisor that is behind for a while is to let go of is said again")
def let_go(lab):
    h = Holder(lab)
    d = h.start(lab.MARKS + GROUPS, "-m", "180")
    wait_until(lambda: joining(h) > 30, lambda: f"the sockets: {joining(h)}")
    with h.lock:
        d.write("")
        same(d.ctl("reload")[0], 0, "reload")
    wait_until(lambda: joining(h) == 0, lambda: f"sockets that are left: {h.names()}")


if __name__ == "__main__":
    main()
