# SPDX-License-Identifier: ISC
#
# One daemon after the other, while packets flow: what has to hold whoever of them runs.
import contextlib
import os
import shutil
import signal
import socket
import struct

import lab as lab_module
from lab import SMCROUTE, SMCROUTED, Daemon, check, gone, same, wait_until
from member import member
from reports import LEAVE4, LEAVE6, Wire, changes, reports_twice
from stream import Stream

RULES = ("mroute from a5 source 10.1.0.2 group 225.1.2.3 to a2 a3\n"
         "mroute from a5 source fd00:1::2 group ff2e::123 to a2 a3\n"
         "mroute from a5 group 225.9.0.0/16 to a2 a3\nmroute from a5 group ff2e::9:0/112 to a2 a3\n"
         "mroute from a5 group 225.8.8.8 kernel to a2 a3\nmroute from a5 group ff2e::8:8 kernel to a2 a3\n"
         "mgroup from a5 group 225.1.2.3\nmgroup from a5 group ff2e::123\nphyint a5 mrdisc\n"
         "mgroup from a5 source 10.1.0.2 group 232.1.2.3\nmgroup from a5 source fd00:1::2 group ff3e::123\n")
FLOWS = (("10.1.0.2", "225.1.2.3"), ("fd00:1::2", "ff2e::123"), ("10.1.0.9", "225.9.1.1"), ("fd00:1::9", "ff2e::9:1"),
         ("10.1.0.7", "225.8.8.8"), ("fd00:1::7", "ff2e::8:8"))
GROUPS = "225.1.2.3", "ff2e::123", "232.1.2.3", "ff3e::123"
STRANGERS = "225.200.0.1", "ff2e::200:1"
OTHERS = "".join(f"mroute from a4 group 225.20.{i}.0/24 to a1\n" for i in range(10))


def pid_of(d):
    """The daemon's own pid, from its PID file; 0 = none."""
    try:
        with open(d.pid_file) as f:
            return int(f.read() or 0)
    except FileNotFoundError:
        return 0


def next_pid(d, old):
    """Until another process than pid `old` is the daemon and answers: its pid."""
    return wait_until(lambda: pid_of(d) not in (0, old) and d.ctl("ping")[0] == 0 and pid_of(d),
                      lambda: f"a daemon after pid {old}")


def kill(d, sig=signal.SIGKILL):
    """Has a daemon follow one that is killed: its pid."""
    old = pid_of(d)
    os.kill(old, sig)
    return next_pid(d, old)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def daemons():
    """Of this test: the programs of its network namespace, one of which is to be left."""
    found, here = [], os.readlink("/proc/self/ns/net")
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", errors="replace") as f:
            words = f.read().split("\0")
            if os.readlink(f"/proc/{name}/ns/net") == here and "-u" in words and not gone(name) and \
                    any(w.endswith("smcrouted") for w in words[:3]):
                found.append(int(name))
    return found


def program(lab):
    """A copy of the program in a folder of its own, that the next daemons of this case are and that may be replaced."""
    path = lab.path("bin/smcrouted")
    os.mkdir(lab.path("bin"))
    os.chmod(lab.dir, 0o755)
    shutil.copy(SMCROUTE, path)
    SMCROUTED[:] = [path]
    check(lab_module.SMCROUTED is SMCROUTED, "another list")
    return path


def replace(path, content, mode=0o755):
    """Another program there, as installers do it."""
    with open(path + ".new", "wb") as f:
        f.write(content.encode() if isinstance(content, str) else content)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)


def version_of(lab, path):
    return lab.run(path, "-v")[1].split()[1]


class Heirs:
    """A daemon whose place others take, six flows through it, and who listens at the input."""

    def __init__(self, lab, conf=RULES, *options, pps=1500, **kw):
        self.lab = lab
        # What the kernel reports of its own accord is over soon on a link that is made with this.
        for name in ("ipv4/conf/default/igmpv3", "ipv6/conf/default/mldv2"):
            lab.sysctl(f"{name}_unsolicited_report_interval", 10)
        lab.links("a5")
        self.wire = Wire(lab, "he")
        self.d = lab.daemon(conf, *options, **kw)
        for flow in FLOWS:
            lab.passes("a5", *flow, "a2", "a3", n=5)
        self.pid = pid_of(self.d)
        self.before = lab.mroutes()
        # The kernel repeats a report once (RFC 3376, 8.1), and reports what there is when it has an IPv6 address
        # (net/ipv6/mcast.c, ipv6_mc_dad_complete): all that is over when somebody else's is.
        wait_until(lambda: all(len(self.reports(g)) >= 2 for g in GROUPS), "the reports of the first joins")
        wait_until(lambda: "fe80" in lab.ip("-6", "addr", "show", "dev", "a5", "scope", "link", "-tentative"),
                   "an address of a5")
        for group in STRANGERS:
            with member("a5", group):
                reports_twice(self.wire, group, 0)
        self.heard = [len(self.reports(g)) for g in GROUPS]
        self.stream = Stream(lab, "a5", FLOWS, pps)

    def reports(self, group):
        return changes(self.wire.read(), group)

    def next(self):
        """Waits for the next daemon, and says that there is one alone which answers."""
        pid = wait_until(lambda: pid_of(self.d) not in (0, self.pid) and pid_of(self.d), "another PID")
        wait_until(lambda: gone(self.pid), "the end of the one before")
        self.pid = pid
        self.one()
        return pid

    def one(self):
        """Exactly one daemon, that of the PID file, behind the socket; packets are counted at the end."""
        wait_until(lambda: pid_of(self.d) == self.pid, lambda: f"PID {self.pid} in the file, not {pid_of(self.d)}")
        check(not gone(self.pid), "the daemon has ended")
        wait_until(lambda: self.d.ctl("ping")[0] == 0, "an answer to ping")
        same(daemons(), [self.pid], "daemons")
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.d.sock)
            peer = struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            same(peer[0], self.pid, "the process that clients see")

    def refuses(self, got, rc, *words):
        """What a program printed that was to take over, and with what it ended; and the one that runs goes on."""
        same(got[0], rc, f"exit status of {got}")
        for word in words:
            check(word in got[2], f"{word} in: {got[2]}")
        self.one()

    def end(self, silent=True):
        """Nothing was lost, nothing doubled, nothing but packets seen."""
        self.stream.end()
        sent = self.stream.expect("a2", "a3")
        same(self.lab.mroutes(), self.before, "routes")
        if silent:
            same([len(self.reports(g)) for g in GROUPS], self.heard, "reports on the wire")
            check(not any(m[0] in (LEAVE4, LEAVE6) for _, m, _ in self.wire.read()), "a leave on the wire")
        return sent


def start(lab, d, *options, conf=None, **kw):
    """Another one that takes the place of d, with its files."""
    if conf is None:
        with open(d.conf) as f:
            conf = f.read()
    heir = Daemon(lab, conf, ("-T", "-P", d.pid_file, "-u", d.sock, *options), name=kw.pop("name", "heir"),
                  ready=False, **kw)
    heir.pid_file, heir.sock = d.pid_file, d.sock
    return heir
