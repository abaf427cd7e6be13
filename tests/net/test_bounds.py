# SPDX-License-Identifier: ISC
#
# What clients asked for and took back leaves nothing behind: neither memory nor work for later commands; and what they
# ask for takes memory in proportion to what they say.  The daemon's own time counts.
import contextlib
import os
import re
import statistics
import time

from cases import case, main
from lab import Failed, check, note, same, wait_until
from packet import frame
from wire import connect, request

MANY = int(os.environ.get("MANY", 2000 if os.environ.get("SANITIZE") else 10000))
NAMES = min(MANY, 60000)		# as many as there may be, about
JOINS = min(MANY, 10000)


def memory(d):
    """Kilobytes that it has in memory, and those of them that are its alone."""
    with open(f"/proc/{d.proc.pid}/status") as f:
        lines = dict(line.split(":\t", 1) for line in f if ":\t" in line)
    return int(lines["VmRSS"].split()[0]), int(lines["RssAnon"].split()[0])


def ask(d, requests):
    """Sends them by one connection, many at a time: how many failed."""
    s, waits, failed = connect(d.sock), 0, 0
    rest = b""
    for words in requests:
        option, *rest_words = words.split() if words[0] == "-" else ["", *words.split()]
        s.sendall(request("W", option, *rest_words))
        waits += 1
        if waits == 50:
            got, rest = answers(s, waits, rest)
            failed += got
            waits = 0
    failed += answers(s, waits, rest)[0]
    s.close()
    return failed


def answers(s, n, rest):
    failed = 0
    while n:
        at = 0
        while at + 8 <= len(rest):
            size = int.from_bytes(rest[at + 4:at + 8], "little")
            if at + 8 + size > len(rest):
                break
            if rest[at:at + 1] == b"X":
                n -= 1
                failed += rest[at + 8] != 0
            at += 8 + size
        rest = rest[at:]
        if n:
            rest += s.recv(65536)
    return failed, rest


def cost(d):
    """Seconds that the daemon runs for 500 edits, as they are usual."""
    clock, took = (~d.proc.pid << 3) | 2, []
    for _ in range(5):
        before = time.clock_gettime_ns(clock)
        ask(d, [f"{verb} a1 225.7.7.7 a{k}" for k in (2, 3) for verb in ("add", "remove") for _ in range(25)])
        took.append(time.clock_gettime_ns(clock) - before)
    return min(took) / 1e9


def is_settled(before, most, after):
    """Memory is within a tenth of what it was before, and of what came beside it a twentieth is left, or 40 pages.  For
    the static program, which has little, these are more than the tenth: musl keeps pages of pieces of one size."""
    left = after[1] - before[1]
    return after[0] <= max(before[0] * 1.1, before[0] + 160) and left <= max((most[1] - before[1]) / 20, 160)


def leaves_nothing(lab, what, asks, takes):
    d = lab.daemon("mroute from a1 group 225.1.1.1 to a2\n", "-l", "none")
    cost(d)
    before, took = memory(d), cost(d)
    same(ask(d, asks), 0, f"{what}: failed")
    most = memory(d)
    same(ask(d, takes), 0, f"{what}: failed to be taken back")
    # What is waited for is compared within a second.
    with contextlib.suppress(Failed):
        wait_until(lambda: is_settled(before, most, memory(d)), "less memory")
    after, later = memory(d), cost(d)
    note(f"measured: {what}: memory {before} kB, at most {most} kB, afterwards {after} kB; "
         f"{took * 1e6 / 100:.0f} us an edit, afterwards {later * 1e6 / 100:.0f} us")
    if not os.environ.get("SANITIZE"):		# which keeps what was freed
        check(is_settled(before, most, after), f"{what}: {after} kB afterwards, {before} kB before")
    check(later <= 5 * took, f"{what}: {later / took:.1f} times as long afterwards")


def group(i):
    return f"226.{i >> 16}.{i >> 8 & 255}.{i & 255}"


@case("names of interfaces")
def names(lab):
    leaves_nothing(lab, f"{MANY:,} names at once", (f"add a1 {group(i)} n{i % NAMES}" for i in range(MANY)),
                   (f"remove a1 {group(i)}" for i in range(MANY)))


@case("lists of outputs")
def lists(lab):
    leaves_nothing(lab, f"{MANY:,} lists of outputs",
                   (f"add a1 {group(i)} n{i % 250} m{i // 250}" for i in range(MANY)),
                   (f"remove a1 {group(i)}" for i in reversed(range(MANY))))


