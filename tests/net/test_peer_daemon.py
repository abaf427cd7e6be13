# SPDX-License-Identifier: ISC
#
# Our client with a daemon of SMCRoute 2.x, as at an upgrade of the package: what
# that can do is done, what it cannot is said, and it is never harmed.
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading

from cases import case, main
from lab import SMCROUTE, SMCROUTECTL, check, same, wait_until
from peerd import CONF, PHYINTS, SOCK, VERSION, Peer


@case("add, remove, join, leave, flush, reload, kill: silent, and done")
def edits(lab):
    p = Peer(lab)
    p.do("add a1 10.1.0.9 225.7.7.7 a2 a3")
    same(lab.route("10.1.0.9", "225.7.7.7"), ("a1", ["a2", "a3"]), "route")
    p.do("remove a1 10.1.0.9 225.7.7.7 a2")
    same(lab.route("10.1.0.9", "225.7.7.7"), ("a1", ["a3"]), "route less an output")
    p.do("remove a1 10.1.0.9 225.7.7.7")
    same(lab.route("10.1.0.9", "225.7.7.7"), None, "no route")
    p.do("add a1 fd00:1::9 ff2e::9 a2")
    same(lab.route("fd00:1::9", "ff2e::9"), ("a1", ["a2"]), "IPv6 route")
    p.do("flush")
    p.do("join a1 225.8.8.8")
    check("225.8.8.8" in lab.ip("maddr", "show", "dev", "a1"), "not joined")
    p.do("leave a1 225.8.8.8")
    check("225.8.8.8" not in lab.ip("maddr", "show", "dev", "a1"), "not left")
    lab.write("peer.conf", lab.MARKS + PHYINTS + CONF + "mroute from a1 source 10.1.0.5 group 225.5.5.5 to a2\n")
    p.do("reload")
    wait_until(lambda: lab.route("10.1.0.5", "225.5.5.5"), "a route of the new file")
    p.do("kill")
    # It is gone when the client returns, so that ours can be started.
    same(p.proc.poll(), 0, "exit status of the peer's daemon")
    same(p.ctl("show")[0], 69, "show without a daemon")


@case("upgrade: kill the old one, start ours, in one line")
def upgrade(lab):
    p = Peer(lab)
    rc, out, err = lab.run("sh", "-c", f"{SMCROUTE} smcroutectl kill && exec {SMCROUTE} smcrouted -f {p.conf}")
    same((rc, out, err), (0, "", ""), "kill and start")
    same(p.ctl("ping"), (0, "", ""), "ping of ours")
    same(p.ctl("kill"), (0, "", ""), "kill of ours")


@case("show: its tables with our headings")
def shows(lab):
    p = Peer(lab)
    p.do("join a2 225.8.8.8")
    p.do("add a1 10.1.0.9 225.7.7.7 a2 a3")
    rc, out, err = p.ctl("show")
    same((rc, err), (0, ""), "show")
    lines = out.splitlines()
    for line in ("(*,G) Template Rules", "(S,G) Rules", f"{'ROUTE (S,G)':<42} IIF  OIFS", "_" * 79, "=" * 79,
                 f"{'(*, 225.1.1.1)':<42} a1   a2", f"{'(10.1.0.9, 225.7.7.7)':<42} a1   a2 a3"):
        check(line in lines, f"no {line!r} in {out}")
    check("PACKETS" in p.ctl("-d", "show", "routes")[1], "no counters")
    check("225.8.8.8" in p.ctl("show", "groups")[1], "no group")
    check("PHYINT" in p.ctl("show", "int")[1], "no interfaces")
    check("=" not in p.ctl("-t", "show")[1], "headings with -t")
    if VERSION < "v2.6":
        p.says("show pending", 69, "no `show pending`")
        p.says("-j show", 69, "no `-j show routes`")
    else:
        check("pending" in p.ctl("show", "pending")[1], "nothing of what is pending")
        check(json.loads(p.ctl("-j", "show")[1])["routes"], "no JSON")


