# SPDX-License-Identifier: ISC
#
# Towards the init system: what sd_notify(3) says is sent, and when.
import os
import re
import time

from cases import case, main
from lab import SMCROUTED, check, same
from manager import Manager

ROUTE = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\nmgroup from a1 group 225.1.1.1\n"


def life(lab, name):
    m = Manager(lab, name)
    d = m.daemon(ROUTE)
    first = m.wait("READY")
    same(len(first), 1, "messages until READY")
    same(first[0]["READY"], "1", "READY")
    same(first[0].get("STATUS"), "3 rules, 1 group", "STATUS")
    check(lab.route("10.1.0.9", "225.1.1.1"), "no route when READY came")
    d.do("ping")
    before = time.monotonic_ns() // 1000
    d.hup(ROUTE + "mroute from a1 source 10.1.0.9 group 225.1.1.2 to a2\n")
    reloading = m.wait("RELOADING")[-1]
    check(before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000, f"MONOTONIC_USEC of {reloading}")
    ready = m.wait("READY")[-1]
    same(ready.get("STATUS"), "4 rules, 1 group", "STATUS after a reload")
    same(d.ctl("add", "a1", "225.3.3.3", "late")[0], 0, "add")
    same(m.wait("STATUS")[-1]["STATUS"], "5 rules, 1 group; 1 waits for late", "STATUS when a rule waits")
    d.do("remove", "a1", "225.3.3.3")
    same(m.wait("STATUS")[-1]["STATUS"], "4 rules, 1 group", "STATUS when none does any more")
    d.write("nonsense\n")
    same(d.ctl("reload")[0], 78, "reload of a bad file")
    m.wait("RELOADING")
    ready = m.wait("READY")[-1]
    check(ready["STATUS"].startswith("4 rules, 1 group; last reload failed: ") and "1 error" in ready["STATUS"],
          f"STATUS after a reload that failed: {ready}")
    same(d.stop(), 0, "exit status")
    m.wait("STOPPING")
    same(m.messages(), [], "after STOPPING")


@case("READY when it is true, RELOADING with its time, STOPPING", "/run/notify")
def path(lab, name):
    life(lab, name)


@case("an abstract socket name", "@smcroute-test/notify")
def abstract(lab, name):
    life(lab, name)


@case("WATCHDOG as often as it is asked for; not when it is meant for another process")
def watchdog(lab):
    def manager(name, table, **environ):
        m = Manager(lab, f"/run/{name}", **environ)
        m.daemon(ROUTE, "-t", table, name=name)
        m.wait("READY")
        return m
    rare = manager("rare", "100", WATCHDOG_USEC="2000000000")
    other = manager("other", "101", WATCHDOG_USEC="2000", WATCHDOG_PID="1")
    often = manager("often", "0", WATCHDOG_USEC="20000")
    for _ in range(10):
        often.wait("WATCHDOG")
    same(rare.messages(), [{"WATCHDOG": "1"}], "messages to the patient one")
    same(other.messages(), [], "messages meant for another")


@case("a failed start says neither READY nor anything else that is wrong")
def failed(lab):
    m = Manager(lab, "/run/notify")
    rc, _, err = lab.run(*SMCROUTED, "-n", "-p", "no such user", "-P", lab.path("x.pid"), "-u", lab.path("x.sock"),
                         env={**os.environ, **m.environ})
    same(rc, 64, f"exit status ({err})")
    check(not any("READY" in x for x in m.messages()), f"{m.got}")


@case("nobody listens, nobody asked, a name that is none: no harm")
def nobody(lab):
    for name in ("/run/nowhere", "@nobody", "relative", "@", "/" + "x" * 200):
        d = lab.daemon(ROUTE, wrap=("env", f"NOTIFY_SOCKET={name}"))
        d.do("ping")
        same(d.stop(), 0, f"exit status with {name[:20]}")
        check(not re.search("notify|NOTIFY", d.log()), f"log: {d.log()}")


if __name__ == "__main__":
    main()