@case("rules for one source")
def flows(lab):
    leaves_nothing(lab, f"{MANY:,} (S,G) rules", (f"add a1 10.1.1.1 {group(i)} a2" for i in range(MANY)),
                   (f"remove a1 10.1.1.1 {group(i)}" for i in range(MANY)))


@case("more outputs than the kernel has interfaces")
def outputs(lab):
    d = lab.daemon("", "-l", "none")
    many = [f"o{i}" for i in range(4000)]
    same(d.ctl("add", "a1", "225.1.1.1", *many[:31])[0], 0, "31 outputs")
    before = memory(d)[0]
    for words in (many, many[:33], many[30:33]):
        rc, _, err = d.ctl("add", "a1", "225.1.1.1", *words)
        same(rc, 64, f"exit status of {len(words)} outputs more")
        check("a rule can have 32 outputs" in err, err)
    same(ask(d, [f"add a1 {group(i)} {' '.join(many)}" for i in range(100)]), 100, "refusals of 4,000 outputs")
    same(d.ctl("add", "a1", "225.1.1.1", many[31])[0], 0, "the 32nd")
    if not os.environ.get("SANITIZE"):
        wait_until(lambda: memory(d)[0] <= before * 1.1 + 64, lambda: f"memory of {before} kB, not {memory(d)}")


@case("what stays is the last that came")
def pinned(lab):
    leaves_nothing(lab, f"{MANY:,} names but for one", (f"add a1 {group(i)} n{i % NAMES}" for i in range(MANY)),
                   (f"remove a1 {group(i)}" for i in range(MANY - 1)))


@case("memberships that are there")
def joined(lab):
    leaves_nothing(lab, f"{JOINS:,} memberships", (f"join a1 {group(i)}" for i in range(JOINS)),
                   (f"leave a1 {group(i)}" for i in range(1, JOINS)))


@case("owners, and rules that several of them ask for")
def owners(lab):
    leaves_nothing(lab, "2,000 owners", (f"-oo{i % 2000} add a1 {group(i // 4)} a2" for i in range(MANY)),
                   (f"-oo{i % 2000} remove a1 {group(i // 4)}" for i in range(MANY)))


def asked(d):
    return int(re.search(r'smcroute_upcalls_total{family="ipv6"} (\d+)', d.show("show", "metrics")).group(1))


def upcalls(lab, d, group):
    """Nanoseconds that the daemon runs for a packet of a new source."""
    clock, took = (~d.proc.pid << 3) | 2, []
    for turn in range(5):
        d.do("flush")
        packets = [frame(f"fd00:1::{turn + 1}:{i + 1}", group, 16, 0xFFFFFFFF) for i in range(200)]
        count, before = asked(d), time.clock_gettime_ns(clock)
        for p in packets:
            lab.senders["ha"].send(p)
        d.do("ping")
        spent = time.clock_gettime_ns(clock) - before
        took.append(spent / (asked(d) - count))
    return statistics.median(took)


@case("pairs of prefix lengths, and interfaces for one group")
def lengths(lab):
    d = lab.daemon("mroute from a1 group ff2e::/16 to a2\n", "-l", "none")
    same(d.ctl("add", "a1", "ff2e::2", "a2")[0], 0, "a rule")
    before = upcalls(lab, d, "ff2e::1")
    # Narrower than the rule that matches, hence looked at, but none of them matches.
    failed = ask(d, [f"add a1 fd99::/{s} ff2e:0:0:1::/{g} a2" for s in range(16, 129, 2) for g in range(64, 129)])
    check(failed > 3000, f"{failed} refused")
    rc, _, err = d.ctl("add", "a1", "fd98::/15", "ff2e::/17", "a2")
    same(rc, 71, f"exit status of one more, {err}")
    check("256 pairs of prefix lengths" in err, err)
    later = upcalls(lab, d, "ff2e::1")
    failed = ask(d, [f"add n{i} ff2e::2 a2" for i in range(3000)])
    same(failed, 3001 - 1024, "inbound interfaces refused")
    names = upcalls(lab, d, "ff2e::2")
    note(f"measured: {before / 1000:.1f} us a new source, {later / 1000:.1f} us beside 256 pairs of lengths, "
         f"{names / 1000:.1f} us with 1,024 interfaces")
    check(later <= 10 * before and names <= 10 * before, f"{later / before:.1f} and {names / before:.1f} times as long")


@case("memberships")
def members(lab):
    leaves_nothing(lab, f"{MANY:,} memberships that wait", (f"join n{i % 100} {group(i)}" for i in range(MANY)),
                   (f"leave n{i % 100} {group(i)}" for i in range(MANY)))


if __name__ == "__main__":
    main()