@case("errors have exit codes; what it cannot do is said; it is never given what would end it")
def errors(lab):
    p = Peer(lab)
    before = lab.mroutes()
    p.says("add a1 10.0.0.1 10.0.0.2 a2", 65, "not a multicast group")
    p.says("add a1 fd00::1 225.1.1.1 a2", 65, "must be of one family")
    p.says("add a1 225.1.1.1/99 a2", 65, "prefix length")
    p.says("join a1 10.0.0.1", 65, "not a multicast group")
    p.says("join wg9 225.1.1.1", 65, "unknown interface wg9")
    p.says("remove a1 225.99.9.9", 66, "no such rule")
    p.says("leave a1 225.8.8.8", 66, "SMCRoute's daemon: No group")
    p.says("add a1 225.1.1.1 " + "a2 " * 33, 64, "can have 32 outputs")
    for words in ("ping", "monitor", "replace a1 225.1.1.1 a2", "show metrics", "show config"):
        p.says(words, 69, "one of SMCRoute 2.4 to 2.6, has no")
    p.says("nonsense", 64)
    same(lab.mroutes(), before, "routes after errors")


@case("-b: each line, with its number; the first failure is the status")
def batch(lab):
    p = Peer(lab)
    rc, out, err = p.ctl("-b", stdin="# a comment\nadd a1 10.1.0.9 225.7.7.7 a2\n\nremove a1 225.99.9.9\nping\n"
                         "join a1 10.0.0.1\n" + "x" * 5000 + "\nadd a1 10.1.0.9 225.7.7.8 a3\nshow groups\nversion\n"
                         "add a1 10.1.0.9 225.7.7.9 a3")
    same(rc, 66, "exit status")
    lines = err.splitlines()
    want = ((4, "no such rule"), (5, "no `ping`"), (6, "not a multicast group"), (7, "no command"))
    for n, (line, text) in enumerate(want):
        check(lines[n].startswith(f"smcroutectl: line {line}: ") and text in lines[n], err)
    same(len(lines), 4, err)
    for i in (7, 8, 9):
        check(lab.route("10.1.0.9", f"225.7.7.{i}"), f"no route of 225.7.7.{i}")
    check(out.startswith("smcroutectl "), f"the version is not in {out!r}")


# ---- others that listen there ----

def answering(path, answer):
    """A listener that gives each connection an answer, or holds it with None."""
    server, held = socket.socket(socket.AF_UNIX), []
    server.bind(path)
    server.listen()

    def serve():
        while True:
            c, _ = server.accept()
            c.recv(65536)
            if answer is None:
                held.append(c)
                continue
            c.sendall(answer)
            c.close()
    threading.Thread(target=serve, daemon=True).start()


@case("a daemon of ours with words of another size is named", b"malformed request: the request is long\0", "32 bits")
@case("one that closes without a word", b"", "closed the connection without an answer")
def others(lab, answer, text):
    answering(SOCK, answer)
    for words in (("show",), ("-b",)):
        rc, out, err = lab.run(*SMCROUTECTL, *words, stdin="add a1 225.1.1.1 a2\n")
        check((rc, out) == (69, "") and text in err and len(err.splitlines()) == 1, f"{words}: {rc} {out!r} {err!r}")


@case("one that ends, or hangs, in the middle of a batch: the rest is not tried line by line")
def gone(lab):
    for hangs in (False, True):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SOCK)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(SOCK)
            server.listen()
            p = subprocess.Popen([*SMCROUTECTL, "-b"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            p.stdin.write("join a1 225.1.1.1\n" * 4)
            p.stdin.close()
            held = []
            for answer in (b"no such command\0", b"\0", b"\0"):
                c, _ = server.accept()
                c.recv(65536)
                held.append(c)
                if len(held) == 3 and hangs:
                    break
                if len(held) == 3:
                    server.close()
                c.sendall(answer)
                c.close()
            err = p.stderr.read()
        # The first connection asks who it is: the second line gets no answer, or the third finds nobody.
        same((p.wait(), len(err.splitlines())), (69, 2), err)
        check("this line and those behind it are not done" in err, err)


if __name__ == "__main__":
    main()
