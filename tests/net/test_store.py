# SPDX-License-Identifier: ISC
#
# A supervisor with a store of descriptors, as systemd is for a unit with FileDescriptorStoreMax: it keeps what the
# daemon gives it and hands it to the next one.
import os
import signal

from cases import case, main
from holder import Holder
from lab import check, same, wait_until

RULES = ("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a3\n"
         "mroute from a1 source fd00:1::9 group ff2e::1:1 to a2 a3\n"
         "mroute from a1 group 225.2.0.0/16 to a2 a3\nmroute from a1 group ff2e::2:0/112 to a2 a3\n"
         "mgroup from a1 group 225.64.0.0/22\nmgroup from a1 group ff2e::1:1\nphyint a2 mrdisc\n")
FLOWS = [("10.1.0.9", "225.1.1.1"), ("fd00:1::9", "ff2e::1:1"), ("10.1.0.7", "225.2.7.7"), ("fd00:1::7", "ff2e::2:7")]


@case("each socket and the journal is stored once ready, by the names that systemd is told", "", ())
@case("the same of a table of its own", ".77", ("-t", "77"))
def stored(lab, of, table):
    s = Holder(lab)
    d = s.start(lab.MARKS + RULES, *table)
    names = [n for n in s.names() if not n.startswith("member")]
    check({f"mroute4{of}", f"mroute6{of}", "mrdisc4", "mrdisc6", "report4", "report6", "journal"} <=
          {n if n.startswith("mroute") else n.split(".")[0] for n in names}, f"names {names}")
    check(sum(n.startswith("member.") for n in s.names()) > 50, "sockets with memberships")
    held = len(s.names())
    for sig in (signal.SIGKILL, signal.SIGTERM):
        s.end(d, sig)
        d = s.start(lab.MARKS + RULES, *table)
        same(len(s.names()), held, "descriptors that are stored")
    s.end(d, signal.SIGTERM)
    s.close()


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
