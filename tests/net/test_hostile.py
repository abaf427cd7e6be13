# SPDX-License-Identifier: ISC
#
# Whatever is at the other end: clients that want to wear the daemon out, and for
# our own client daemons that are none.
import errno
import json
import os
import resource
import socket
import subprocess
import threading
import time

from cases import case, main
from lab import Failed, SMCROUTECTL, check, naps, note, same, wait_until
from packet import address
from refuse import refuse
from reports import igmp
from wire import connect, records, request

CONF = "mroute from a1 group 225.1.1.1 to a2\n"
MANY = "".join(f"mroute from a1 source 10.9.{i // 250}.{i % 250 + 1} group 225.2.2.2 to a2\n" for i in range(5000))
SANITIZED = bool(os.environ.get("SANITIZE"))


def rss(d):
    """Resident memory of the daemon in KiB."""
    with open(f"/proc/{d.proc.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def open_files(d):
    return len(os.listdir(f"/proc/{d.proc.pid}/fd"))


def answers(lab, d, what):
    """Somebody else is served meanwhile, and new flows are learned."""
    took = []
    for _ in range(5):
        start = time.monotonic()
        d.do("ping")
        took.append(time.monotonic() - start)
    note(f"measured: ping with {what}: {sorted(took)[2] * 1000:.1f} ms")
    lab.passes("a1", "10.1.0.77", "225.1.1.1", "a2")


@case("400 clients, silent or in the middle of a message: the last comer is served")
def crowd(lab):
    d = lab.daemon(CONF)
    d.do("ping")
    before = open_files(d)
    clients = []
    for i in range(400):
        c = connect(d.sock)
        if i % 2:
            c.send(request("s")[:11])
        clients.append(c)
    answers(lab, d, "400 idle clients")
    check(open_files(d) <= before + 260, f"{open_files(d)} descriptors")
    for c in clients:
        c.close()
    wait_until(lambda: open_files(d) <= before, "descriptors as before")


@case("clients that use up the descriptors")
def descriptors(lab):
    d = lab.daemon(CONF)
    limit = max(map(int, os.listdir(f"/proc/{d.proc.pid}/fd"))) + 12
    resource.prlimit(d.proc.pid, resource.RLIMIT_NOFILE, (limit, limit))
    clients = [connect(d.sock) for _ in range(60)]
    answers(lab, d, "no descriptor left")
    for c in clients:
        c.close()


@case("clients that ask for much and read nothing: memory is bounded, and given back")
def deaf(lab):
    d = lab.daemon(CONF + MANY)
    json.loads(d.show("-dj", "show"))
    before = rss(d)
    clients = [connect(d.sock) for _ in range(20)]
    for c in clients:
        c.setblocking(False)
        try:
            c.send(request("S") * 200 + request("J") * 200)
        except BlockingIOError:
            pass
    answers(lab, d, "20 clients that do not read")
    full = rss(d)
    check(SANITIZED or full < before + 96 * 1024, f"{full} KiB with deaf clients, {before} before")
    for c in clients:
        c.close()
    d.do("ping")
    wait_until(lambda: SANITIZED or rss(d) < before + 4096, "memory as before")


@case("one that floods with requests leaves room for others")
def flood(lab):
    d = lab.daemon(CONF)
    stop = threading.Event()

    def run():
        c = connect(d.sock)
        c.setblocking(False)
        data = request("W", "", "ping") * 500
        while not stop.is_set():
            for turn in (lambda: c.send(data), lambda: c.recv(65536)):
                try:
                    turn()
                except BlockingIOError:
                    pass
                except (BrokenPipeError, ConnectionResetError):
                    # A send that was cut short has broken the frames: start again.
                    c.close()
                    c = connect(d.sock)
                    c.setblocking(False)
        c.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        answers(lab, d, "two clients that flood")
    finally:
        stop.set()
        for t in threads:
            t.join()


@case("a monitor that does not read loses events, and is told how many")
def monitor(lab):
    d = lab.daemon(CONF + MANY.replace("from a1", "from a4+"))
    deaf, other = connect(d.sock), connect(d.sock)
    deaf.send(request("W", "-j", "monitor"))
    other.send(request("W", "", "monitor"))
    d.do("ping")
    # Each rule of a4 tells that it waits, and that it does no more.
    for state in ("off", "on") * 2:
        lab.ip("link", "set", "a4", "multicast", state)
        d.do("ping")
    answers(lab, d, "a monitor that does not read")

    def lines(c, end):
        """What a monitor got until `end` is in it."""
        got = b""
        while end not in got[-4096:]:
            got += c.recv(1 << 20)
        for kind, text in records(got):
            same(kind, "R", "type of a record")
            yield from text.decode().splitlines()

    def told(line):
        return json.loads(line)["count"] if line.startswith("{") else int(line.split()[3])
    heard = [list(lines(c, b"dropped")) for c in (deaf, other)]
    lost = [sum(told(line) for line in got if "dropped" in line) for got in heard]
    check(all(lost), f"{lost} events are told as dropped")
    check(all(json.loads(line)["time"] > 1e9 for line in heard[0]), "time")
    same(len(heard[0]) + lost[0], len(heard[1]) + lost[1], "events of both")
    # And again all that happens.
    lab.passes("a1", "10.1.0.78", "225.1.1.1", "a2")
    for c in (deaf, other):
        check(any("10.1.0.78" in line for line in lines(c, b"10.1.0.78")), "the event afterwards")


def impostor(lab, serve):
    """A listener that is no daemon of ours: serve(connection) answers each client."""
    path = lab.path("impostor.sock")
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(5)

    def run():
        c, _ = s.accept()
        with c:
            serve(c)
        s.close()
    threading.Thread(target=run, daemon=True).start()
    return path


@case("daemons that are none: garbage, half an answer, silence and the end", b"HTTP/1.0 400\r\n\r\n" * 100)
@case("daemons that are none: garbage, half an answer, silence and the end", b"R\0\0\0\xff\xff\xff\xffabc")
@case("daemons that are none: garbage, half an answer, silence and the end", b"X\0\0\0\2\0\0\0\0\0")
@case("daemons that are none: garbage, half an answer, silence and the end", b"")
def no_daemon(lab, reply):
    def serve(c):
        c.recv(1000)
        if reply:
            c.send(reply)
    path = impostor(lab, serve)
    rc, out, err = lab.run(*SMCROUTECTL, "-u", path, "show")
    same((rc, len(err.splitlines())), (69, 1), f"status and lines of {err!r}")
    os.unlink(path)


@case("-w waits for the daemon; without one it is named what else answers")
def wait_for(lab):
    path = lab.path("late.sock")
    p = subprocess.Popen([*SMCROUTECTL, "-u", path, "-w", "60", "ping"])
    wait_until(lambda: p.poll() is not None or naps(p.pid) > 5, "a client that tries again and again")
    check(p.poll() is None, "did not wait")
    d = lab.daemon(CONF, name="late")
    same(d.sock, path, "path")
    same(p.wait(60), 0, "status")
    rc, _, err = lab.run(*SMCROUTECTL, "-u", lab.path("none.sock"), "ping")
    same(rc, 69, "status")
    check(lab.path("none.sock") in err and path in err and err.count("\n") == 1, f"{err!r}")


@case("a client that finds no daemon leaves other programs' sockets alone, and does not wait for their files")
def strangers(lab):
    def beside(name):
        s = socket.socket(socket.AF_UNIX)
        s.bind(lab.path(name))
        s.listen(5)
        s.setblocking(False)
        return s
    alone, piped, other, lying, asked = map(beside, ("alone.sock", "pipe.sock", "other.sock", "lying.sock",
                                                     "smcroute-x.sock"))
    os.mkfifo(lab.path("pipe.pid"))
    lab.write("other.pid", f"{os.getpid()}\n")
    lab.write("lying.pid", "smcrouted\n")
    rc, _, err = lab.run(*SMCROUTECTL, "-u", lab.path("none.sock"), "ping")
    same(rc, 69, f"status, {err}")
    for s in (alone, piped, other, lying):
        try:
            s.accept()
        except BlockingIOError:
            continue
        raise Failed(f"it connected to {s.getsockname()}")
    # By its name it may be a daemon of ours; the peer is asked who it is.
    asked.accept()
    check("smcroute-x" not in err, err)


def sockets(pid, table, protocol):
    """The descriptors of a process that are in a table of /proc/net, by the last digits of the second word."""
    with open(f"/proc/net/{table}") as f:
        inodes = {w[9] if table.startswith("raw") else w[6] for w in map(str.split, f) if w[1].endswith(protocol)}
    links = {int(n): os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")}
    return sorted(n for n, to in links.items() if to.startswith("socket:[") and to[8:-1] in inodes)


def is_not_busy(d, pid, what):
    wait_until(lambda: what in d.log(), "the error")
    before = naps(pid)
    # Somebody who spins never has to wait.
    wait_until(lambda: naps(pid) > before + 3, "naps of the daemon")
    check(d.log().count(what) < 10, d.log())
    d.do("ping")


@case("a routing socket that fails again and again does not keep the daemon busy")
def sick_socket(lab):
    refuse("recvmmsg", errno.EIO, {})
    d = lab.daemon("mroute from a1 group 225.1.1.0/24 to a2\n")
    lab.send("a1", "10.1.0.9", "225.1.1.1")
    is_not_busy(d, d.proc.pid, "routing socket")
    same(d.stop(), 0, "exit status")


@case("nor does the socket of queries", 0x11, "query socket")
@case("nor does that of router discovery", 0x31, "router discovery socket")
def sick_neighbours(lab, kind, what):
    conf = "mroute from a1 group 225.1.1.0/24 to a2\nphyint a1 mrdisc refresh\nmgroup from a1 group 225.1.1.1\n"
    d = lab.daemon(conf)
    raw = sockets(d.proc.pid, "raw", ":0002")
    check(len(raw) > 2, f"raw sockets of IGMP: {raw}")
    same(d.stop(), 0, "exit status")
    # The routing socket is read by another call.
    for fd in raw:
        refuse("recvmsg", errno.EIO, {0: fd})
    d = lab.daemon(conf)
    same(sockets(d.proc.pid, "raw", ":0002"), raw, "its descriptors")
    lab.senders["ha"].send(igmp(kind, bytes(4), address("10.1.0.9"), address("224.0.0.1"), 100))
    is_not_busy(d, d.proc.pid, what)
    same(d.stop(), 0, "exit status")


@case("nor does the socket that clients come by")
def sick_listener(lab):
    refuse("accept4", errno.EIO, {})
    d = lab.daemon("")
    waiting = connect(d.sock)
    wait_until(lambda: "control: accept" in d.log(), "the error")
    before = naps(d.proc.pid)
    wait_until(lambda: naps(d.proc.pid) > before + 3, "naps of the daemon")
    check(d.log().count("control: accept") < 10, d.log())
    waiting.close()
    same(d.stop(), 0, "exit status")


@case("nor does the keeper's keep that busy")
def sick_keeper(lab):
    d = lab.daemon("", "-k")
    ours = sockets(d.proc.pid, "unix", "")
    same(d.stop(), 0, "exit status")
    for fd in ours:
        refuse("recvmsg", errno.EIO, {0: fd})
    d = lab.daemon("", "-k")
    same(sockets(d.proc.pid, "unix", ""), ours, "its descriptors")
    # What the daemon says is there to be read, and cannot be.
    before = naps(d.proc.pid)
    wait_until(lambda: naps(d.proc.pid) > before + 3, "naps of the keeper")
    same(d.stop(), 0, "exit status")


@case("what a client has the daemon do again and again is logged at a limited rate")
def noisy_client(lab):
    d = lab.daemon("mroute from a1 group 225.1.1.0/24 to a2\n")
    rc, _, err = d.ctl("-b", stdin="reload\n" * 200)
    same((rc, err), (0, ""), "200 reloads")
    lines = d.log().count("reloaded: ")
    check(5 < lines < 100, f"{lines} lines of 200 reloads")
    same(d.stop(), 0, "exit status")
    # What is missing is tried again by each.
    missing = lab.path("none/d.pid")
    d = lab.daemon("mroute from a1 group 225.1.1.0/24 to a2\n", "-P", missing, ready=False)
    wait_until(lambda: d.ctl("ping")[0] == 0, "the daemon")
    rc, _, err = d.ctl("-b", stdin="reload\n" * 200)
    same((rc, err), (0, ""), "200 reloads")
    lines = d.log().count(f"cannot make {missing}")
    check(0 < lines < 100, f"{lines} lines of 200 reloads without a PID file")


if __name__ == "__main__":
    main()
