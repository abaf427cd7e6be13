# SPDX-License-Identifier: ISC
#
# Memberships on the real kernel: as many as are asked for, where the interfaces
# go, and nothing on the wire for those that stay.
import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import time

from cases import case, main
from lab import ETH_P_ALL, SLOW, SMCROUTECTL, Daemon, check, libc, note, same, wait_until
from packet import address
from wire import connect, records, request

FIONREAD, SYS_PIDFD_GETFD = 0x541B, 438


def joined(dev="a1"):
    """Groups that the kernel has on an interface, but those of its own."""
    own = {address(a) for a in ("224.0.0.1", "224.0.0.2", "224.0.0.22", "224.0.0.106", "ff02::1", "ff01::1", "ff02::2")}
    groups, here = set(), False
    with open("/proc/net/igmp") as f:
        for line in f:
            words = line.split()
            if words[0].isdigit():
                here = words[1] == dev
            elif here and line.startswith("\t"):
                groups.add(struct.pack("=I", int(words[0], 16)))
    with open("/proc/net/igmp6") as f:
        groups |= {bytes.fromhex(w[2]) for w in map(str.split, f) if w[1] == dev}
    return {g for g in groups - own if g[:13] != b"\xff\2" + b"\0" * 9 + b"\1\xff"}


def filters(dev="a1"):
    """(group, source) that the kernel lets in on an interface.

    For IPv4 it tells none where the newest group has none (net/ipv4/igmp.c, igmp_mcf_get_first)."""
    found = set()
    with open("/proc/net/mcfilter") as f:
        next(f)
        for _, d, group, source, include, _ in map(str.split, f):
            if d == dev and int(include):
                found.add((int(group, 16).to_bytes(4, "big"), int(source, 16).to_bytes(4, "big")))
    with open("/proc/net/mcfilter6") as f:
        next(f)
        for _, d, group, source, include, _ in map(str.split, f):
            if d == dev and int(include):
                found.add((bytes.fromhex(group), bytes.fromhex(source)))
    return found


def prefix(text, bits):
    """The 2^bits addresses from one on."""
    first = address(text)
    number = int.from_bytes(first, "big")
    return {(number + i).to_bytes(len(first), "big") for i in range(1 << bits)}


def pairs(groups, sources):
    return {(g, s) for g in groups for s in sources}


def wait_joined(want, dev="a1"):
    wait_until(lambda: joined(dev) == want, f"{len(want)} groups on {dev}, there are {len(joined(dev))}")


def mentioned(lab, family):
    """Groups that ip maddr shows."""
    return {line.split()[1] for line in lab.ip(family, "maddr", "show", "dev", "a1").splitlines() if "inet" in line}


def ask(d, *words):
    """A connection on which a request was sent."""
    c = connect(d.sock)
    c.settimeout(2 * SLOW)
    c.send(request("W", *words))
    return c


def answer(c):
    """The text and the status of the reply."""
    got = b""
    while not (parts := list(records(got))) or parts[-1][0] != "X":
        check(more := c.recv(1 << 20), f"the end of the connection after {got[-100:]}")
        got += more
    c.close()
    return b"".join(text for kind, text in parts if kind == "R").decode(), parts[-1][1][0]


CONF = ("mgroup from a1 group 225.1.1.0/24\n"
        "mgroup from a1 source 10.9.0.0/26 group 232.1.1.1\n"
        "mgroup from a1 group ff35::1:0/120\n"
        "mgroup from a1 source fd09::/121 group ff35::2:1\n")
GROUPS = prefix("225.1.1.0", 8) | prefix("232.1.1.1", 0) | prefix("ff35::1:0", 8) | prefix("ff35::2:1", 0)
FILTERS = pairs(prefix("232.1.1.1", 0), prefix("10.9.0.0", 6)) | pairs(prefix("ff35::2:1", 0), prefix("fd09::", 7))


