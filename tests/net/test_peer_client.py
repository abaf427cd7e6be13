# SPDX-License-Identifier: ISC
#
# Other people's clients: smcroutectl of SMCRoute 2.5, and programs that speak its
# protocol, byte for byte as they expect it.
import os
import re
import struct
import sys

from cases import case, main
from lab import Skip, check, same, wait_until
from wire import WORD, connect, request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import peer  # noqa: E402

CONF = "mroute from a1 group 225.1.1.1 to a2\n"

# Before a case has a network of its own.
try:
    THEIRS, WHY = os.path.join(peer.find(), "smcroutectl"), None
except peer.Missing as e:
    THEIRS, WHY = None, Skip(e)


def client(lab, d):
    if WHY:
        raise WHY
    return lambda *words: lab.run(THEIRS, "-u", d.sock, *words)


@case("SMCRoute's client: add, remove, join, leave, flush: silent, and done")
def edits(lab):
    d = lab.daemon(CONF)
    old = client(lab, d)

    def do(words):
        same(old(*words.split()), (0, "", ""), words)
    do("add a1 10.1.0.9 225.7.7.7 a2")
    do("add a1 10.1.0.9 225.7.7.7 a3")
    same(lab.route("10.1.0.9", "225.7.7.7"), ("a1", ["a2", "a3"]), "route")
    do("remove a1 10.1.0.9 225.7.7.7 a2")
    same(lab.route("10.1.0.9", "225.7.7.7"), ("a1", ["a3"]), "route less an output")
    do("remove a1 10.1.0.9 225.7.7.7")
    same(lab.route("10.1.0.9", "225.7.7.7"), None, "no route")
    do("add a1 fd00:1::9 ff2e::9 a2")
    same(lab.route("fd00:1::9", "ff2e::9"), ("a1", ["a2"]), "IPv6 route")
    do("add a1 225.7.0.0/16 a3")
    lab.passes("a1", "10.1.0.9", "225.7.7.7", "a3")
    do("flush")
    same(lab.route("10.1.0.9", "225.7.7.7"), None, "a learned entry after flush")
    do("join a1 225.8.8.8")
    check("225.8.8.8" in lab.ip("maddr", "show", "dev", "a1"), "not joined")
    do("leave a1 225.8.8.8")
    check("225.8.8.8" not in lab.ip("maddr", "show", "dev", "a1"), "not left")
    do("add a1 225.7.8.9 wg0")


@case("SMCRoute's client: show, groups, interfaces, in the columns of its own daemon")
def shows(lab):
    d = lab.daemon(CONF + "mroute from a1 source 10.1.0.5 group 225.4.4.4 to a2 a3\nmgroup from a2 group 225.8.8.8\n"
                   "mgroup from a2 source 10.2.0.5 group 232.8.8.8\n")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    old = client(lab, d)

    def rows(*words):
        rc, out, err = old(*words)
        same((rc, err), (0, ""), " ".join(words))
        check("\0" not in out, f"a NUL in {out!r}")
        return [line for line in out.splitlines() if line.strip("_=")]
    lines = rows("-p", "show")
    for title in ("(*,G) Template Rules", "(S,G) Rules", "Kernel MFC Table"):
        check(any(title in line for line in lines), f"no {title} in {lines}")
    for sg, oifs in (("(*, 225.1.1.1)", "a2"), ("(10.1.0.5, 225.4.4.4)", "a2 a3"), ("(10.1.0.9, 225.1.1.1)", "a2")):
        check(f"{sg:<42} a1   {oifs}" in [line.rstrip() for line in lines], f"no {sg} in {lines}")
    check(any("PACKETS" in line and "BYTES" in line for line in rows("-p", "-d", "show")), "no counters")
    same([line.split() for line in rows("-p", "show", "routes")], [line.split() for line in lines], "show routes")
    lines = rows("-p", "show", "interfaces")
    check(any(line.split() == ["INDEX", "PHYINT", "VIF", "MIF"] for line in lines), f"no headings in {lines}")
    check(any(line.split()[1:] == ["a1", "0", "N/A"] for line in lines), f"no a1 in {lines}")
    lines = rows("-p", "show", "groups")
    check("Group Memberships Table" in lines[0], f"no title in {lines}")
    for sg in ("(*, 225.8.8.8)", "(10.2.0.5, 232.8.8.8)"):
        check(f"{sg:<42} a2" in [line.rstrip() for line in lines], f"no {sg} in {lines}")
    check(any("Kernel" in line for line in rows("-p", "-d", "show", "groups")), "no table of the kernel")
    check(all("Rules" not in line and "=" not in line for line in rows("-t", "show")), "headings with -t")


