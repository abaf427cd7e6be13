# SPDX-License-Identifier: ISC
#
# What goes on in the middle of a long reload: packets of new sources, clients, links.  The manager is told when a
# reload begins and when it has ended, so it is known what came in between.
import signal
import socket
import threading

from cases import case, main
from lab import SLOW, Daemon, Lab, check, note, same, wait_until

MANY = 50000
TEMPLATE = "mroute from a1 group 225.9.0.0/16 to a2\n"


def rules(to):
    return "".join(f"mroute from a1 source 10.{16 + (i >> 16)}.{i >> 8 & 255}.{i & 255} group 225.1.1.1 to {to}\n"
                   for i in range(MANY))


class Manager:
    """What the daemon says to its service manager."""

    def __init__(self, lab, conf):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("/run/notify")
        self.daemon = Daemon(lab, Lab.MARKS + conf, seconds=2 * SLOW, wrap=("env", "NOTIFY_SOCKET=/run/notify"))
        self.sock.settimeout(2 * SLOW)
        self.until(b"READY=1")

    def until(self, word):
        while word not in self.sock.recv(4096):
            pass

    def has(self, word):
        """Whether it has said that by now."""
        self.sock.setblocking(False)
        try:
            while word not in self.sock.recv(4096):
                pass
            return True
        except BlockingIOError:
            return False
        finally:
            self.sock.settimeout(2 * SLOW)

    def reload(self, conf):
        """Begins a reload; the client's answer is the thread's."""
        self.daemon.write(conf)
        t = threading.Thread(target=lambda: setattr(t, "got", self.daemon.ctl("reload")), daemon=True)
        t.start()
        self.until(b"RELOADING=1")
        return t


@case(f"a reload that changes {MANY:,} rules: new sources are forwarded and clients answered in the middle of it")
def in_between(lab):
    m = Manager(lab, TEMPLATE + rules("a2"))
    flows = clients = 0
    for turn, conf in enumerate((rules("a3"), rules("a4"), "", rules("a2"))):
        t = m.reload(TEMPLATE + conf)
        for i in range(1, 250):
            flow = lab.send("a1", f"10.1.{turn + 10}.{i}", "225.9.1.1")
            lab.wait(flow, "a2")
            if m.has(b"READY=1"):
                break
            flows += 1
            m.daemon.do("ping")
            if m.has(b"READY=1"):
                break
            clients += 1
        else:
            m.until(b"READY=1")
        t.join(SLOW)
        same((t.got[0], t.got[2]), (0, ""), f"the client's result, {t.got[1]}")
    note(f"measured: {flows} new sources and {clients} pings in the middle of four reloads")
    # Of each reload's half a second and more one is enough to tell.
    check(flows > 4 and clients > 4, f"{flows} new sources, {clients} pings in the middle of reloads")


@case("two reloads at once: whoever asks for the second gets the result of what is in the file then")
def two(lab):
    m = Manager(lab, TEMPLATE)
    first = m.reload(TEMPLATE + rules("a2"))
    m.daemon.write(TEMPLATE + "mroute from\n")
    rc, _, err = m.daemon.ctl("reload")
    same(rc, 78, f"exit status of the second reload, {err}")
    check("nothing was changed" in err, f"it said {err}")
    first.join(SLOW)
    check(first.got[0] in (0, 78), f"the first one: {first.got}")
    m.daemon.write(TEMPLATE)
    same(m.daemon.ctl("reload")[0], 0, "exit status of the third")
    lab.passes("a1", "10.1.0.9", "225.9.1.1", "a2")


@case(f"signals while the first of {MANY:,} rules are read and while they are installed: SIGTERM ends it, HUP waits")
def at_the_start(lab):
    conf = Lab.MARKS + TEMPLATE + rules("a2")
    for i in range(4):
        d = Daemon(lab, conf, name=f"early{i}", seconds=2 * SLOW, ready=False)
        wait_until(lambda d=d: f"a{i + 1}: new" in d.log() or d.proc.poll() is not None, "its first words")
        same(d.stop(signal.SIGTERM), 0, "exit status")
        check("started" not in d.log(), "it was ended after it had started")
    d = Daemon(lab, conf, name="hup", seconds=2 * SLOW, ready=False)
    wait_until(lambda: "a1: new" in d.log(), "its first words")
    d.proc.send_signal(signal.SIGHUP)
    wait_until(lambda: "reloaded: " in d.log(), "the reload", 2 * SLOW)
    check(d.log().index("started: ") < d.log().index("reloaded: "), "the order of start and reload")
    lab.passes("a1", "10.1.0.9", "225.9.1.1", "a2")


if __name__ == "__main__":
    main()
