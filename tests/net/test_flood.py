# SPDX-License-Identifier: ISC
#
# 200,000 spoofed sources: memory stays within what the cap allows, clients are
# answered, flows that have a rule are learned and forwarded meanwhile.
import os
import socket
import struct
import time

from cases import case, main
from lab import SLOW, check, child_setup, note, same, wait_until
from packet import flood

SOURCES = 200000
RULES = "mroute from a1 group 225.1.1.1 to a2\nmroute from a1 source 10.1.0.8 group 225.1.1.2 to a2\n"


def memory(d, what="VmRSS"):
    """Kilobytes."""
    with open(f"/proc/{d.proc.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(what + ":"))


def slab():
    """Kilobytes that the kernel cannot give back."""
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("SUnreclaim:"))


def answer(d):
    """Seconds to the end of the answer to a connection of its own, in SMCRoute's protocol."""
    words = b"interfaces\0\0"
    start = time.monotonic()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(2 * SLOW)
        s.connect(d.sock)
        s.send(struct.pack("NHH0P", struct.calcsize("NHH0P") + len(words), ord("s"), 1) + words)
        while not s.recv(65536).endswith(b"\0"):
            pass
    return time.monotonic() - start


def comes_through(lab, source, group):
    """Sends until a packet has come out of a2: one may find the kernel's buffers full."""
    sent = []
    def there():
        sent.append(lab.send("a1", source, group))
        lab.collect()
        return any(lab.arrived("a2", flow) for flow in sent)
    wait_until(there, f"a packet of {source} -> {group}")


def under(lab, d, group, learn):
    """Sends the flood and uses the daemon meanwhile: the slowest answer in seconds, and their number."""
    pid, took = os.fork(), []
    if not pid:
        child_setup()
        os._exit(flood(lab.senders["ha"], group, SOURCES))
    while not os.waitpid(pid, os.WNOHANG)[0]:
        took.append(answer(d))
        if learn:
            comes_through(lab, f"10.1.{64 + (len(took) >> 8)}.{len(took) & 255}", "225.1.1.1")
        comes_through(lab, "10.1.0.8", "225.1.1.2")
    d.do("ping")
    return max(took), len(took)


@case("200,000 sources to a group without a rule")
def unruled(lab):
    d = lab.daemon(RULES, "-c", "0", "-l", "info")
    before, kernel = memory(d), slab()
    worst, n = under(lab, d, "239.9.9.9", True)
    grown = memory(d, "VmHWM") - before
    states = [k["state"] for k in d.json("routes")["routes"]["kernel"]]
    check(30000 < states.count("blocked") <= 65536, f"{states.count('blocked')} blocked entries")
    note(f"measured: {SOURCES} spoofed sources: {grown} kB more in the daemon, {slab() - kernel} kB in the kernel, "
         f"the slowest of {n} requests answered in {worst * 1000:.0f} ms")
    if not os.environ.get("SANITIZE"):
        check(grown < 16 * 1024, f"the daemon grew by {grown} kB")
    lines = d.log().count("no rule for")
    check(lines <= 10, f"{lines} lines about blocked sources")
    d.do("flush")
    wait_until(lambda: len(lab.mroutes()) < 200, "the flush")


@case("200,000 sources to a group that has one: the cap holds, the rest of the rules go on")
def ruled(lab):
    d = lab.daemon(RULES + "mroute from a1 group 239.9.9.9 to a3\n", "-c", "0", "-M", "20000", "-l", "info")
    before, kernel = memory(d), slab()
    worst, n = under(lab, d, "239.9.9.9", False)
    grown = memory(d, "VmHWM") - before
    states = [k["state"] for k in d.json("routes")["routes"]["kernel"]]
    same(states.count("learned"), 20000, "learned entries")
    note(f"measured: {SOURCES} spoofed sources with a rule, cap 20,000: {grown} kB more in the daemon, "
         f"{slab() - kernel} kB in the kernel, the slowest of {n} requests answered in {worst * 1000:.0f} ms")
    check(slab() - kernel < 200 * 1024, "the kernel keeps packets of those that made room")
    if not os.environ.get("SANITIZE"):
        check(grown < 16 * 1024, f"the daemon grew by {grown} kB")
    lines = d.log().count("more than 20000 sources")
    check(0 < lines <= 10, f"{lines} lines about sources that made room")
    d.do("flush")
    lab.passes("a1", "10.1.9.9", "225.1.1.1", "a2")


if __name__ == "__main__":
    main()
