# SPDX-License-Identifier: ISC
#
# A supervisor with a store of descriptors, as systemd is for a unit with FileDescriptorStoreMax: it keeps what the
# daemon gives it and hands it to the next one.
import os
import signal
import socket

from cases import case, main
from holder import close, give
from lab import CAP_NET_ADMIN, CAP_NET_RAW, Daemon, PR_CAPBSET_DROP, check, same, sys_call, wait_until
from reports import Wire
from stream import Stream

RULES = ("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a3\n"
         "mroute from a1 source fd00:1::9 group ff2e::1:1 to a2 a3\n"
         "mroute from a1 group 225.2.0.0/16 to a2 a3\nmroute from a1 group ff2e::2:0/112 to a2 a3\n"
         "mgroup from a1 group 225.64.0.0/22\nmgroup from a1 group ff2e::1:1\nphyint a2 mrdisc\n")
FLOWS = [("10.1.0.9", "225.1.1.1"), ("fd00:1::9", "ff2e::1:1"), ("10.1.0.7", "225.2.7.7"), ("fd00:1::7", "ff2e::2:7")]


class Store:
    """Keeps descriptors, and gives them to each daemon that it starts."""

    def __init__(self, lab, conf, *options):
        self.lab, self.conf, self.options, self.held, self.ready = lab, conf, options, [], 0
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("/run/notify")
        os.chmod("/run/notify", 0o666)
        self.sock.setblocking(False)

    def take(self):
        """Takes in what was said: how often a daemon was ready."""
        while True:
            try:
                text, fds, _, _ = socket.recv_fds(self.sock, 4096, 4)
            except BlockingIOError:
                return self.ready
            said = dict(line.split("=", 1) for line in text.decode().splitlines())
            name = said.get("FDNAME")
            if "FDSTOREREMOVE" in said:
                for n, fd in self.held:
                    if n == name:
                        os.close(fd)
                self.held = [h for h in self.held if h[0] != name]
            elif "FDSTORE" in said:
                same((len(fds), said["FDPOLL"]), (1, "0"), f"a message about {name}")
                new = os.fstat(fds[0])
                if any(n == name and os.path.sameopenfile(fd, fds[0]) for n, fd in self.held):
                    os.close(fds[0])
                else:
                    # One name, one file: who takes one back means no other.
                    check(name not in [n for n, _ in self.held], f"{name} twice ({new})")
                    self.held.append((name, os.dup2(fds[0], 500 + self.free())))
                    os.close(fds[0])
            self.ready += "READY" in said

    def free(self):
        used = {fd for _, fd in self.held}
        return next(i for i in range(500) if 500 + i not in used)

    def start(self, no_rights=False):
        self.take()
        hand, ready = give(self.held), self.ready

        def setup():
            os.environ.update(NOTIFY_SOCKET="/run/notify", FDSTORE="500")
            if self.held:
                hand()
            for cap in (CAP_NET_ADMIN, CAP_NET_RAW) if no_rights else ():
                sys_call("prctl", PR_CAPBSET_DROP, cap, 0, 0, 0)
        d = Daemon(self.lab, self.lab.MARKS + self.conf, self.options, setup=setup, ready=False)
        wait_until(lambda: self.take() > ready or d.proc.poll() is not None, "READY")
        same(d.proc.poll(), None, "exit status of the daemon")
        return d

    def end(self, d, sig):
        d.proc.send_signal(sig)
        status = d.wait()
        self.lab.procs.remove(d)
        self.take()
        return status


RESTARTS = int(os.environ.get("RESTARTS", "4"))		# up to 20 and more, for the patient


@case("restarted, and killed: 1,024 memberships, both families, no packet lost, nothing on the wire, no capability",
      (), ())
@case("the same in a table of its own, as another user", ("-p", "nobody"), ("-t", "77"))
def restarts(lab, user, table):
    if table:
        lab.ip("mrule", "add", "pref", "10", "iif", "a1", "table", "77")
        lab.ip("-6", "mrule", "add", "pref", "10", "iif", "a1", "table", "77")
        lab.ip("mrule", "add", "pref", "11", "iif", "a4", "table", "77")
        lab.ip("-6", "mrule", "add", "pref", "11", "iif", "a4", "table", "77")
    s = Store(lab, RULES, *user, *table)
    d = s.start()
    names = sorted(n for n, _ in s.held if not n.startswith("member"))
    of = ".77" if table else ""
    check({f"mroute4{of}", f"mroute6{of}", "mrdisc4", "mrdisc6", "report4", "report6", "journal"} <=
          {n if n.startswith("mroute") else n.split(".")[0] for n in names}, f"names {names}")
    check(sum(n.startswith("member.") for n, _ in s.held) > 50, "sockets with memberships")
    held = len(s.held)
    same(d.ctl("-o", "x", "add", "a1", "10.1.0.6", "225.6.6.6", "a2", "a3")[0], 0, "add")
    d.do("remove", "a1", "10.1.0.9", "225.1.1.1", "a3")
    config = d.show("-d", "show", "config")
    flows = FLOWS[1:] + [("10.1.0.6", "225.6.6.6")]
    for flow in flows:
        lab.passes("a1", *flow, "a2", "a3", n=2)
    wire, out = Wire(lab), Wire(lab, "hb")
    wait_until(lambda: silent(wire) and silent(out), "the last report of a join")
    before = len(wire.heard), len(out.heard)
    stream = Stream(lab, "a1", flows, 3000)
    for i in range(RESTARTS):
        same(s.end(d, signal.SIGKILL if i % 2 else signal.SIGTERM), -9 if i % 2 else 0, "exit status")
        d = s.start(no_rights=True)
        same(d.show("-d", "show", "config"), config, "config")
        same(len(s.held), held, "descriptors that are stored")
    stream.end()
    sent = stream.expect("a2", "a3")
    same(wire.read()[before[0]:], [], "IGMP and MLD messages")
    same(out.read()[before[1]:], [], "messages on an output")
    print(f"# measured: {sent} packets across {RESTARTS} restarts")
    s.end(d, signal.SIGTERM)
    close(s.held)


def silent(wire, seconds=1.5):
    """The kernel reports a join again within a second or so (RFC 3376, 8.11): until nothing has come for a while."""
    n = len(wire.read())
    try:
        wait_until(lambda: len(wire.read()) > n, "silence", seconds)
    except Exception:
        return True
    return False


@case("what was stored as the journal and is none: told, and the start goes on")
def no_journal(lab):
    s = Store(lab, RULES.replace("225.64.0.0/22", "225.64.0.0"))
    d = s.start()
    for content in (b"", b"nonsense\n" * 1000, b"\0" * 5000, None):
        s.end(d, signal.SIGKILL)
        fd = os.memfd_create("x") if content is not None else os.open("/dev/null", os.O_RDWR)
        os.write(fd, content or b"")
        for i, (name, old) in enumerate(s.held):
            if name == "journal":
                os.dup2(fd, old)
        os.close(fd)
        d = s.start()
        check("the journal that was handed over is damaged" in d.log(), "nothing was said")
        lab.passes("a1", *FLOWS[0], "a2", "a3", n=2)
        same(sum(n == "journal" for n, _ in s.held), 1, "journals that are stored")
        same(d.ctl("-o", "x", "add", "a1", "225.9.9.9", "a2")[0], 0, "add")
        s.end(d, signal.SIGKILL)
        d = s.start()
        check("225.9.9.9" in d.show("show", "config"), "the new journal is of no use")
    s.end(d, signal.SIGTERM)
    close(s.held)


if __name__ == "__main__":
    main()