@case("256 and 256 groups, 64 and 128 sources of one group from a file are there when the daemon is ready")
def from_file(lab):
    d = lab.daemon(CONF)
    same(joined(), GROUPS, "groups")
    same(filters(), FILTERS, "sources")
    check({f"225.1.1.{i}" for i in range(256)} <= mentioned(lab, "-4"), "ip -4 maddr")
    check({f"ff35::1:{i:x}" for i in range(256)} <= mentioned(lab, "-6"), "ip -6 maddr")
    groups = d.json("groups")["groups"]
    same(len(groups["conf"]), 4, "lines of show groups")
    same({m["state"] for m in groups["kernel"]}, {"joined"}, "states")
    same(len(groups["kernel"]), 256 + 64 + 256 + 128, "memberships shown")
    same({(address(m["group"]), address(m["source"])) for m in groups["kernel"] if m["source"]}, FILTERS, "shown")
    same({(m["iif"], m["source"]) for m in groups["kernel"] if not m["source"]}, {("a1", None)}, "shown")
    same(d.show("-t", "show", "groups").split("\n")[0], f"{'(*, 225.1.1.0/24)':42} a1", "row")
    text = d.show("-p", "-d", "show", "groups")
    check("Group Memberships Table" in text and "Kernel Group Membership Table" in text, text[:500])
    check(f"{'(10.9.0.63, 232.1.1.1)':42} a1 -\n" in text and f"{'(*, ff35::1:ff)':42} a1 -\n" in text, text[:500])
    d.stop()
    wait_joined(set())


def many(lab, line, groups, sources):
    """A command for 16,384 memberships, and another that takes them back; others are answered meanwhile."""
    d = lab.daemon()
    files = len(os.listdir(f"/proc/{d.proc.pid}/fd"))
    for word in ("join", "leave"):
        d.proc.send_signal(signal.SIGSTOP)
        first, second = ask(d, "", word, "a1", *line), ask(d, "-j", "show", "groups")
        d.proc.send_signal(signal.SIGCONT)
        shown = json.loads(answer(second)[0])["groups"]["kernel"]
        same(answer(first), ("", 0), word)
        if word == "join":
            check(any(m["state"] == "joining" for m in shown), "nobody else was answered meanwhile")
        same((len(joined()), len(filters())), (groups, sources) if word == "join" else (0, 0), f"there after {word}")
    wait_until(lambda: len(os.listdir(f"/proc/{d.proc.pid}/fd")) <= files, "the descriptors of before")
    same(d.json("groups")["groups"], {"conf": [], "kernel": []}, "groups that remain")


for _line, *_n in ((("225.0.0.0/18",), 16384, 0), (("10.9.0.0/25", "232.1.1.0/25"), 128, 16384),
                   (("ff35::/114",), 16384, 0), (("fd09::/121", "ff35::/121"), 128, 16384)):
    case(f"16,384 memberships by one command: {' '.join(_line)}", _line, *_n)(many)


@case("SIGTERM in the middle of 65,536 joins ends the daemon at once")
def terminated(lab):
    d = lab.daemon()
    with subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "join", "a1", "ff35::/112"], stderr=subprocess.DEVNULL) as p:
        wait_until(lambda: len(joined()) > 100, "the first joins")
        start = time.monotonic()
        same(d.stop(), 0, "exit status")
        note(f"measured: end amid 65,536 joins: {time.monotonic() - start:.3f} s")
        same(p.wait(SLOW), 69, "exit of the client")
    same(joined(), set(), "groups")


@case("a client that waits for its groups hears now and then that they are being joined")
def still(lab):
    d = lab.daemon()
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(d.sock)
        s.settimeout(3 * SLOW)
        s.send(request("W", "", "join", "a1", "ff35::/112"))
        same(s.recv(256), b"R" + b"\0" * 7, "an empty record")


@case("SIGTERM while the start waits for its groups")
def start_terminated(lab):
    d = Daemon(lab, lab.MARKS + "mgroup from a1 group ff35::/112\n", ready=False)
    wait_until(lambda: len(joined()) > 100, "the first joins")
    same(d.ctl("ping")[0], 0, "ping before it is ready")
    check(not os.path.exists(d.pid_file), "ready before its groups are joined")
    same(d.stop(), 0, "exit status")


