# SPDX-License-Identifier: ISC
#
# `kill PID; smcrouted -n`: the instance before is on its way out, and there is always a daemon in the end.  With
# numbers on the command line that is tried so many times with so many groups and entries:
#
#	test_successor.py TIMES MOST
import os
import random
import signal
import subprocess
import sys
import time

import cases
from cases import case, main
from lab import Daemon, check, same, wait_until

SIGNALS = signal.SIGTERM, signal.SIGINT, signal.SIGKILL


def config(n):
    """n groups and n entries, half of them of each family."""
    lines = []
    for i in range(n):
        if i % 2:
            lines += [f"mgroup from a1 group ff2e::{i:x}", f"mroute from a1 source fd00:1::9 group ff2e::1:{i:x} to a2"]
        else:
            lines += [f"mgroup from a1 group 225.2.{i >> 8}.{i & 255}",
                      f"mroute from a1 source 10.1.0.9 group 225.3.{i >> 8}.{i & 255} to a2"]
    return "\n".join(lines) + "\n"


def follow(lab, before, sig, n, name, *options):
    """Signals a daemon and starts the next one at once, as a shell would."""
    start = time.monotonic()
    os.kill(int(open(before.pid_file).read()), sig)
    d = Daemon(lab, lab.MARKS + config(n), ("-P", before.pid_file, "-u", before.sock, *options), name=name, ready=False)
    d.pid_file, d.sock = before.pid_file, before.sock
    wait_until(lambda: d.proc.poll() is not None or "started: " in d.log(), "the start", 60)
    took = time.monotonic() - start
    check(d.proc.poll() is None,
          lambda: f"after {sig.name} with {n} groups: exit {d.proc.returncode}: {d.log()[-2000:]}")
    same(before.wait(), -sig if sig == signal.SIGKILL else 0, "exit status of the one before")
    check("taken" not in d.log() and "refused" not in d.log(), lambda: d.log()[-2000:])
    d.do("ping")
    if "-k" not in options:
        same(open(d.pid_file).read(), f"{d.proc.pid}\n", "PID file")
    return d, took


def chain(lab, sizes):
    d = lab.daemon(config(sizes[0]))
    longest = 0.0
    for k, n in enumerate(sizes):
        d, took = follow(lab, d, SIGNALS[k % 3], n, f"next{k}")
        longest = max(longest, took)
        lab.passes("a1", "10.1.0.9", "225.3.0.0", "a2")
    print(f"# measured: {len(sizes)} successors with up to {max(sizes)} groups, ready after {longest:.2f} s at most")
    same(d.stop(), 0, "exit status")


@case("few groups and entries", 1, 2, 3)
@case("some", 50, 50, 50, 50, 50, 50)
@case("many", 1000, 1000, 1000)
def always(lab, *sizes):
    chain(lab, sizes)


@case("one that is told to end, and its keeper with it")
def with_keeper(lab):
    d = lab.daemon(config(50), "-k")
    for k in range(6):
        d, _ = follow(lab, d, SIGNALS[k % 2], 50, f"next{k}", "-k")
        lab.passes("a1", "10.1.0.9", "225.3.0.0", "a2")


@case("69 at once when the one before lives, with the socket and with the PID file alone")
def lives(lab):
    d = lab.daemon(config(50))
    start = time.monotonic()
    other = Daemon(lab, config(1), ("-P", d.pid_file, "-u", d.sock), name="other", ready=False)
    same(other.wait(), 69, "exit status")
    check(f"already running as pid {d.proc.pid}" in other.log(), other.log())
    other = Daemon(lab, config(1), ("-u", d.sock), name="third", ready=False)
    same(other.wait(), 69, "exit status")
    check("another instance answers on this socket" in other.log(), other.log())
    print(f"# measured: both after {time.monotonic() - start:.2f} s")
    d.do("ping")


@case("one that stands still is not waited for without end, and SIGTERM ends the waiting")
def stands_still(lab):
    d = lab.daemon(config(1))
    d.proc.send_signal(signal.SIGSTOP)
    first, second = (Daemon(lab, config(1), ("-P", d.pid_file, "-u", d.sock), name=n, ready=False) for n in "xy")
    wait_until(lambda: "waiting a little" in second.log(), "the waiting")
    same(second.stop(), 0, "exit status of the one that was asked to end")
    same(first.wait(), 69, "exit status of the other one")
    check(f"already running as pid {d.proc.pid}" in first.log(), first.log())
    d.proc.send_signal(signal.SIGCONT)
    d.do("ping")


@case("two at once after one that leaves: one daemon in the end")
def rivals(lab):
    d = lab.daemon(config(1000))
    d.proc.send_signal(signal.SIGTERM)
    two = [Daemon(lab, lab.MARKS + config(3), ("-P", d.pid_file, "-u", d.sock), name=n, ready=False) for n in "xy"]
    same(d.wait(), 0, "exit status of the one before")
    wait_until(lambda: any(r.proc.poll() is not None for r in two), "the end of one")
    lost, won = sorted(two, key=lambda r: r.proc.poll() is None)
    same((lost.proc.returncode, won.proc.poll()), (69, None), lost.log())
    won.sock = d.sock
    wait_until(lambda: "started: " in won.log(), "the start")
    won.do("ping")
    lab.passes("a1", "10.1.0.9", "225.3.0.0", "a2")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1].isdigit():
        times, most = map(int, sys.argv[1:])
        rnd = random.Random(16)
        cases.CASES = [("each time", chain, ([rnd.choice((1, 10, 100, most // 5, most)) for _ in range(times)],))]
        del sys.argv[1:]
    main()
