# SPDX-License-Identifier: ISC
#
# Clients that are silent, slow, lying or gone delay neither routing nor others.
import json
import os
import struct
import time

from cases import case, main
from lab import check, note, same, wait_until
from wire import connect, request

CONF = "mroute from a1 group 225.1.1.1 to a2\nmroute from a1 group ff2e::11 to a2\n"


def alive(lab, d, n):
    """Answers, and learns new flows."""
    start = time.monotonic()
    json.loads(d.show("-j", "show"))
    took = time.monotonic() - start
    lab.passes("a1", f"10.1.2.{n}", "225.1.1.1", "a2")
    lab.passes("a1", f"fd00:1::{n}", "ff2e::11", "a2")
    return took


@case("60 silent clients and a half-sent message")
def silent(lab):
    d = lab.daemon(CONF)
    clients = [connect(d.sock) for _ in range(60)]
    clients.append(connect(d.sock))
    clients[-1].send(request("a", "a1", "225.1.1.2", "a2")[:21])
    took = alive(lab, d, 1)
    note(f"measured: show among 60 silent clients and a half-sent message: {took * 1000:.1f} ms")
    for c in clients:
        c.close()
    alive(lab, d, 2)


@case("clients that vanish: before the answer, in the middle of a message, at once")
def vanish(lab):
    d = lab.daemon(CONF)
    for _ in range(50):
        for data in (request("s"), request("s")[:9], b"", request("s") * 50, request("a", "a1", "225.9.9.9", "a2")):
            c = connect(d.sock)
            c.send(data)
            c.close()
    alive(lab, d, 1)


@case("a client that never reads")
def deaf(lab):
    d = lab.daemon(CONF + "".join(f"mroute from a1 source 10.1.{i // 250}.{i % 250 + 1} group 225.2.2.2 to a2\n"
                                  for i in range(3000)))
    clients = [connect(d.sock) for _ in range(5)]
    for c in clients:
        c.setblocking(False)
        for _ in range(400):
            try:
                c.send(request("s"))
            except BlockingIOError:
                break
            except (BrokenPipeError, ConnectionResetError):
                break
    alive(lab, d, 1)


@case("lying and noisy clients")
def lying(lab):
    d = lab.daemon(CONF)
    body = request("s")[struct.calcsize("P"):]
    frames = [struct.pack("N", n) + body for n in (0, 3, 1 << 63, (1 << 64) - 1, 1 << 31, 17)]
    frames += [struct.pack("NHHxxxx", 40, ord("a"), 60000) + b"x" * 24,
               struct.pack("NHHxxxx", 26, ord("a"), 3) + b"x" * 10,
               struct.pack("NHHxxxx", 17, 0, 0) + b"\0", request("a", *["x"] * 4000), request("a", "x" * 60000),
               os.urandom(1 << 20), b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 4096]
    for frame in frames:
        c = connect(d.sock)
        c.setblocking(False)
        try:
            c.sendall(frame)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            pass
        c.close()
    alive(lab, d, 1)


@case("a frame that can come to nothing gets an answer, and the connection is closed")
def refused(lab):
    d = lab.daemon(CONF)
    for frame in (struct.pack("N", 3) + b"\0" * 13, struct.pack("N", 1 << 62) + b"\0" * 8):
        c = connect(d.sock)
        c.send(frame)
        got = b""
        while chunk := c.recv(4096):
            got += chunk
        check(got.rstrip(b"\0"), "no reason in the answer")


@case("the protocol of SMCRoute 2.4 to 2.6: one NUL for success, text and a NUL otherwise")
def old_protocol(lab):
    d = lab.daemon()
    c = connect(d.sock)
    for frame, want in ((request("a", "a1", "10.1.0.9", "225.7.7.7", "a4"), ("a1", ["a4"])),
                        (request("a", "a1", "10.1.0.9", "225.7.7.7", "a2"), ("a1", ["a2", "a4"])),
                        (request("r", "a1", "10.1.0.9", "225.7.7.7"), None)):
        c.send(frame)
        same(c.recv(4096), b"\0", "answer")
        same(lab.route("10.1.0.9", "225.7.7.7"), want, "route")
    c.send(request("r", "a1", "10.1.0.9", "225.7.7.7"))
    got = c.recv(4096)
    check(2 <= len(got) <= 255 and got.endswith(b"\0"), f"answer to a wrong request: {got!r}")
    c.send(request("s"))
    got = b""
    while not got.endswith(b"\0"):
        got += c.recv(65536)
    check(b"(10.1.0.250, 239.255.255.1)" in got and b"Kernel MFC Table_\n" in got, f"show: {got!r}")


@case("clients of 32 and of 64 bits, whichever the daemon has")
def both_words(lab):
    d = lab.daemon()
    for header, size in (("=IHH", 8), ("=QHH4x", 16)):
        for letter, want in (("a", ("a1", ["a3"])), ("r", None)):
            words = b"a1\0" b"10.1.0.9\0" b"225.7.7.7\0" + (b"a3\0" if want else b"") + b"\0"
            c = connect(d.sock)
            c.send(struct.pack(header, size + len(words), ord(letter), words.count(b"\0") - 1) + words)
            same(c.recv(4096), b"\0", "answer")
            same(lab.route("10.1.0.9", "225.7.7.7"), want, "route")
        # Our own client, whose answers are records: as many bytes on any machine.
        c = connect(d.sock)
        c.send(struct.pack(header, size + 7, ord("W"), 2) + b"\0ping\0\0")
        same(c.recv(4096), struct.pack("=c3xI", b"X", 1) + b"\0", "answer to ping")


@case("several requests at once are answered in order")
def pipelined(lab):
    d = lab.daemon()
    c = connect(d.sock)
    c.sendall(b"".join(request("a", "a1", f"10.1.0.{i}", "225.7.7.7", "a2") for i in range(1, 101))
              + request("a", "a1", "nonsense"))
    got = b""
    def complete():
        nonlocal got
        got += c.recv(65536)
        return len(got) > 102 and got.endswith(b"\0")
    wait_until(complete, "101 answers")
    same(got[:100], b"\0" * 100, "the first hundred")
    same(len(lab.mroutes("225.7.7.7")), 100, "routes")


@case("1,000 clients one after the other leave nothing behind")
def many(lab):
    d = lab.daemon(CONF)
    def open_files():
        return len(os.listdir(f"/proc/{d.proc.pid}/fd"))
    connect(d.sock).close()
    d.do("ping")
    before = open_files()
    for _ in range(1000):
        connect(d.sock).close()
    d.do("ping")
    wait_until(lambda: open_files() <= before, "descriptors as before")
    alive(lab, d, 1)


if __name__ == "__main__":
    main()