@case("what cannot be joined is refused with its reason")
def refused(lab):
    d = lab.daemon()
    for words, text in ((["225.0.0.0/8"], "16777216"), (["225.0.0.0/15"], "131072"), (["ff35::/64"], "2^64"),
                        (["10.9.0.0/16", "232.0.0.0/24"], "16777216"), (["224.0.0.0/3"], "/4"),
                        (["10.1.0.9"], "224.0.0.0/4"),
                        (["fd00::1"], "ff00::/8"), (["10.1.0.9", "ff35::1"], "one family"),
                        (["fd00::1", "225.1.1.1"], "one family"),
                        (["225.1.1.1/99"], "/99"), (["225.1.1.1/abc"], "/abc"), (["225.1.1.1/-3"], "/-3"),
                        (["225.1.1.1/24x"], "/24x"), (["225.1.1.1", "225.1.1.2"], "225.1.1.1")):
        rc, out, err = d.ctl("join", "a1", *words)
        same((rc, out), (65, ""), f"join {words}")
        check(text in err and err.count("\n") == 1, f"join {words}: {err!r} without {text!r}")
    same(d.ctl("join", "a1")[0], 64, "join without a group")
    same(joined(), set(), "groups")


@case("joining twice changes nothing, leaving twice is told; overlaps; the old protocol's words")
def twice(lab):
    d = lab.daemon()
    for words, group in ((["225.1.1.1"], "225.1.1.1"), (["10.9.0.1", "232.1.1.1"], "232.1.1.1"),
                         (["ff35::1"], "ff35::1"),
                         (["fd09::1", "ff35::2"], "ff35::2")):
        for _ in range(2):
            d.do("join", "a1", *words)
            same(joined(), {address(group)}, f"after join {words}")
        d.do("leave", "a1", *words)
        same(joined(), set(), f"after leave {words}")
        text = f"failed leave ({words[0] if len(words) > 1 else '*'},{group}), not a member"
        same(d.ctl("leave", "a1", *words), (66, "", f"smcroutectl: {text}\n"), "the second leave")
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(d.sock)
            for command, want in (("l", text.encode() + b"\0"), ("j", b"\0"), ("j", b"\0"), ("l", b"\0")):
                s.send(request(command, "a1", *words))
                same(s.recv(256), want, f"{command} in the old protocol")
    d.do("join", "a1", "225.1.1.0/28")
    d.do("join", "a1", "225.1.1.8/29")
    d.do("leave", "a1", "225.1.1.0/28")
    same(joined(), prefix("225.1.1.8", 3), "the shorter range")
    # Any source and single sources of one group.
    d.do("join", "a1", "10.9.0.1", "225.1.1.8")
    d.do("leave", "a1", "225.1.1.8/29")
    same((joined(), filters()), ({address("225.1.1.8")}, {(address("225.1.1.8"), address("10.9.0.1"))}), "the source")


@case("interfaces that are late, deleted, made again, renamed, meant by a wildcard")
def interfaces(lab):
    d = lab.daemon("mgroup from b1 group 225.1.1.0/28\nmgroup from b1 source fd09::/124 group ff35::1\n"
                   "mgroup from b1 source 10.9.0.0/28 group 232.1.1.1\nmgroup from c+ group ff35::/124\n")
    mine = prefix("225.1.1.0", 4) | {address("ff35::1"), address("232.1.1.1")}
    rc, _, err = d.ctl("join", "b1", "225.9.9.9")
    check(rc == 0 and "b1" in err, f"join on an absent interface: {rc}, {err!r}")
    pending = [p for p in d.json("pending")["pending"] if p["kind"] == "mgroup"]
    same(len(pending), 5, "pending lines")
    for i in range(3):
        lab.ip("link", "add", "b1", "type", "veth", "peer", "name", "p1")
        lab.ip("link", "set", "b1", "up")
        wait_joined(mine | {address("225.9.9.9")}, "b1")
        wait_until(lambda: prefix("fd09::", 4) <= {s for _, s in filters("b1")}, "16 sources")
        same([p["iif"] for p in d.json("pending")["pending"]], ["c+"], "pending lines")
        lab.ip("link", "del", "b1")
        wait_until(lambda: len(d.json("pending")["pending"]) == 5, "five pending lines")
    lab.ip("link", "add", "c7", "type", "veth", "peer", "name", "b1")
    wait_joined(prefix("ff35::", 4), "c7")
    wait_joined(mine | {address("225.9.9.9")}, "b1")
    lab.ip("link", "set", "c7", "name", "x7")
    wait_joined(set(), "x7")
    lab.ip("link", "set", "b1", "name", "c8")
    wait_joined(prefix("ff35::", 4), "c8")
    lab.ip("link", "set", "c8", "multicast", "off")
    wait_joined(set(), "c8")
    lab.ip("link", "set", "c8", "multicast", "on")
    wait_joined(prefix("ff35::", 4), "c8")
    d.hup("mgroup from x7 group 225.1.1.1\nphyint c8 disable\nmgroup from c8 group 225.1.1.1\n")
    same((joined("x7"), joined("c8")), ({address("225.1.1.1")}, set()), "after the reload")


