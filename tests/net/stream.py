# SPDX-License-Identifier: ISC
#
# A steady stream of numbered packets, sent beside whatever the test does.
import threading
import time

from lab import check
from packet import frame

ROOM = 1 << 20		# numbers that a stream may use


class Stream:
    """Flows in turn into iface of the router, pps packets a second in all, until end() or count."""

    def __init__(self, lab, iface, flows, pps, count=ROOM):
        self.lab, self.iface, self.flows, self.pps = lab, iface, flows, pps
        self.first, self.count, self.sent = lab.next, count, 0
        lab.next += ROOM
        self.tx = lab.senders[lab.host(iface)]
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        start = time.monotonic()
        while self.sent < self.count and not self.stop.is_set():
            due = min(self.count, int((time.monotonic() - start) * self.pps) + 1)
            for i in range(self.sent, due):
                self.tx.send(frame(*self.flows[i % len(self.flows)], 16, self.first + i))
                self.sent = i + 1
                if i % 100 == 0:		# before the buffers of the receivers are full
                    self.lab.collect()
            time.sleep(1 / self.pps)

    def running(self):
        self.lab.collect()
        return self.thread.is_alive()

    def end(self):
        self.stop.set()
        self.thread.join()

    def of(self, k):
        """The packets of flow number k so far, as lab.send() returns them."""
        return (*self.flows[k], 16, range(self.first + k, self.first + self.sent, len(self.flows)))

    def expect(self, *ifaces):
        """Each packet exactly once on each of ifaces and nowhere else; how many were sent."""
        check(self.sent, "nothing was sent")
        for k in range(len(self.flows)):
            self.lab.expect(self.of(k), *ifaces)
        return self.sent