@case("SMCRoute's client: errors, reload, kill")
def ends(lab):
    d = lab.daemon(CONF)
    old = client(lab, d)
    before = lab.mroutes()
    for words, why in (("add a1 10.0.0.1 10.0.0.2 a2", "not a multicast group"), ("remove a1 225.99.9.9", "no rule"),
                       ("leave a1 225.8.8.8", "failed leave (*,225.8.8.8), not a member"),
                       ("add a1 225.1.1.1/99 a2", "prefix length")):
        rc, out, err = old(*words.split())
        check(rc != 0 and why in err and not out and len(err.splitlines()) == 1, f"{words}: {rc} {out!r} {err!r}")
    same(lab.mroutes(), before, "routes after errors")
    same(old("add", "a1", "10.1.0.9", "225.7.7.7", "a2"), (0, "", ""), "add")
    d.write(CONF + "mroute from a1 group nonsense to a2\n")
    rc, out, err = old("reload")
    check(rc != 0 and "1 error" in err, f"reload of a wrong file: {rc} {out!r} {err!r}")
    same(lab.route("10.1.0.9", "225.7.7.7"), ("a1", ["a2"]), "route after a reload that failed")
    d.write(CONF)
    same(old("reload"), (0, "", ""), "reload")
    same(lab.route("10.1.0.9", "225.7.7.7"), None, "a route that reload has taken")
    same(old("kill")[0], 0, "kill")
    same(d.wait(), 0, "exit status of the daemon")
    check(old("show")[0] != 0, "show without a daemon")


# ---- programs that speak the protocol: github.com/go-x-pkg/smcroute ----

NOT_A_MEMBER = re.compile(rb"failed leave \([0-9a-fA-F.*,]+\), not a member")


def exchange(d, frame):
    """As such a program does: a connection, one message, one read of at most 255 bytes."""
    with connect(d.sock) as c:
        c.sendall(frame)
        return c.recv(255)


@case("the exchange of other programs, byte for byte")
def bytes_on_the_wire(lab):
    if WORD != 8:
        raise Skip("these programs know 64-bit machines alone")
    d = lab.daemon(CONF)
    frame = struct.pack("<QHHxxxx", 40, ord("j"), 2) + b"eth0.33\0" b"239.255.11.101\0" b"\0"
    same((len(frame), frame), (40, request("j", "eth0.33", "239.255.11.101")), "the example")
    same(exchange(d, frame), b"\0", "join of an interface that is not there: it waits")
    for letter, words in (("j", "a1 239.255.11.101"), ("j", "a1 239.255.11.101"), ("l", "a1 239.255.11.101"),
                          ("j", "a1 10.1.0.7 232.1.1.1"), ("l", "a1 10.1.0.7 232.1.1.1"),
                          ("a", "a1 10.1.0.9 225.7.7.7 a2 a3"), ("r", "a1 10.1.0.9 225.7.7.7"),
                          ("a", "a1 225.7.7.8 a2"), ("a", "a1 225.7.7.8 a2"), ("r", "a1 225.7.7.8")):
        same(exchange(d, request(letter, *words.split())), b"\0", f"{letter} {words}")
    for words in ("a1 239.255.11.101", "a1 10.1.0.7 232.1.1.1"):
        got = exchange(d, request("l", *words.split()))
        check(NOT_A_MEMBER.fullmatch(got.rstrip(b"\0")), f"leave of {words}: {got!r}")
    for letter, words in (("j", "a1 10.0.0.1"), ("a", "a1"), ("a", "x" * 300 + " 225.1.1.1"), ("r", "a1 225.7.7.8"),
                          ("a", "a1 " + "9" * 2000), ("z", "a1"), ("l", "")):
        got = exchange(d, request(letter, *words.split()))
        check(1 < len(got) <= 255 and got.endswith(b"\0") and b"\0" not in got[:-1] and b"\n" not in got,
              f"{letter} {words[:40]}: {got!r}")


@case("several messages over one connection, and the end of one that is silent")
def one_after_the_other(lab):
    d = lab.daemon(CONF)
    c = connect(d.sock)
    for i in range(3):
        c.sendall(request("a", "a1", f"10.1.0.{i + 1}", "225.7.7.7", "a2"))
        same(c.recv(255), b"\0", "answer")
    c.sendall(request("J", "routes") + request("F"))
    got = b""
    while got.count(b"\0") < 2:
        got += c.recv(65536)
    check(got.startswith(b'{"routes":') and got.endswith(b"}\n\0\0"), f"{got!r}")
    # SMCRoute's client reads until the connection is closed.
    same(c.recv(1), b"", "end of the connection")
    wait_until(lambda: d.ctl("ping")[0] == 0, "the daemon")


if __name__ == "__main__":
    main()
