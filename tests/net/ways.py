# SPDX-License-Identifier: ISC
#
# The four ways in which one daemon follows another: start() gives the first one, follow() the next one in its place.
import os
import re
import signal

from heirs import next_pid, pid_of
from holder import Holder
from lab import CAP_NET_ADMIN, CAP_NET_RAW, PR_CAPBSET_DROP, Daemon, same, sys_call, wait_until

NO_RIGHTS = (CAP_NET_ADMIN, CAP_NET_RAW)


class Way:
    def __init__(self, lab, conf, *options):
        self.lab, self.conf, self.options = lab, conf, options

    def start(self):
        return self.lab.daemon(self.conf, *self.options, seconds=60)


def changes(d):
    """What each daemon that has started says that it did to the kernel's entries: [(added, changed, removed)]."""
    return [tuple(map(int, n)) for n in
            re.findall(r"kernel entries: (\d+) added, (\d+) changed, (\d+) removed", d.log())]


class Store(Way):
    """A supervisor with a store starts the daemon again, which was told to end or killed."""

    def start(self):
        self.store, self.turn = Holder(self.lab), 0
        return self.store.start(self.lab.MARKS + self.conf, *self.options, seconds=60)

    def follow(self, d):
        self.turn += 1
        self.store.end(d, signal.SIGKILL if self.turn % 2 else signal.SIGTERM)
        return self.store.start(self.lab.MARKS + self.conf, *self.options, drop=NO_RIGHTS, seconds=60)


class Keeper(Way):
    """The daemon is killed under its keeper."""

    def start(self):
        return self.lab.daemon(self.conf, "-k", *self.options, seconds=60)

    def follow(self, d):
        pid = pid_of(d)
        os.kill(pid, signal.SIGKILL)
        next_pid(d, pid)
        return d


class Upgrade(Way):
    """Its program is run anew; after -p in the same process."""

    def follow(self, d):
        rc, out, err = d.ctl("upgrade")
        same((rc, err), (0, ""), "upgrade")
        pid = int(re.findall(r"\d+", out.rpartition(", pid ")[2])[-1])
        wait_until(lambda: pid_of(d) == pid and d.ctl("ping")[0] == 0, f"a daemon with pid {pid}")
        return d


class Takeover(Way):
    """A new process, without any right of its own, takes its place and has its files."""

    def follow(self, d):
        def setup():
            for cap in NO_RIGHTS:
                sys_call("prctl", PR_CAPBSET_DROP, cap, 0, 0, 0)
        heir = Daemon(self.lab, self.lab.MARKS + self.conf, ("-T", *self.options), ready=False, setup=setup)
        wait_until(lambda: pid_of(d) == heir.proc.pid or heir.proc.poll() is not None, "its pid in the PID file", 60)
        same((d.wait(), heir.proc.poll()), (0, None), "exit status of the one before, and of the new one")
        self.lab.procs.remove(d)
        return heir


WAYS = Store, Keeper, Upgrade, Takeover
