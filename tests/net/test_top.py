# SPDX-License-Identifier: ISC
#
# smcroutectl top: rates of an interval, busiest first; on a terminal it is drawn
# anew, and the terminal is as it was afterwards.
import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import termios
import time

from cases import case, main
from lab import Daemon, SMCROUTECTL, SLOW, Failed, check, same, wait_until
from screen import open_terminal

CONF = "mroute from a1 group 225.3.3.0/24 to a2\nmroute from a1 group ff2e::/16 to a2 a3\n"
BUSY, CALM, IDLE = ("10.1.0.9", "225.3.3.1"), ("fd00:1::9", "ff2e::3"), ("10.1.0.9", "225.3.3.2")


def start(lab):
    d = lab.daemon(CONF)
    for flow, outs in ((CALM, ("a2", "a3")), (IDLE, ("a2",)), (BUSY, ("a2",))):
        lab.passes("a1", *flow, *outs)
    return d


@case("into a pipe: one table after one interval")
def pipe(lab):
    d = start(lab)
    p = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "top", "1"], stdout=subprocess.PIPE, text=True)
    # Whenever these come, what was there before is not in a rate.
    lab.passes("a1", *BUSY, "a2", n=500)
    lines = p.communicate(timeout=SLOW)[0].splitlines()
    same(p.returncode, 0, "status")
    same([lines[0][:3], lines[2][:3], lines[4][:3]], ["___", "===", "==="], "lines above and below")
    check(" 5 flows  " in lines[1] and lines[1].endswith(" bits/s"), f"title {lines[1]}")
    same(lines[3].split(), "ROUTE (S,G) IIF PKTS/S BITS/S PACKETS BYTES WRONG IDLE STATE OIFS".split(), "headings")
    rows = {tuple(w.strip("(,)") for w in line.split()[:2]): line.split()[2:] for line in lines[5:]}
    same(len(rows), 5, f"rows in {lines}")
    for flow, outs in ((CALM, ["a2", "a3"]), (IDLE, ["a2"]), (BUSY, ["a2"])):
        same([rows[flow][0], *rows[flow][5:6], *rows[flow][7:]], ["a1", "0", "learned", *outs], f"row of {flow}")
    same(len({line.index(" a1 ") for line in lines[5:] if " a1 " in line}), 1, "columns of IIF")
    rc, out, _ = d.ctl("-t", "top", "1")
    same((rc, len(out.splitlines())), (0, 5), "without headings")


@case("one flow is no flows")
def single(lab):
    d = Daemon(lab, "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\n")
    check("  1 flow  0 packets/s" in d.show("top", "1"), "title")


@case("-j: an object an interval; rates are what counters grew by in it, the busiest flow is the first")
def as_json(lab):
    d = start(lab)
    p = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "-j", "top", "1"], stdout=subprocess.PIPE, text=True)
    def flows():
        line = json.loads(p.stdout.readline())
        return line, {(r["source"], r["group"]): r for r in line["routes"]}
    before = flows()[1]
    lab.passes("a1", *BUSY, "a2", n=300)
    lab.passes("a1", *CALM, "a2", "a3", n=30)
    end = time.monotonic() + SLOW
    grown = 0
    while grown < 330:
        check(time.monotonic() < end, f"{grown} packets")
        line, now = flows()
        ms = round(line["interval"] * 1000)
        for key, r in now.items():
            packets, size = (r[k] - before[key][k] for k in ("packets", "bytes"))
            same((r["packets_per_sec"], r["bits_per_sec"]), (packets * 1000 // ms, size * 8000 // ms), f"of {key}")
            grown += packets if key in (BUSY, CALM) else 0
        same([r["bits_per_sec"] for r in line["routes"]],
             sorted((r["bits_per_sec"] for r in line["routes"]), reverse=True), "busiest first")
        same(line["packets_per_sec"], sum(r["packets_per_sec"] for r in line["routes"]), "all together")
        before = now
    same([now[CALM][k] for k in ("iif", "oifs", "state", "wrong_if")], ["a1", ["a2", "a3"], "learned", 0], "keys")
    p.stdout.close()
    same(p.wait(SLOW), 0, "status without a reader")


class Screen:
    """top on a terminal."""

    def __init__(self, d, *words, rows=10, columns=120, **env):
        self.master, self.slave = open_terminal()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before, self.got = termios.tcgetattr(self.slave), ""
        env = {**{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}, "TERM": "xterm", **env}
        self.proc = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "top", *words], stdin=self.slave,
                                     stdout=self.slave, stderr=subprocess.PIPE, env=env)

    def screens(self):
        """What was drawn so far: a list of lines each, the last one may be unfinished."""
        while select.select([self.master], [], [], 0)[0]:
            self.got += os.read(self.master, 65536).decode()
        return [s.replace("\x1b[K", "").replace("\r\n", "\n").split("\x1b[J")[0].splitlines()
                for s in self.got.split("\x1b[H")[1:] if "\x1b[J" in s]

    def wait(self, n):
        return wait_until(lambda: len(self.screens()) >= n and self.screens(), lambda: f"screens: {self.got!r}")

    def end(self, status, what):
        """It ends, and the terminal is as it was."""
        try:
            same(self.proc.wait(SLOW), status, f"status after {what}")
        except subprocess.TimeoutExpired:
            raise Failed(f"top goes on after {what}") from None
        same(termios.tcgetattr(self.slave), self.before, f"the terminal after {what}")
        self.screens()
        check(self.got.endswith("\x1b[J"), f"{self.got[-100:]!r}: the cursor is not below all")
        os.close(self.master)
        os.close(self.slave)
        return self.proc.stderr.read().decode()