class Wire:
    """Reports of memberships that a host hears."""

    def __init__(self, lab, host):
        with lab.at(host):
            self.rx = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.rx.bind(("eth0", ETH_P_ALL))
        self.rx.setblocking(False)
        self.records = []

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.parse(self.rx.recv(65536))
        return self.records

    def parse(self, ip):
        """Appends (record type, group, number of sources): RFC 3376 section 4.2, RFC 3810 section 5.2."""
        if ip[0] >> 4 == 4 and ip[9] == 2:
            data, size, report = ip[(ip[0] & 15) * 4:], 4, 0x22
        elif ip[0] >> 4 == 6 and ip[6] == 0 and ip[40] == 58:
            data, size, report = ip[48:], 16, 143
        else:
            return
        if data[0] in (0x17, 132):	# IGMPv2 Leave, MLDv1 Done
            self.records.append((3, data[4:8] if size == 4 else data[8:24], 0))
        at = 8
        for _ in range(struct.unpack_from("!H", data, 6)[0] if data[0] == report else 0):
            kind, _, sources = struct.unpack_from("!BBH", data, at)
            self.records.append((kind, data[at + 4:at + 4 + size], sources))
            at += 4 + size + sources * size

    def left(self):
        """Groups that somebody said to leave: TO_IN of nothing, BLOCK, or the older messages."""
        return {g for kind, g, n in self.read() if kind == 6 or (kind == 3 and n == 0)}


@case("a reload that halves a range leaves the other half, and says so of nothing else on the wire")
def halved(lab):
    d = lab.daemon(CONF)
    wire = Wire(lab, "ha")
    before = os.listdir(f"/proc/{d.proc.pid}/fd")
    d.hup(CONF)
    d.hup("mgroup from a1 group 225.1.1.128/25\nmgroup from a1 source 10.9.0.0/27 group 232.1.1.1\n"
          "mgroup from a1 group ff35::1:80/121\nmgroup from a1 source fd09::40/122 group ff35::2:1\n")
    stay = prefix("225.1.1.128", 7) | prefix("ff35::1:80", 7) | {address("232.1.1.1"), address("ff35::2:1")}
    gone = prefix("225.1.1.0", 7) | prefix("ff35::1:0", 7)
    same(joined(), stay, "groups")
    same(filters(), pairs(prefix("232.1.1.1", 0), prefix("10.9.0.0", 5)) |
         pairs(prefix("ff35::2:1", 0), prefix("fd09::40", 6)), "sources")
    # Of those groups some sources are left, and are told as such.
    parts = {address("232.1.1.1"), address("ff35::2:1")}
    wait_until(lambda: gone | parts <= wire.left(), "the leaves of what is left")
    same(wire.left() - gone - parts, set(), "leaves on the wire")
    same({(k, g, n) for k, g, n in wire.records if g in parts and k == 3 and n == 0}, set(), "leaves of a whole group")
    check(len(os.listdir(f"/proc/{d.proc.pid}/fd")) <= len(before), "more descriptors than before")


@case("a reload is done when it says so, however many groups there are")
def reloaded(lab):
    d = lab.daemon()
    d.write("mgroup from a1 group 225.1.0.0/20\nmgroup from a1 group ff35::/118\n")
    rc, out, err = d.ctl("reload")
    same((rc, err), (0, ""), "reload")
    check(out.startswith("reloaded"), out)
    same(joined(), prefix("225.1.0.0", 12) | prefix("ff35::", 10), "groups")
    d.hup("")
    same(joined(), set(), "groups")


