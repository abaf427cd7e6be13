# SPDX-License-Identifier: ISC
#
# What smcroute-check doctor and -H cost: no packet, little time, and no more where there is much.  They need no daemon.
import contextlib
import os
import re
import signal
import socket
import struct
import subprocess

from cases import case, main
from lab import ETH_P_ALL, PACKET_OUTGOING, check, note, same, wait_until
from packet import address, find, frame
from screen import open_terminal
from sick import RULES, V4, V6, Stream, blind, daemon, findings, path

ENTRIES = 20000
MRT_INIT, MRT_ADD_VIF, MRT_ADD_MFC, VIFF_USE_IFINDEX = 200, 202, 204, 8


class Outgoing:
    """What this host sends on any interface, but for what it forwards."""

    def __init__(self, lab):
        self.lab, self.seen = lab, []
        self.rx = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.rx.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
        self.rx.setblocking(False)

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                data, where = self.rx.recvfrom(2048)
                if where[2] == PACKET_OUTGOING and not find(data):
                    self.seen.append((where[0], hex(where[1]), data))
        return self.seen

    def all(self):
        """What has been sent until now, which is known by what is sent last."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, address("10.4.0.1"))
            s.sendto(b"the last one", ("239.255.255.9", 9))
        wait_until(lambda: any(data.endswith(b"the last one") for _, _, data in self.read()), "what is sent last")
        seen, self.seen = self.seen, []
        return [x for x in seen if not x[2].endswith(b"the last one")]


def memberships():
    """{(interface, group)} of this host, of IPv6."""
    with open("/proc/net/igmp6") as f:
        return {(line.split()[1], bytes.fromhex(line.split()[2])) for line in f}


def reported(data):
    """Groups in a report of MLDv2 (RFC 3810, 5.2), as this kernel sends it; none in other packets."""
    if len(data) < 56 or data[6] != 0 or data[40] != 58 or data[48] != 143:
        return []
    groups, at = [], 56
    while at + 20 <= len(data):
        groups.append(data[at + 4:at + 20])
        at += 20 + 16 * struct.unpack_from("!H", data, at + 2)[0]
    return groups


for ours in (True, False):
    @case(f"no packet of its own, {'beside a daemon' if ours else 'without a daemon'}", ours)
    def adds_none(lab, ours):
        path(lab)
        for name in os.listdir("/proc/sys/net/ipv6/conf"):
            lab.sysctl(f"ipv6/conf/{name}/router_solicitations", 0)
        for i in lab.ifaces:		# each brings a group
            wait_until(lambda i=i: "fe80" in lab.ip("-6", "addr", "show", "dev", i, "scope", "link", "-tentative"),
                       f"an address of {i}")
        if ours:
            daemon(lab, RULES + "mroute from a1 group 225.9.9.9 to a3\n")
        conf = lab.write("own.conf", RULES)
        with Stream(lab, "a1", *V4) as s4, Stream(lab, "a1", *V6) as s6:
            if ours:
                s4.flows("a2")
                s6.flows("a2")
            out, before = Outgoing(lab), memberships()
            out.all()
            for wrap in ((), blind()):
                for argv in (("doctor", V4[1], "1", conf), ("doctor", V6[1], "1", conf), ("doctor", "1", conf),
                             ("doctor", "225.9.9.9", "1"), ("-H", conf)):
                    rc, found = findings(lab, *argv, wrap=wrap)
                    check(rc in (0, 1, 2) and (found or argv[0] == "-H"), f"{argv}: {rc}")
            # That the kernel is a member of its own groups it says again for a while after the start.
            new = [(i, kind, data) for i, kind, data in out.all()
                   if not reported(data) or not {(i, g) for g in reported(data)} <= before]
            same(new, [], "packets that this host sent meanwhile")
            same(memberships(), before, "memberships")
            ask("10.3.0.77")
            check([x for x in out.all() if x[1] == "0x806"], "a question for a neighbour, which has to be seen")


def ask(neighbour):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"who", (neighbour, 9))


def watched(lab, argv, ready):
    """(exit status, stdout, stderr, seconds of CPU) of a doctor on a terminal; ready() ends it before its time."""
    ours, theirs = open_terminal()
    p = subprocess.Popen([path(lab)["CHECK"], *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    seen = ""
    with contextlib.suppress(OSError):		# it has ended by itself
        while not ready(seen):
            seen += os.read(ours, 4096).decode()
    os.kill(p.pid, signal.SIGINT)
    out = p.stdout.read().decode()
    p.stdout.close()
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    os.close(ours)
    return p.returncode, out, seen, used.ru_utime + used.ru_stime


@case("five seconds if nothing else is asked for, in little time of the processor")
def cost(lab):
    daemon(lab, RULES)
    with Stream(lab, "a1", *V4) as s:
        s.flows("a2")
        rc, out, seen, used = watched(lab, ("doctor", V4[1]), lambda seen: False)
        same((rc, out.split(":")[:2]), (0, ["good", " forwarded"]), "verdict")
        check(re.match(r"\rwatching, 5 s to go", seen), f"it does not watch for 5 s: {seen[:80]!r}")
        note(f"measured: doctor GROUP, {s.sent} packets: {used * 1000:.0f} ms of CPU")
        # Under 50 ms where nothing else runs; a build that looks for faults takes many times as much.
        check(used < (0.5 if not os.environ.get("SANITIZE") else 5), f"{used} s of CPU")


@case("20,000 entries, and packets as quick as they can be sent, without a daemon of ours")
def crowd(lab):
    path(lab)
    src, group = V4
    vifs = {"a1": 0, "a2": 1}
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP) as s:
        s.setsockopt(socket.IPPROTO_IP, MRT_INIT, struct.pack("i", 1))
        for name, vif in vifs.items():
            s.setsockopt(socket.IPPROTO_IP, MRT_ADD_VIF,
                         struct.pack("HBBIi4x", vif, VIFF_USE_IFINDEX, 1, 0, socket.if_nametoindex(name)))
        def add(source, number):
            s.setsockopt(socket.IPPROTO_IP, MRT_ADD_MFC, struct.pack(
                "4s4sH32s2x3Ii", source, address(group), number, b"\0\1" + bytes(30), 0, 0, 0, 0))
        add(address(src), 0)
        for i in range(ENTRIES - 1):
            add(struct.pack("!I", (10 << 24) + (9 << 16) + i), 0)
        done = []
        with Stream(lab, "a1", src, group) as flow:
            flow.flows("a2")
            data, tx = frame(src, group, 16, 0), lab.senders["ha"]

            def enough(seen):
                for _ in range(2000):
                    tx.send(data)
                done.append(2000)
                return sum(done) >= 60000 and "packets" in seen
            rc, out, _, used = watched(lab, ("doctor", group, "3000"), enough)
        check(f"good: forwarded: ({src}, {group})" in out, out)
        check(rc == 0 and f"{ENTRIES - 1} more sources have an entry and sent nothing" in out, out)
        note(f"measured: doctor beside {ENTRIES} entries, {sum(done)} packets: {used * 1000:.0f} ms of CPU")


if __name__ == "__main__":
    main()
