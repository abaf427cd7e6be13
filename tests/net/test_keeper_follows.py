# SPDX-License-Identifier: ISC
#
# The keeper and other programs: what it starts is the one on disk, it follows an upgrade, another one takes its place.
import os
import shutil
import signal
import sys

from cases import case, main
from heirs import FLOWS, children, daemons, kill, next_pid, pid_of, replace, start
from heirs import RULES as RULES_OF_A5
from lab import SLOW, SMCROUTE, check, gone, resting, same, wait_until
from reports import TO_IN, Wire, changes
from stream import Stream

RULES = RULES_OF_A5.replace("a5", "a1")


@case("the next daemon is the program on disk, a newer one too; where that is broken, or gone, the one in memory")
def on_disk(lab):
    program = lab.path("smcroute")
    shutil.copy2(SMCROUTE, program)
    sys.modules["lab"].SMCROUTED = [program, "smcrouted"]
    d = lab.daemon(RULES, "-k")
    d.do("-o", "x", "add", "a1", "225.8.8.8", "a2")
    lab.passes("a1", *FLOWS[0], "a2", "a3", n=2)
    replace(program, f'#!/bin/sh\necho "the new one: $*"\nexec {os.path.abspath(SMCROUTE)} smcrouted "$@"\n')
    kill(d)
    check("the new one: -n -i smcroute" in d.log(), "it is not the program on disk")
    lab.expect(lab.send("a1", *FLOWS[0], 5), "a2", "a3")
    replace(program, "#!/bin/sh\nexit 70\n")
    kill(d)
    check("3 deaths in a row before the daemon was ready: it is started with the program as it was" in d.log(),
          "what was given up")
    lab.expect(lab.send("a1", *FLOWS[0], 5), "a2", "a3")
    os.unlink(program)
    kill(d)
    lab.expect(lab.send("a1", *FLOWS[0], 5), "a2", "a3")
    check("225.8.8.8" in d.show("show", "config"), "what clients asked for")


@case("TERM before the keeper has heard that an upgrade is done: the new one ends")
def late_term(lab):
    d = lab.daemon(RULES, "-k")
    old = pid_of(d)
    # All that it has said so far has been read: the queue of one that stands still holds some ten messages.
    wait_until(lambda: "started: " in d.log() and resting(d.proc.pid), "the daemon and its keeper at rest")
    os.kill(d.proc.pid, signal.SIGSTOP)
    os.kill(old, signal.SIGUSR2)
    wait_until(lambda: pid_of(d) not in (0, old) and gone(old), "an upgrade")
    os.kill(d.proc.pid, signal.SIGTERM)
    os.kill(d.proc.pid, signal.SIGCONT)
    same(d.proc.wait(SLOW), 0, "exit status of the keeper")
    same(lab.mroutes(), {}, "routes")


def killed_keeper(d):
    """Kills the keeper, and waits until the daemon has said so."""
    d.proc.kill()
    d.proc.wait()
    wait_until(lambda: f"the keeper (pid {d.proc.pid}) has ended" in d.log(), "what the daemon says of it")


@case("the keeper itself is killed: the daemon goes on and says so once, and a new keeper takes over")
def orphan(lab):
    d = lab.daemon(RULES, "-k")
    d.do("-o", "x", "add", "a1", "225.8.8.8", "a2")
    for flow in FLOWS:
        lab.passes("a1", *flow, "a2", "a3", n=2)
    stream, pid = Stream(lab, "a1", FLOWS, 1000), pid_of(d)
    killed_keeper(d)
    # The next of an upgrade has none either, and is none.
    d.do("-o", "x", "join", "a1", "225.8.8.9")
    same(d.ctl("upgrade")[0], 0, "upgrade")
    pid = wait_until(lambda: pid_of(d) not in (0, pid) and pid_of(d), "the next one")
    d.do("ping")
    same(d.log().count("has ended"), 1, "what is said of the keeper")
    # A keeper that is killed in the middle of a takeover leaves one daemon behind, which knows.
    heir = start(lab, d, "-k", name="first")
    wait_until(lambda: children(heir.proc.pid), "its daemon")
    killed_keeper(heir)
    pid = wait_until(lambda: pid_of(d) not in (0, pid) and pid_of(d), "the one without a keeper")
    wait_until(lambda: daemons() == [pid], lambda: f"one daemon of {daemons()}")
    d.do("ping")
    heir = start(lab, d, "-k", name="second")
    pid = wait_until(lambda: pid_of(d) not in (0, pid) and pid_of(d), "the one with a keeper")
    wait_until(lambda: daemons() == sorted([heir.proc.pid, pid]), lambda: f"one daemon and its keeper of {daemons()}")
    wait_until(lambda: "started: " in heir.log(), "the start")
    kill(d)
    config = d.show("show", "config")
    check("225.8.8.8" in config and "225.8.8.9" in config, "what an owner asked for")
    stream.end()
    stream.expect("a2", "a3")
    same(heir.stop(), 0, "exit status of the keeper")
    same((daemons(), lab.mroutes()), ([], {}), "daemons and routes at the end")


@case("an upgrade, again and again: the keeper follows, and starts what dies then")
def upgrades(lab):
    d = lab.daemon(RULES, "-k")
    d.do("-o", "x", "join", "a1", "225.8.8.8")
    wire = Wire(lab)
    stream = Stream(lab, "a1", FLOWS[:2], 1000)
    seen = set()
    for _ in range(3):
        rc, out, err = d.ctl("upgrade")
        same((rc, err), (0, ""), "upgrade")
        seen.add(pid_of(d))
        wait_until(lambda: children(d.proc.pid) == [pid_of(d)], "the new one is the keeper's child")
        kill(d)
        seen.add(pid_of(d))
    same(len(seen), 6, "daemons")
    stream.end()
    stream.expect("a2", "a3")
    # What is left is left, though others have had sockets for it.
    d.do("-o", "x", "leave", "a1", "225.8.8.8")
    wait_until(lambda: TO_IN in changes(wire.read(), "225.8.8.8"), "the leave on the wire")
    d.proc.send_signal(signal.SIGUSR2)
    last = next_pid(d, pid_of(d))
    same(d.stop(), 0, "exit status")
    check(gone(last), "the daemon is still there")


if __name__ == "__main__":
    main()
