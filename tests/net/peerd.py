# SPDX-License-Identifier: ISC
#
# The daemon of SMCRoute 2.x in a lab, where our client looks for it.
import os
import subprocess
import sys

from lab import SMCROUTECTL, Skip, check, child_setup, note, same, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tools"))
import peer  # noqa: E402

PHYINTS = "".join(f"phyint {i} enable\n" for i in ("a1", "a2", "a3", "a4"))
CONF = "mroute from a1 group 225.1.1.1 to a2\n"
SOCK = "/run/smcroute.sock"

# Before a case has a network of its own.
try:
    THEIRS, WHY = os.path.join(peer.find(), "smcrouted"), None
    VERSION = subprocess.run([THEIRS, "-v"], capture_output=True, text=True).stdout.split()[1]
except peer.Missing as e:
    THEIRS, WHY, VERSION = None, Skip(e), "0"


class Peer:
    """Its daemon, in the foreground, where our client looks for it."""

    def __init__(self, lab, conf=CONF):
        if WHY:
            raise WHY
        self.lab, self.log = lab, lab.path("peer.log")
        self.conf = lab.write("peer.conf", lab.MARKS + PHYINTS + conf)
        note(VERSION)
        with open(self.log, "w") as log:
            argv = [THEIRS, "-n", "-N", "-f", self.conf, "-P", lab.path("peer.pid"), "-l", "debug"]
            self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         preexec_fn=child_setup)
        wait_until(lambda: os.path.exists(SOCK) and self.ctl("show")[0] == 0, "the peer's daemon")

    def ctl(self, *words, **kw):
        return self.lab.run(*SMCROUTECTL, *words, **kw)

    def do(self, words):
        same(self.ctl(*words.split()), (0, "", ""), words)

    def says(self, words, status, *texts, **kw):
        """A command that fails; the daemon lives on."""
        rc, out, err = self.ctl(*words.split(), **kw)
        check(rc == status and not out and len(err.splitlines()) == 1 and all(t in err for t in texts),
              f"{words}: {rc} {out!r} {err!r}")
        same(self.proc.poll(), None, f"the peer's daemon after {words}")

