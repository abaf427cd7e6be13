# SPDX-License-Identifier: ISC
#
# A flood of made-up sources on a1 fills all entries there may be (-M), and goes on at some 2,000 a second: new
# sources on a2 and a3 have their entries at once and lose no packet, a flow in use on a1 neither.
import contextlib
import os
import signal
import time

from cases import case, main
from lab import check, child_setup, note, same, wait_until
from packet import frame

RULES = "".join(f"mroute from a1 group {prefix}:1 to a4\nmroute from a2 group {prefix}:2 to a4\n"
                f"mroute from a3 group {prefix}:3 to a4\n".replace(":", ":" if ":" in prefix else ".")
                for prefix in ("225.9.9", "ff2e:"))
NEW = 50		# sources on each of a2 and a3


def sources(group):
    """Sources that are made up, without end."""
    for i in range(1 << 24):
        yield (f"fd66::{i >> 16:x}:{i & 0xffff:x}" if ":" in group else f"11.{i >> 16}.{i >> 8 & 255}.{i & 255}")


@contextlib.contextmanager
def flood(lab, group, fill):
    """One packet from each source: the first ones as fast as can be, 20 each hundredth of a second then."""
    pid = os.fork()
    if not pid:
        child_setup()
        tx = lab.senders["ha"]
        for i, source in enumerate(sources(group)):
            tx.send(frame(source, group, 16, 0xFFFFFFFF))
            if i > fill and i % 20 == 0:
                time.sleep(0.01)
        os._exit(0)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def learned(d):
    """Learned entries of each interface."""
    return {i["name"]: i["learned"] for i in d.json("interfaces", "-d")["interfaces"] if i["name"][0] == "a"}


@case("65,536 sources on a1, and no end", 65536, "225.9.9.%d", "10.%d.7.%d")
@case("2,000 sources on a1, and no end, IPv6", 2000, "ff2e::%d", "fd00:%d::7:%d")
def flooded(lab, most, group, source):
    d = lab.daemon(RULES, "-c", "0", "-l", "info", "-M", str(most))
    used = (source % (1, 1), group % 1)
    lab.passes("a1", *used, "a4", n=10)
    with flood(lab, group % 1, most):
        def is_full():
            lab.collect()	# what comes out of a4 shall not fill that socket
            return "option -M" in d.log() and sum(learned(d).values()) == most
        wait_until(is_full, lambda: f"{most} entries: {learned(d)}", 120)
        new, on = [], []
        for i in range(NEW):
            for n in (2, 3):
                new.append(lab.send(f"a{n}", source % (n, i + 1), group % n))
            on.append(lab.send("a1", *used, n=4, every=0.002))
        for flow in new + on:
            lab.wait(flow, "a4")
    lab.mark()
    same([lab.arrived("a4", flow) for flow in new + on], [1] * len(new) + [4] * len(on), "packets that came out of a4")
    have = lab.mroutes()
    same([flow[:2] for flow in new if flow[:2] not in have], [], "sources on a2 and a3 without an entry")
    same(lab.counted(*used), 10 + 4 * NEW, "packets that the entry in use has counted since its beginning")
    check(sum(learned(d).values()) <= most, lambda: f"{learned(d)} entries, and {most} were to be")
    lines = [line for line in d.log().splitlines() if "option -M" in line]
    check(len(lines) <= 3 and "on a1" in lines[0], f"{lines[:5]}")
    note(f"measured: {learned(d)} entries, {len(new)} of {len(new)} new sources learned")


if __name__ == "__main__":
    main()
