# SPDX-License-Identifier: ISC
#
# Whoever may use the socket keeps the daemon as busy as can be, and the first packet of a new source still comes
# through about as fast as ever; afterwards memory is what it was.  The daemon's own time counts, and ratios of it: how
# long the machine has others run says nothing of the daemon.
import os
import selectors
import signal
import statistics
import time

from cases import case, main
from lab import Failed, SLOW, check, child_setup, gone, note, same, wait_until
from packet import address, find, flood, frame
from wire import connect, request

ENTRIES = 60000
CLIENTS = 200
FLOWS = 200
RULES = "mroute from a1 group 225.1.0.0/16 to a2\nmroute from a1 group 225.3.0.0/16 to a2\n"


def memory(d):
    """Kilobytes that are the daemon's alone."""
    with open(f"/proc/{d.proc.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon:"))


def used(d):
    """Nanoseconds for which the daemon has run: its clock for clock_gettime(2)."""
    return time.clock_gettime_ns((~d.proc.pid << 3) | 2)


def learn(lab, d):
    """Has the daemon learn the entries: what did not fit into the kernel's buffers is sent again."""
    for _ in range(20):
        flood(lab.senders["ha"], "225.1.1.1", ENTRIES)
        d.do("ping")
        with open("/proc/net/ip_mr_cache", "rb") as f:
            have = f.read().count(b"\n")
        if have > ENTRIES:
            return
    raise Failed(f"{have} entries")


class Busy:
    """A process with many connections, each of which sends its next request when it has its answer."""

    def __init__(self, d, requests):
        """requests(i): what connection i asks for, over and over."""
        r, w = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            child_setup()
            os.close(r)
            try:
                self.run(d, requests, w)
            finally:
                os._exit(1)
        os.close(w)
        self.told = r
        # Each has had answers: all are at work.
        same(os.read(r, 1), b"!", "what the clients say")

    @staticmethod
    def run(d, requests, told):
        ready, answered = selectors.DefaultSelector(), [0] * CLIENTS
        waits = CLIENTS
        for i in range(CLIENTS):
            s = connect(d.sock)
            asks = [request("W", "", *words) for words in requests(i)]
            ready.register(s, selectors.EVENT_READ, (i, asks))
            s.send(asks[0])
        while True:
            for key, _ in ready.select():
                i, asks = key.data
                data = key.fileobj.recv(65536)
                if not data:
                    return
                if data[-9:-8] != b"X":
                    continue
                answered[i] += 1
                if answered[i] == 4:
                    waits -= 1
                    if not waits:
                        os.write(told, b"!")
                key.fileobj.send(asks[answered[i] % len(asks)])

    def stop(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.told)


def look_first(first):
    """To run before all others: who comes late to a clock counts what the daemon does meanwhile for its clients.  False
    where that needs a right that we lack."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO if first else os.SCHED_OTHER, os.sched_param(1 if first else 0))
    except PermissionError:
        return False
    return True


def first_packets(lab, d, net):
    """Seconds to the arrival of the first packet of new sources, and what of that the daemon ran: medians and worst."""
    look_first(True)
    try:
        return time_first_packets(lab, d, net)
    finally:
        look_first(False)


def time_first_packets(lab, d, net):
    rx, wall, ran = lab.receivers["hb"], [], []
    with selectors.DefaultSelector() as ready:
        ready.register(rx, selectors.EVENT_READ)
        for i in range(FLOWS):
            source, group = f"10.1.{net}.{i}", "225.3.3.3"
            packet, key = frame(source, group, 16, i), (address(source), address(group), 15, i)
            start, before = time.monotonic(), used(d)
            lab.senders["ha"].send(packet)
            while find(rx.recv(2048) if ready.select(SLOW) else b"") != key:
                check(time.monotonic() - start < SLOW, f"a packet of {source}")
            ran.append((used(d) - before) / 1e9)
            wall.append(time.monotonic() - start)
    return [statistics.median(wall), max(wall), statistics.median(ran), max(ran)]


def attack(lab, requests):
    """Compares what new sources see with busy clients and without them, the best of three times: what else runs on the
    machine can only make it longer."""
    d = lab.daemon(RULES, "-c", "0", "-l", "info")
    learn(lab, d)
    d.do("add", "a1", "225.8.8.8", "a3")	# what is made once
    lab.collect()
    # Who cannot look first compares with the longest quiet wait.
    before, quiet, which = memory(d), first_packets(lab, d, 100), 2 if look_first(True) else 3
    look_first(False)
    for net in range(101, 104):
        clients = Busy(d, requests)
        busy = first_packets(lab, d, net)
        clients.stop()
        note("measured: first packet of a new source, quiet and busy, milliseconds: "
             + ", ".join(f"{what} {a * 1e3:.2f} {b * 1e3:.2f}" for what, a, b in
                         zip(("median", "worst", "median of the daemon's time", "worst"), quiet, busy)))
        if os.environ.get("SANITIZE") or busy[2] <= 10 * quiet[which]:
            break
    d.do("remove", "a1", "225.8.8.8")
    note(f"measured: memory {before} kB before, {memory(d)} kB after")
    if os.environ.get("SANITIZE"):		# which keeps what was freed, and looks at each byte that is copied
        return
    check(busy[2] <= 10 * quiet[which], f"{busy[2] / quiet[which]:.1f} times as long with {CLIENTS} clients")
    check(memory(d) <= before * 1.1, f"{memory(d)} kB, {before} kB before the attack")


@case(f"{CLIENTS} clients that add and remove (*,G) rules beside {ENTRIES:,} entries")
def rules(lab):
    attack(lab, lambda i: [(verb, "a1", f"226.0.0.{i}", "a3") for verb in ("add", "remove")])


@case(f"{CLIENTS} clients whose rules have all {ENTRIES:,} entries looked at")
def wide(lab):
    attack(lab, lambda i: [(verb, "a1", f"225.0.0.0/{8 + i % 8}", "a3") for verb in ("add", "remove")])


@case(f"{CLIENTS} clients that change all {ENTRIES:,} entries")
def change(lab):
    attack(lab, lambda i: [(verb, "a1", "225.1.0.0/16", "a3") for verb in ("add", "remove")])


@case(f"{CLIENTS} busy clients: a reload, an upgrade and SIGTERM in the middle of their edits")
def in_between(lab):
    d = lab.daemon(RULES, "-l", "info")
    clients = Busy(d, lambda i: [(verb, "a1", f"226.0.{i}.0/24", "a3") for verb in ("add", "remove")])
    d.write(RULES + "mroute from a1 group 225.4.4.4 to a4\n")
    same(d.ctl("reload")[::2], (0, ""), "reload")
    lab.passes("a1", "10.1.0.4", "225.4.4.4", "a4")
    d.do("-o", "me", "add", "a1", "225.5.5.5", "a4")
    same(d.ctl("upgrade")[::2], (0, ""), "upgrade")
    wait_until(lambda: d.proc.poll() is not None, "the end of the old one")
    lab.passes("a1", "10.1.0.5", "225.5.5.5", "a4")
    clients.stop()
    clients = Busy(d, lambda i: [("show",), ("add", "a1", f"226.0.{i}.0/24", "a3")])
    with open(d.pid_file) as f:
        pid = int(f.read())
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: gone(pid), "its end")
    clients.stop()


if __name__ == "__main__":
    main()