@case("descriptors: raised to the hard limit; when they run out, the limit is named, and what is missing comes later")
def descriptors(lab):
    lab.sysctl("ipv4/igmp_max_memberships", 1)
    d = lab.daemon(wrap=("prlimit", "--nofile=64:400"))
    d.do("join", "a1", "225.1.1.0/24")
    same(len(joined()), 256, "groups with 400 descriptors")
    rc, _, err = d.ctl("join", "a1", "225.2.2.0/24")
    check(rc == 71 and err.count("\n") == 1 and "of 256" in err and "RLIMIT_NOFILE = 400" in err, f"{rc}, {err!r}")
    check("RLIMIT_NOFILE = 400" in d.log(), "no word in the log")
    n = len(joined())
    check(256 < n < 400, f"{n} groups")
    row, = [line for line in d.show("-t", "show", "groups").splitlines() if "225.2.2.0/24" in line]
    check("failed" in row and "RLIMIT_NOFILE = 400" in row, row)
    failed = [m for m in d.json("groups")["groups"]["kernel"] if m["state"] == "failed"]
    same(len(failed), 512 - n, "failed memberships")
    check(failed[0]["limit"] == "RLIMIT_NOFILE = 400" and failed[0]["reason"], failed[0])
    same(d.ctl("show", "pending")[0], 0, "clients are still served")
    # When there is room and the interface changes, what had failed is tried again.
    d.do("leave", "a1", "225.1.1.0/24")
    lab.ip("addr", "add", "10.77.0.1/24", "dev", "a1")
    wait_joined(prefix("225.2.2.0", 8))
    same({m["state"] for m in d.json("groups")["groups"]["kernel"]}, {"joined"}, "states")


@case("what an interface cannot do now is tried again when it changes")
def changed(lab):
    d = lab.daemon()
    lab.ip("link", "set", "a3", "mtu", "1200")		# less than IPv6 needs
    rc, _, err = d.ctl("join", "a3", "ff35::1")
    same((rc, joined("a3")), (71, set()), err)
    row, = [line for line in d.show("-t", "show", "groups").splitlines() if "ff35::1" in line]
    check("failed: No such device" in row, row)
    lab.ip("link", "set", "a3", "mtu", "1500")
    wait_joined({address("ff35::1")}, "a3")


@case("a limit of the kernel is named with its value")
def sysctls(lab):
    lab.sysctl("ipv4/igmp_max_memberships", 0)
    d = lab.daemon()
    for words in (["225.1.1.1"], ["10.9.0.1", "232.1.1.1"]):
        rc, _, err = d.ctl("join", "a1", *words)
        check(rc == 71 and "net.ipv4.igmp_max_memberships = 0" in err, f"{rc}, {err!r}")
    lab.sysctl("ipv4/igmp_max_memberships", 20)
    # Asked for again, it is tried again.
    d.do("join", "a1", "225.1.1.1")
    same(joined(), {address("225.1.1.1")}, "groups")
    d.do("leave", "a1", "10.9.0.1", "232.1.1.1")


def unread(pid):
    """Bytes that wait in the datagram sockets of a process."""
    total, sockets = 0, 0
    pidfd = os.pidfd_open(pid)
    for fd in map(int, os.listdir(f"/proc/{pid}/fd")):
        got = libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
        if got < 0:
            check(ctypes.get_errno() != 1, "no look at the sockets")
            continue
        with contextlib.suppress(OSError), socket.socket(fileno=got) as s:
            if s.type == socket.SOCK_DGRAM and s.family in (socket.AF_INET, socket.AF_INET6):
                sockets += 1
                total += struct.unpack("i", fcntl.ioctl(s, FIONREAD, struct.pack("i", 0)))[0]
    os.close(pidfd)
    return sockets, total


@case("no packet of a joined group reaches a socket of ours")
def deaf(lab):
    d = lab.daemon("mgroup from a1 group 225.1.1.1\nmgroup from a1 source 10.1.0.9 group 232.1.1.1\n"
                   "mgroup from a1 group ff35::1\nmroute from a1 group 225.1.1.1 to a2\n"
                   "mroute from a1 group ff35::1 to a2\n")
    with open("/proc/net/udp") as f:
        same(len(f.readlines()), 1, "bound UDP sockets")
    for src, group in (("10.1.0.9", "225.1.1.1"), ("fd00:1::9", "ff35::1")):
        lab.passes("a1", src, group, "a2", n=200)
    lab.passes("a1", "10.1.0.9", "232.1.1.1", n=200)
    sockets, waiting = unread(d.proc.pid)
    check(sockets >= 3, f"only {sockets} sockets found")
    same(waiting, 0, "bytes that wait in them")


if __name__ == "__main__":
    main()
