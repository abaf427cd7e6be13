# SPDX-License-Identifier: ISC
#
# A supervisor with a store of descriptors, as systemd is for a unit with FileDescriptorStoreMax: it keeps what the
# daemon gives it and hands it to the next one.
import os
import signal

from cases import case, main
from holder import Holder
from lab import CAP_NET_ADMIN, CAP_NET_RAW, check, same, wait_until
from reports import Wire
from stream import Stream

RULES = ("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a3\n"
         "mroute from a1 source fd00:1::9 group ff2e::1:1 to a2 a3\n"
         "mroute from a1 group 225.2.0.0/16 to a2 a3\nmroute from a1 group ff2e::2:0/112 to a2 a3\n"
         "mgroup from a1 group 225.64.0.0/22\nmgroup from a1 group ff2e::1:1\nphyint a2 mrdisc\n")
FLOWS = [("10.1.0.9", "225.1.1.1"), ("fd00:1::9", "ff2e::1:1"), ("10.1.0.7", "225.2.7.7"), ("fd00:1::7", "ff2e::2:7")]


RESTARTS = int(os.environ.get("RESTARTS", "4"))		# up to 20 and more, for the patient


@case("restarted, and killed: 1,024 memberships, both families, no packet lost, nothing on the wire, no capability",
      (), ())
@case("the same in a table of its own, as another user", ("-p", "nobody"), ("-t", "77"))
def restarts(lab, user, table):
    if table:
        lab.ip("mrule", "add", "pref", "10", "iif", "a1", "table", "77")
        lab.ip("-6", "mrule", "add", "pref", "10", "iif", "a1", "table", "77")
        lab.ip("mrule", "add", "pref", "11", "iif", "a4", "table", "77")
        lab.ip("-6", "mrule", "add", "pref", "11", "iif", "a4", "table", "77")
    s, rules = Holder(lab), lab.MARKS + RULES
    d = s.start(rules, *user, *table)
    names = [n for n in s.names() if not n.startswith("member")]
    of = ".77" if table else ""
    check({f"mroute4{of}", f"mroute6{of}", "mrdisc4", "mrdisc6", "report4", "report6", "journal"} <=
          {n if n.startswith("mroute") else n.split(".")[0] for n in names}, f"names {names}")
    check(sum(n.startswith("member.") for n in s.names()) > 50, "sockets with memberships")
    held = len(s.names())
    same(d.ctl("-o", "x", "add", "a1", "10.1.0.6", "225.6.6.6", "a2", "a3")[0], 0, "add")
    d.do("remove", "a1", "10.1.0.9", "225.1.1.1", "a3")
    config = d.show("-d", "show", "config")
    flows = FLOWS[1:] + [("10.1.0.6", "225.6.6.6")]
    for flow in flows:
        lab.passes("a1", *flow, "a2", "a3", n=2)
    wire, out = Wire(lab), Wire(lab, "hb")
    wait_until(lambda: silent(wire) and silent(out), "the last report of a join")
    before = len(wire.heard), len(out.heard)
    stream = Stream(lab, "a1", flows, 3000)
    for i in range(RESTARTS):
        s.end(d, signal.SIGKILL if i % 2 else signal.SIGTERM)
        d = s.start(rules, *user, *table, drop=(CAP_NET_ADMIN, CAP_NET_RAW))
        same(d.show("-d", "show", "config"), config, "config")
        same(len(s.names()), held, "descriptors that are stored")
    stream.end()
    sent = stream.expect("a2", "a3")
    same(wire.read()[before[0]:], [], "IGMP and MLD messages")
    same(out.read()[before[1]:], [], "messages on an output")
    print(f"# measured: {sent} packets across {RESTARTS} restarts")
    s.end(d, signal.SIGTERM)
    s.close()


def silent(wire, seconds=1.5):
    """The kernel reports a join again within a second or so (RFC 3376, 8.11): until nothing has come for a while."""
    n = len(wire.read())
    try:
        wait_until(lambda: len(wire.read()) > n, "silence", seconds)
    except Exception:
        return True
    return False


@case("what was stored as the journal and is none: told, and the start goes on")
def no_journal(lab):
    s, rules = Holder(lab), lab.MARKS + RULES.replace("225.64.0.0/22", "225.64.0.0")
    d = s.start(rules)
    for content in (b"", b"nonsense\n" * 1000, b"\0" * 5000, None):
        s.end(d, signal.SIGKILL)
        fd = os.memfd_create("x") if content is not None else os.open("/dev/null", os.O_RDWR)
        os.write(fd, content or b"")
        os.dup2(fd, dict(s.held)["journal"])
        os.close(fd)
        d = s.start(rules)
        check("the journal that was handed over is damaged" in d.log(), "nothing was said")
        lab.passes("a1", *FLOWS[0], "a2", "a3", n=2)
        same(s.names().count("journal"), 1, "journals that are stored")
        same(d.ctl("-o", "x", "add", "a1", "225.9.9.9", "a2")[0], 0, "add")
        s.end(d, signal.SIGKILL)
        d = s.start(rules)
        check("225.9.9.9" in d.show("show", "config"), "the new journal is of no use")
    s.end(d, signal.SIGTERM)
    s.close()


@case("a supervisor that is behind for a while gets all when it reads again")
def behind(lab):
    s = Holder(lab)
    d = s.start(lab.MARKS)
    with s.lock:		# it reads one more message, and waits
        same(d.ctl("-o", "x", "join", "a1", "225.70.0.0/22")[0], 0, "join")
        wait_until(lambda: "cannot store member" in d.log(), "a message in vain")
        check(d.ctl("ping")[0] == 0, "no answer meanwhile")
    wait_until(lambda: "all is stored now" in d.log(), "the next try")
    wait_until(lambda: sum(n.startswith("member.") for n in s.names()) > 50, "sockets with memberships")
    same(d.log().count("cannot store"), 1, "complaints")
    s.end(d, signal.SIGTERM)
    s.close()


if __name__ == "__main__":
    main()