@case("on a terminal: drawn anew, the busiest flows that fit; q, Ctrl-C and signals leave it as it was")
def screen(lab):
    d = start(lab)
    for i in range(9):
        d.do("add", "a1", f"10.1.9.{i}", "225.9.9.9", "a2")
    s = Screen(d, "1", rows=9)
    first = s.wait(1)[0]
    same(len(first), 8, f"lines of {first}")
    check(first[0].startswith("\x1b[1m") and " 14 flows " in first[0], f"title {first[0]!r}")
    check(first[1].startswith("\x1b[7mROUTE (S,G) ") and first[1].endswith("\x1b[0m"), f"headings {first[1]!r}")
    check(all(row.split()[3:5] == ["-", "-"] for row in first[2:]), f"no rates yet: {first}")
    mode = termios.tcgetattr(s.slave)[3]
    check(not mode & (termios.ICANON | termios.ECHO), "keys come one by one and unseen")
    # A narrower window, and other keys.
    fcntl.ioctl(s.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 30, 0, 0))
    os.write(s.master, b"xyz\r")
    n = len(s.screens())
    last = s.wait(n + 1)[-1]
    same([len(line.replace("\x1b[1m", "").replace("\x1b[7m", "").replace("\x1b[0m", "")) for line in last], [30] * 4,
         f"lines of {last}")
    os.write(s.master, b"q")
    same(s.end(0, "q"), "", "errors")
    for what, leave in (("Ctrl-C", lambda s: os.write(s.master, b"\x03")),
                        ("SIGTERM", lambda s: s.proc.send_signal(signal.SIGTERM)),
                        ("SIGINT", lambda s: s.proc.send_signal(signal.SIGINT))):
        s = Screen(d)
        s.wait(1)
        leave(s)
        same(s.end(0, what), "", "errors")
    s = Screen(d, "1", NO_COLOR="1")
    check("\x1b[1m" not in s.wait(1)[0][0] and "\x1b[7m" not in s.got, f"styles with NO_COLOR: {s.got!r}")
    os.write(s.master, b"q")
    s.end(0, "q")
    s = Screen(d, "86400")
    s.wait(1)
    same(d.stop(), 0, "exit status of the daemon")
    same(s.end(69, "the daemon's end"), "smcroutectl: the daemon has closed the connection\n", "errors")


@case("a name that a terminal would obey; no daemon; a batch")
def others(lab):
    name = "a\x1b[2Jb"
    lab.ip("link", "add", name, "type", "veth", "peer", "name", "b9")
    d = start(lab)
    d.do("add", "a1", "10.1.9.1", "225.9.9.9", "a+")
    s = Screen(d, "1")
    rows = s.wait(1)[0]
    check(any(r"a\x1b[2Jb" in row for row in rows) and "\x1b[2Jb" not in s.got, f"the name: {rows}")
    os.write(s.master, b"q")
    s.end(0, "q")
    line = lab.run("sh", "-c", '"$@" | head -n 1', "sh", *SMCROUTECTL, "-u", d.sock, "-j", "top", "1")[1]
    row = next(r for r in json.loads(line)["routes"] if r["group"] == "225.9.9.9")
    same((sorted(row["oifs"]), row["state"], row["idle_sec"]), (sorted(["a2", "a3", "a4", name]), "static", None),
         "the row in JSON")
    rc, out, err = d.ctl("-b", stdin="top\n")
    same((rc, out), (64, ""), f"top in a batch: {err}")
    d.sock = lab.path("nobody.sock")
    rc, out, err = d.ctl("top")
    same((rc, out), (69, ""), f"no daemon: {err}")


if __name__ == "__main__":
    main()
