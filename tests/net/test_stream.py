# SPDX-License-Identifier: ISC
#
# 2,500 packets a second over two flows, and what goes on beside them: not one
# packet may be lost over reloads, commands or a flush of other entries.
import os
import signal
import time

from cases import case, main
from lab import SLOW, check, note, same, wait_until
from stream import Stream

MINE = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a3\nmroute from a1 group 225.1.2.0/24 to a2 a3\n"
FLOWS4 = ("10.1.0.9", "225.1.1.1"), ("10.1.0.9", "225.1.2.3")
MINE6 = "mroute from a1 source fd00:1::9 group ff2e::11 to a2 a3\nmroute from a1 group ff2e::2:0/112 to a2 a3\n"
FLOWS6 = ("fd00:1::9", "ff2e::11"), ("fd00:1::9", "ff2e::2:3")


def others(turn):
    """20 rules of all sorts that no other turn has, and a membership."""
    return "".join(f"mroute from a2 source 10.2.{turn}.{i} group 225.2.{turn}.{i} to a4\n"
                   f"mroute from a2 group ff2e::{turn + 16:x}:{i:x} to a4\n" for i in range(1, 9)) + (
        f"mroute from a2 group 225.3.{turn}.0/24 to a1 a4\n"
        f"mroute from a3 source 10.3.{turn}.0/24 group 225.4.4.4 to a1\n"
        f"mroute from a4 group 225.5.{turn}.0/24\nmroute from a+ group 225.6.{turn}.1 to a+\n"
        f"mgroup from a{turn % 4 + 1} group 225.7.{turn}.1\n")


@case("20 reloads that add and remove 20 other rules each", MINE, FLOWS4)
@case("the same with IPv6", MINE6, FLOWS6)
def reloads(lab, mine, flows):
    d = lab.daemon(mine + others(0))
    for flow in flows:
        lab.passes("a1", *flow, "a2", "a3")
    stream = Stream(lab, "a1", flows, 2500, 4000)
    for turn in range(1, 21):
        before = stream.sent
        d.hup(mine + others(turn))
        check(len([g for _, g in lab.mroutes() if g.startswith("225.2.")]) == 8, "the other entries")
        while stream.running() and stream.sent < min(before + 150, turn * 200):
            time.sleep(0.005)
    wait_until(lambda: not stream.running(), "the end of the stream", 4 * SLOW)
    stream.end()
    same(stream.expect("a2", "a3"), 4000, "packets sent")
    same(d.log().count("reloaded:"), 20, "reloads")
    note(f"measured: {stream.sent} packets of two flows sent across 20 reloads, none lost")


@case("commands that change other rules, a flush of their entries, an output that comes and goes")
def commands(lab):
    d = lab.daemon(MINE + MINE6)
    for flow in FLOWS4 + FLOWS6:
        lab.passes("a1", *flow, "a2", "a3")
    stream = Stream(lab, "a1", (FLOWS4[0], FLOWS6[0]), 2500)
    for turn in range(15):
        d.do("add", "a2", f"225.2.{turn}.0/24", "a4")
        lab.send("a2", "10.2.0.9", f"225.2.{turn}.1", 3)
        d.do("add", "a1", "225.1.1.0/24", "a4")
        d.do("remove", "a1", "225.1.1.0/24")
        d.do("join", "a3", f"225.7.{turn}.1")
        d.do("flush")
        d.do("remove", "a2", f"225.2.{turn}.0/24")
    stream.end()
    lab.wait(stream.of(1), "a2", "a3")
    # The first flow's own entry was replaced twice a turn.  While the kernel does that, a packet on another
    # processor may find it without outputs: ipmr_update_thresholds() under readers without a lock, since 6.0.
    lab.mark()
    flow = stream.of(0)
    for iface in ("a2", "a3"):
        lost = len(flow[3]) - lab.arrived(iface, flow)
        check(0 <= lost <= 30, f"{lost} of {len(flow[3])} packets lost on {iface} in 30 changes of their entry")
        note(f"measured: {lost} of {len(flow[3])} packets lost on {iface} in 30 changes of their own entry")


@case("SIGHUP again and again, faster than it is done")
def storm(lab):
    d = lab.daemon(MINE + others(0))
    stream = Stream(lab, "a1", FLOWS4[:1], 1250)
    turn = 0
    while stream.running() and stream.sent < 1000:
        turn += 1
        os.rename(lab.write("next", lab.MARKS + MINE + others(turn % 2)), d.conf)
        d.proc.send_signal(signal.SIGHUP)
    d.hup(MINE + others(0) + "mroute from a4 source 10.4.0.9 group 225.9.9.9 to a1\n")
    wait_until(lambda: lab.route("10.4.0.9", "225.9.9.9"), "the last of the configurations")
    stream.end()
    stream.expect("a2", "a3")


if __name__ == "__main__":
    main()
