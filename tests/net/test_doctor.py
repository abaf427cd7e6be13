# SPDX-License-Identifier: ISC
#
# smcroute-check doctor, where packets end before routing: each case is set
# up for real.  It has to be named, and the commands that are printed, run as
# printed, have to make the packets flow; then they are said to be forwarded.
import contextlib
import os
import re
import signal
import socket
import subprocess
import time

from cases import case, main
from lab import ETH_P_ALL, SLOW, check, same, wait_until
from packet import find, frame
from screen import open_terminal
from sick import RULES, V4, V6, Stream, blind, cured, daemon, doctor, doctors, findings, path

# Rules that make a1 a VIF, and of other groups.
OTHER = "mroute from a1 group 225.9.9.9 to a2\nmroute from a1 group ff2e::ff to a2\n"


def is_held_back(lab, sock, src, group):
    """Whether the bridge behind a1 keeps the group from a1, while what is for all comes through; not when neither does,
    as its ports may not pass anything yet."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as rx:
        rx.bind(("a1", ETH_P_ALL))
        rx.settimeout(1)
        sock.send(frame(src, group, 1, 1))
        sock.send(b"\xff" * 6 + frame(src, group, 1, 2)[6:])
        with contextlib.suppress(socket.timeout):		# TimeoutError from Python 3.10 on
            while not (got := find(rx.recv(2048))):
                pass
            return got[3] == 2
    return False


for name, flow in (("IPv4", V4), ("IPv6", V6)):
    @case(f"forwarded fine, {name}", *flow)
    def fine(lab, src, group):
        daemon(lab, RULES)
        with Stream(lab, "a1", src, group) as s:
            s.flows("a2")
            same(doctors(lab, group), [(0, ["fine"], [], [])] * 2, "verdicts, with and without capabilities")

    @case(f"forwarded fine, and received here on inputs and outputs, {name}", *flow)
    def member(lab, src, group):
        daemon(lab, RULES.replace("to a2", "to a2 a3")
               + "".join(f"mgroup from {i} group {g}\n" for i in ("a1", "a2", "a3")
                         for g in (V4[1], V6[1], "225.9.9.9"))
               + "mroute from a1 group 225.9.9.9 to a2 a3\n")
        with Stream(lab, "a1", src, group) as s, Stream(lab, "a1", src, "225.9.9.9" if ":" not in src else group):
            s.flows("a2", "a3")
            same(doctors(lab, group), [(0, ["fine"], [], [])] * 2, "verdicts, with and without capabilities")

    @case(f"wrong input interface, {name}", *flow)
    def wrong_iif(lab, src, group):
        daemon(lab, f"mroute from a3 source {src} group {group} to a2\n" + OTHER)
        with Stream(lab, "a1", src, group) as s:
            cured(lab, s, "wrong_iif", group, "a2")

    @case(f"no VIF there, {name}", *flow)
    def no_vif(lab, src, group):
        lab.links("a5")
        daemon(lab, RULES)
        with Stream(lab, "a5", src, group) as s:
            cured(lab, s, "no_vif", group, "a2", words=(lab.path("smcroute.conf"),), blind="unsure")

    @case(f"no rule, {name}", *flow)
    def no_rule(lab, src, group):
        daemon(lab, f"mroute from a3 group {group} to a2\n" + OTHER)
        with Stream(lab, "a1", src, group) as s:
            wait_until(lambda: lab.route(src, group), "an entry that blocks it")
            cured(lab, s, "no_rule", group, "a2", words=(lab.path("smcroute.conf"),))

    @case(f"routes in a table without a rule, {name}", *flow)
    def table(lab, src, group):
        daemon(lab, RULES, "-t", "100")
        with Stream(lab, "a1", src, group) as s:
            cured(lab, s, "table", group, "a2", words=(lab.path("smcroute.conf"),))

    @case(f"nothing arrives: the interface is down, {name}", *flow)
    def down(lab, src, group):
        daemon(lab, RULES)
        lab.ip("link", "set", "a1", "down")
        with Stream(lab, "a1", src, group) as s:
            cured(lab, s, "nothing", group, "a2", words=(lab.path("smcroute.conf"),))

    @case(f"nothing arrives: a switch upstream snoops, {name}", *flow)
    def snooping(lab, src, group):
        daemon(lab, RULES)
        with lab.at("ha"):
            # It floods until its querier has been heard: at once, with a short time to answer.
            lab.ip_batch(["link add br0 type bridge mcast_snooping 1 mcast_query_response_interval 10 "
                          "mcast_igmp_version 3 mcast_mld_version 2",
                          "link set br0 type bridge mcast_querier 1",
                          "link add q0 type veth peer name p0", "link set p0 master br0", "link set eth0 master br0",
                          "addr add 10.1.0.77/24 dev br0", "addr add fe80::77/64 dev br0 nodad",
                          "link set q0 up", "link set p0 up", "link set br0 up"])
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sock.bind(("q0", 0))
        wait_until(lambda: is_held_back(lab, sock, src, group), "the bridge to snoop")
        with Stream(lab, "a1", src, group, sock=sock) as s:
            cured(lab, s, "nothing", group, "a2", words=(lab.path("smcroute.conf"),), blind="any")

    @case(f"nothing arrives, and it is ended at once: nothing is said of that, {name}", *flow)
    def ended(lab, src, group):
        daemon(lab, RULES)
        path(lab)
        begin = time.monotonic()
        with Stream(lab, "a1", src, "225.9.9.9" if ":" not in src else "ff2e::999"):
            got = doctor(lab, group)[:2]
        check(got == (2, []) or time.monotonic() - begin > 1, f"verdict: {got}")

    @case(f"no router runs, {name}", *flow)
    def no_router(lab, src, group):
        path(lab)
        conf = lab.write("own.conf", RULES)
        with Stream(lab, "a1", src, group) as s:
            try:
                cured(lab, s, "no_router", group, "a2", words=(conf,), blind="any")
            finally:
                lab.run(lab.path("bin/smcroutectl"), "kill")


@case("words: what is no group, no number, of link scope")
def words(lab):
    check_prog = (path(lab)["CHECK"], "doctor")
    for argv in (("10.0.0.1",), ("225.1.2",), ("225.1.2.3", "0"), ("225.1.2.3", "99999"),
                 ("225.1.2.3", "1", "/nowhere"),
                 ("225.1.2.3", "1", "a", "b")):
        same(lab.run(*check_prog, *argv)[0], 64, f"exit status of {argv}")
    for group in ("224.0.0.251", "ff02::fb"):
        rc, out, _ = lab.run(*check_prog, group)
        check(rc == 1 and "reflector" in out, out)


@case("without a group: all that the rules are for, the worst first")
def everything(lab):
    d = daemon(lab, RULES + "mroute from a1 group 225.9.9.9 to a3\nmroute from a4 group 225.7.7.7 to a1\n")
    with Stream(lab, "a1", *V4) as s, Stream(lab, "a1", *V6) as t, \
            Stream(lab, "a1", "10.1.0.9", "225.9.9.9", ttl=1), Stream(lab, "a1", "10.1.0.9", "225.8.8.8"):
        s.flows("a2")
        t.flows("a2")
        rc, found = findings(lab, "doctor", "1", d.conf)
        same((rc, [f["what"] for f in found if f["severity"] in ("error", "good")]), (1, ["ttl", "fine", "fine"]),
             "verdicts")
        idle, = [f["text"] for f in found if f["what"] == "silent"]
        check(f"{d.conf}:4 (mroute from a4 group 225.7.7.7 to a1)" in idle, idle)
        check(not [f for f in found if "225.8.8.8" in f["text"]], "a group that no rule is for is told")
    for wrap in ((), blind()):
        rc, found = findings(lab, "doctor", "1", d.conf, wrap=wrap)
        same((rc, [f["what"] for f in found if f["severity"] in ("error", "good")]), (2, []), "when nothing is sent")
        check(all(f["fix"] for f in found if f["what"] == "silent"), "a rule without a place to look")
    lab.ip("link", "set", "a4", "down")
    d.stop()
    rc, found = findings(lab, "doctor", "1", d.conf)
    same((rc, [f["what"] for f in found if f["severity"] == "error"]), (1, ["no_router", "nothing", "no_router"]),
         "without a router, and an interface that is down")
    for wrap in ((), blind()):
        rc, found = findings(lab, "doctor", "1", "/dev/null", wrap=wrap)
        same((rc, [f["what"] for f in found if f["severity"] != "not seen" or f["what"] == "rules"]), (2, ["rules"]),
             "without any rule")


def silent(_):
    raise OSError("nothing to send")


def while_watching(lab, s, group, change):
    """(exit status, what it says) when something changes after the first packets, and then it is ended."""
    ours, theirs = open_terminal()
    p = subprocess.Popen([path(lab)["CHECK"], "doctor", group, "3000"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    seen = ""
    while not re.search(r"Ctrl-C ends it\): [1-9]\d* packets, 1 source ", seen):
        seen += os.read(ours, 4096).decode()
    change()
    s.flows("a2")
    p.send_signal(signal.SIGINT)
    out = p.communicate(timeout=SLOW)[0]
    os.close(ours)
    return p.returncode, out


@case("on a terminal it shows what it does; Ctrl-C ends it, with the verdict so far")
def interrupted(lab):
    daemon(lab, RULES)
    with Stream(lab, "a1", *V4) as s:
        s.flows("a2")
        rc, out = while_watching(lab, s, V4[1], lambda: None)
        same((rc, out.split(":")[:2]), (0, ["good", " forwarded"]), "verdict so far")


for name, flow in (("IPv4", V4), ("IPv6", V6)):
    @case(f"the router is started again while it watches, {name}", *flow)
    def again(lab, src, group):
        d = daemon(lab, RULES)

        def change():
            s.flows("a2")
            make, s.make = s.make, silent		# what came without a router would be lost
            d.stop()
            daemon(lab, RULES)
            s.make = make
        with Stream(lab, "a1", src, group) as s:
            # Its entry is seen to be another one by what the old one had counted.
            wait_until(lambda: lab.counted(src, group) > 100, "an entry that counts")
            rc, out = while_watching(lab, s, group, change)
            # The first packets are lost while the new one is asked for an entry: it says so, before it says that.
            check(rc == 0 and "good: forwarded" in out and "error" not in out, f"verdict {rc} {out}")

    @case(f"the rule is added while it watches, {name}", *flow)
    def added(lab, src, group):
        d = daemon(lab, OTHER)
        with Stream(lab, "a1", src, group) as s:
            wait_until(lambda: lab.counted(src, group) > 10, "packets that are blocked")
            rc, out = while_watching(lab, s, group, lambda: d.do("add", "a1", group, "a2"))
            same((rc, out.split(":")[:2]), (0, ["good", " forwarded"]), "verdict")
            check("a2 (only since the watch began)" in out, out)

    @case(f"the output is up only while it watches, {name}", *flow)
    def up(lab, src, group):
        daemon(lab, RULES)
        with Stream(lab, "a1", src, group) as s:
            s.flows("a2")
            lab.ip("link", "set", "a2", "down")
            before = lab.counted(src, group)
            wait_until(lambda: lab.counted(src, group) > before + 10, "packets that find it down")
            rc, out = while_watching(lab, s, group, lambda: lab.ip("link", "set", "a2", "up"))
            same((rc, out.split(":")[:2]), (0, ["good", " forwarded"]), "verdict")


if __name__ == "__main__":
    main()
