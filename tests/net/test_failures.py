# SPDX-License-Identifier: ISC
#
# Two in a hundred of all calls of the system and of all pieces of memory that a daemon asks for fail (tools/fail.c),
# while what may happen to it does (soak.py): it neither ends nor hangs, and when nothing fails any more, after the next
# event, the kernel has what `show` says, and both what the rules mean.
#
#	make failures [FAIL_SECONDS=300] [SEED=N]
import collections
import mmap
import os
import signal
import struct
import time

import soak
from cases import case, main
from lab import SMCROUTED, Lab, Skip, check, note

FAIL = os.path.abspath(os.environ.get("B", "build") + "/tests/fail.so")
SECONDS = int(os.environ.get("FAIL_SECONDS", "6"))
PERMILLE = 20


class Failures:
    """What tools/fail.c shares with the daemon."""

    def __init__(self, path):
        with open(path, "w+b") as f:
            f.write(struct.pack("4I", 0, soak.SEED % 2 ** 32 | 1, 0, 0))
            f.flush()
            self.map = mmap.mmap(f.fileno(), 16)

    def set(self, permille):
        self.map[:4] = struct.pack("I", permille)

    def counts(self):
        return struct.unpack("4I", self.map[:])[2:]


class Failing(soak.Soak):
    """What is asked for may be done or not; `show config` tells then."""

    def __init__(self, lab):
        self.failures = Failures(lab.path("fail"))
        super().__init__(lab, ("env", f"LD_PRELOAD={FAIL}", f"FAIL={lab.path('fail')}"))
        self.statuses = collections.Counter()

    def start(self, wrap):
        return self.lab.daemon(soak.KERNEL, "-l", "info", "-M", "3000", wrap=wrap)

    def expect(self, status, *words):
        rc = self.d.ctl(*words)[0]
        check(self.d.proc.poll() is None, lambda: f"it has ended: {self.d.proc.poll()}")
        self.statuses[rc] += 1

    def in_force(self):
        """Rules as the daemon tells them."""
        rules = {}
        for words in map(str.split, self.d.show("show", "config").splitlines()):
            if words[:1] != ["mroute"] or "kernel" in words:
                continue
            outputs = set(words[words.index("to") + 1:]) if "to" in words else set()
            source = words[words.index("source") + 1] if "source" in words else None
            key = self.rules.key(words[words.index("from") + 1], source, words[words.index("group") + 1])
            rules.setdefault(key, set()).update(outputs)
        return {key: outputs for key, outputs in rules.items() if str(key[2][0]) not in (Lab.MARK[1], Lab.MARK_BACK[1])}

    def rest(self):
        self.failures.set(0)
        # The next event.
        self.lab.run("ip", "link", "add", "event", "type", "dummy")
        self.lab.run("ip", "link", "del", "event")
        self.rules.config, self.rules.client = self.in_force(), {}
        super().rest()
        # Nor does it spin: what is due now and then takes a few calls, a loop without a rest a hundred thousand.
        before = self.failures.counts()[0]
        time.sleep(0.2)
        check(self.failures.counts()[0] < before + 5000, "it spins")
        self.failures.set(PERMILLE)

    def run(self):
        actions = {"command": 40, "join": 8, "reload": 8, "storm": 8, "flows": 15, "flood": 2, "rubbish": 8, "show": 8,
                   "flush": 2}
        end = time.monotonic() + SECONDS
        self.failures.set(PERMILLE)
        while time.monotonic() < end or self.failures.counts()[1] < 100:
            self.act(actions)
        self.rest()
        self.failures.set(0)
        calls, failed = self.failures.counts()
        note(f"measured: seed {soak.SEED}: {calls} calls, {failed} failed; {dict(self.statuses)}; "
             f"{', '.join(f'{n} {what}' for what, n in sorted(self.done.items()))}")


@case("two in a hundred of all calls and pieces of memory fail")
def fails(lab):
    if os.environ.get("SANITIZE") or not os.path.exists(FAIL):
        raise Skip("nothing can be loaded before a sanitizer" if os.environ.get("SANITIZE") else f"no {FAIL}")
    with open(SMCROUTED[0], "rb") as f:
        if b"/ld-linux" not in f.read(4096):	# the path of glibc's loader
            raise Skip("only for a program that glibc's loader starts")
    signal.alarm(SECONDS + 200)
    Failing(lab).run()


if __name__ == "__main__":
    main()
