# SPDX-License-Identifier: ISC
#
# A router with four links, in namespaces of its own, for the network tests.
#
# Each case runs in a child that enters a fresh network and mount namespace (and
# a user namespace when it is not root), so its end cleans everything up:
#
#	a1-a4 of the router lead to eth0 of the hosts ha-hd
#	10.N.0.1 and fd00:N::1 on aN, 10.N.0.2 and fd00:N::2 on its host
#
# Packets are built by hand, so any source and TTL will do, and carry a tag and
# a number: what is counted at the hosts is exact, and a double is seen.  Waiting
# is polling with a deadline; no case depends on how long something takes.
import collections
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from packet import address, find, frame, one_cpu

NEWNS, NEWUSER, NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER = 1, 24, 36
CAP_NET_ADMIN, CAP_NET_RAW = 12, 13
SO_RCVBUFFORCE = 33
PACKET_OUTGOING = 4
SIOCGIFFLAGS, IFF_RUNNING = 0x8913, 0x40
ETH_P_ALL = 3
SLOW = 20		# seconds that may go by until what takes milliseconds is a failure

SMCROUTE = os.environ.get("SMCROUTE", "build/smcroute")
# Another build of the two programs can be tried: a path instead of our applets.
SMCROUTED = [os.environ["SMCROUTED"]] if "SMCROUTED" in os.environ else [SMCROUTE, "smcrouted"]
SMCROUTECTL = [os.environ["SMCROUTECTL"]] if "SMCROUTECTL" in os.environ else [SMCROUTE, "smcroutectl"]

os.environ["PATH"] += ":/usr/sbin:/sbin"
libc = ctypes.CDLL(None, use_errno=True)


class Skip(Exception):
    """This case cannot be had here; the text says why."""


class Failed(Exception):
    """What was seen is not what was wanted."""


def sys_call(name, *args):
    args = [a.encode() if isinstance(a, str) else a for a in args]
    if getattr(libc, name)(*args) < 0:
        err = ctypes.get_errno()
        raise OSError(err, f"{name}: {os.strerror(err)}")


def enter():
    """Into private user (if need be), mount and network namespaces."""
    uid, gid = os.getuid(), os.getgid()
    try:
        if uid or "LAB_USERNS" in os.environ:
            raise PermissionError
        sys_call("unshare", NEWNS | NEWNET)
    except PermissionError:
        try:
            sys_call("unshare", NEWUSER)
        except OSError as e:
            raise Skip(f"neither root nor user namespaces: {e.strerror}") from None
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
            with open(f"/proc/self/{name}", "w") as f:
                f.write(text)
        # Files below /proc/net are of who is root when the network is made (xt_proto_init()).
        sys_call("unshare", NEWNS | NEWNET)
    try:
        sys_call("mount", "none", "/", None, MS_REC | MS_PRIVATE, None)
    except OSError as e:
        if e.errno != errno.EINVAL:
            raise
        raise Skip("/ is no mount point, as in a plain chroot: mount --bind DIR DIR before chroot DIR") from None
    sys_call("mount", "lab", "/run", "tmpfs", 0, None)
    os.mkdir("/run/netns")


def wait_until(predicate, what, seconds=None):
    """Polls until the predicate gives something true, and returns that."""
    end = time.monotonic() + (seconds or SLOW)
    while True:
        got = predicate()
        if got:
            return got
        if time.monotonic() > end:
            raise Failed(f"waited in vain for: {what() if callable(what) else what}")
        time.sleep(0.005)


def gone(pid):
    """It has ended; whether its new parent has noticed is not our business."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def resting(pid):
    """It sleeps, and no signal waits to be seen: what it was told so far is done."""
    with open(f"/proc/{pid}/status") as f:
        status = dict(line.split(":\t", 1) for line in f if ":\t" in line)
    return status["State"][0] == "S" and not int(status["SigPnd"], 16) and not int(status["ShdPnd"], 16)


def naps(pid):
    """How often it has gone to sleep of its own accord."""
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("voluntary_ctxt_switches:"))


def check(cond, text):
    if not cond:
        raise Failed(text() if callable(text) else text)


def same(got, want, what):
    check(got == want, lambda: f"{what}: {repr(got)[:3000]}, not {repr(want)[:1000]}")


def need_users():
    """For what becomes another user: a user namespace of one user has nobody to become."""
    with open("/proc/self/uid_map") as f:
        if int(f.read().split()[2]) < 65536:
            raise Skip("no other user in this user namespace")


def note(text):
    print(*("# " + line for line in str(text).splitlines()), sep="\n")


class Lab:
    """The router (where this process stays) and its hosts."""
    MARK, MARK_BACK = ("10.1.0.250", "239.255.255.1"), ("10.4.0.250", "239.255.255.2")
    MARKS = ("mroute from a1 source 10.1.0.250 group 239.255.255.1 to a2 a3 a4\n"
             "mroute from a4 source 10.4.0.250 group 239.255.255.2 to a1\n")

    def __init__(self):
        enter()
        self.dir = tempfile.mkdtemp(dir="/run")
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.procs, self.senders, self.receivers = [], {}, {}
        self.streams = set()		# of sick.py, those that go on
        self.least = 0			# seconds that a doctor watches at least
        self.midway = None		# what happens in the middle of it
        self.seen, self.lock = collections.defaultdict(collections.Counter), threading.Lock()
        self.next, self.ifaces = 0, []
        self.sysctl("ipv4/conf/all/rp_filter", 0)
        self.sysctl("ipv4/conf/default/rp_filter", 0)
        self.sysctl("ipv6/conf/default/accept_dad", 0)
        self.links("a1", "a2", "a3", "a4")

    def sysctl(self, name, value):
        with contextlib.suppress(OSError), open("/proc/sys/net/" + name, "w") as f:
            f.write(str(value))

    @contextlib.contextmanager
    def at(self, host):
        """Inside a host; what is opened or started there stays there."""
        fd = os.open(f"/run/netns/{host}", os.O_RDONLY)
        try:
            sys_call("setns", fd, NEWNET)
            yield
        finally:
            sys_call("setns", self.home, NEWNET)
            os.close(fd)

    def add_host(self, host):
        sys_call("unshare", NEWNET)
        with open(f"/run/netns/{host}", "w"):
            pass
        sys_call("mount", "/proc/self/ns/net", f"/run/netns/{host}", None, MS_BIND, None)
        self.sysctl("ipv6/conf/default/accept_dad", 0)
        sys_call("setns", self.home, NEWNET)

    def links(self, *names):
        """Makes router interfaces aN with their hosts; those that exist are left out."""
        router, hosts = [], []
        for name in names:
            n, host = int(name[1:]), self.host(name)
            if not os.path.exists(f"/run/netns/{host}"):
                self.add_host(host)
            router += [f"link add {name} type veth peer name eth0 netns {host}",
                       f"addr add 10.{n}.0.1/24 dev {name}",
                       f"addr add fd00:{n}::1/64 dev {name} nodad", f"link set {name} up"]
            self.ifaces += [] if name in self.ifaces else [name]
            hosts.append((host, [f"addr add 10.{n}.0.2/24 dev eth0", "link set eth0 up",
                                 f"addr add fd00:{n}::2/64 dev eth0 nodad"]))
        self.ip_batch(router)
        for host, lines in hosts:
            with self.at(host):
                self.ip_batch(lines)
            self.open_host(host)
        self.settle(*names)

    def settle(self, *names):
        """Until the kernel has taken note that both ends are up; it drops packets before."""
        def running(sock, name):
            flags = fcntl.ioctl(sock, SIOCGIFFLAGS, struct.pack("16s24x", name.encode()))
            return struct.unpack_from("H", flags, 16)[0] & IFF_RUNNING
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as here:
            wait_until(lambda: all(running(here, n) and running(self.senders[self.host(n)], "eth0") for n in names),
                       f"{' '.join(names)} running")

    @staticmethod
    def host(iface):
        return "h" + chr(ord("a") + int(iface[1:]) - 1)

    def ip_batch(self, lines):
        subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)

    def ip(self, *args):
        return subprocess.run(["ip", *args], check=True, text=True, stdout=subprocess.PIPE).stdout

    def open_host(self, host):
        """A socket to send and one to count with, both inside the host."""
        for old in (self.senders.get(host), self.receivers.get(host)):
            if old:
                old.close()
        with self.at(host):
            tx = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            rx = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        tx.bind(("eth0", 0))
        rx.bind(("eth0", ETH_P_ALL))
        rx.setblocking(False)
        for option in (SO_RCVBUFFORCE, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):
                rx.setsockopt(socket.SOL_SOCKET, option, 16 << 20)
                break
        self.senders[host], self.receivers[host] = tx, rx

    # ---- packets ----

    def send(self, iface, src, group, n=1, ttl=16, every=0):
        """n numbered packets into the router's iface; returns (src, group, ttl, numbers)."""
        tx = self.senders[self.host(iface)]
        first, self.next = self.next, self.next + n
        with one_cpu():
            for i in range(first, first + n):
                tx.send(frame(src, group, ttl, i))
                if every:
                    time.sleep(every)
        return (src, group, ttl, range(first, first + n))

    def collect(self):
        """Takes in what has arrived: self.seen[host] counts (src, group, ttl, number)."""
        with self.lock:
            for host, rx in list(self.receivers.items()):
                while True:
                    try:
                        data, where = rx.recvfrom(2048)
                    except BlockingIOError:
                        break
                    except OSError:		# the interface went away
                        continue
                    if where[2] != PACKET_OUTGOING and (key := find(data)):
                        self.seen[host][key] += 1

    def arrived(self, iface, flow):
        """How many of the flow's packets came out of iface, TTL one less; doubles count twice."""
        src, group, ttl, numbers = flow
        seen, key = self.seen[self.host(iface)], (address(src), address(group), ttl - 1)
        return sum(seen[key + (i,)] for i in numbers)

    def mark(self):
        """Everything sent before has passed the router once this returns (needs MARKS)."""
        marks = self.send("a1", *self.MARK), self.send("a4", *self.MARK_BACK)
        outs = [i for i in ("a2", "a3", "a4") if i in self.present()]
        def there():
            self.collect()
            return (all(self.arrived(i, marks[0]) for i in outs)
                    and self.arrived("a1", marks[1]))
        wait_until(there, f"the marker packets on a1 {' '.join(outs)}")

    def present(self):
        return sorted(n for _, n in socket.if_nameindex() if n[0] == "a")

    def wait(self, flow, *ifaces):
        """Until each of ifaces has seen the whole flow."""
        def there():
            self.collect()
            return all(self.arrived(i, flow) >= len(flow[3]) for i in ifaces)
        try:
            wait_until(there, f"{len(flow[3])} packets of {flow[0]} -> {flow[1]} on {' '.join(ifaces)}")
        except Failed as e:
            raise Failed(f"{e}; there were {[self.arrived(i, flow) for i in ifaces]}") from None

    def expect(self, flow, *ifaces):
        """Each packet of the flow exactly once on each of ifaces, none anywhere else."""
        self.wait(flow, *ifaces)
        self.mark()
        got = {i: self.arrived(i, flow) for i in self.ifaces}
        same(got, {i: len(flow[3]) if i in ifaces else 0 for i in got},
             f"packets of {flow[0]} -> {flow[1]} ttl {flow[2]}")

    def passes(self, iface, src, group, *ifaces, n=20):
        """Sends n packets and expects them on ifaces alone.

        The kernel holds 4 packets of a flow back until the daemon has said what to do, so
        the rest follows when the first one has come through."""
        src, group, ttl, first = self.send(iface, src, group)
        self.wait((src, group, ttl, first), *ifaces)
        rest = self.send(iface, src, group, n - 1)[3]
        self.expect((src, group, ttl, range(first.start, rest.stop)), *ifaces)

    # ---- the kernel's tables, as ip prints them ----

    def mroutes(self, group=None):
        """{(source, group): (iif, sorted oifs)} of both families."""
        table = {}
        for family in ("-4", "-6"):
            for e in json.loads(self.ip(family, "-j", "mroute", "show") or "[]"):
                oifs = sorted(o["oif"] for o in e.get("multipath", []))
                # Beside an entry there may be what waited for it in vain: see router/learn.c.
                if "state" not in e or e["state"] == "resolved" or (e["src"], e["dst"]) not in table:
                    table[(e["src"], e["dst"])] = (e.get("iif", "unresolved"), oifs)
        return {k: v for k, v in table.items() if group in (None, k[1])}

    def route(self, src, group):
        return self.mroutes().get((src, group))

    def counted(self, src, group):
        """Packets that the kernel has counted on an entry."""
        for e in json.loads(self.ip("-6" if ":" in group else "-4", "-s", "-j", "mroute", "show") or "[]"):
            if (e["src"], e["dst"]) == (src, group):
                return int(e.get("packets", 0))
        return 0

    # ---- the programs under test ----

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def daemon(self, conf="", *options, **kw):
        """Starts smcrouted with the marker rules and conf, and waits until it is ready."""
        return Daemon(self, self.MARKS + conf, options, **kw)

    def run(self, *argv, stdin=None, drop=None, seconds=60, env=None):
        """Runs a program to its end: (exit code, stdout, stderr)."""
        p = subprocess.run(argv, input=stdin or "", text=True, capture_output=True, timeout=seconds,
                           preexec_fn=(lambda: child_setup(drop)), env=env)
        return p.returncode, p.stdout, p.stderr

    def end(self):
        for d in self.procs:
            if d.proc.poll() is None:
                d.proc.kill()
                d.proc.wait()


def child_setup(drop=None, setup=None):
    sys_call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if setup:
        setup()
    if drop is not None:
        sys_call("prctl", PR_CAPBSET_DROP, drop, 0, 0, 0)


class Daemon:
    """One smcrouted in the foreground, with files of its own."""

    def __init__(self, lab, conf, options=(), name="smcroute", wrap=(), seconds=None, ready=True, setup=None):
        self.lab, self.name, self.seconds = lab, name, seconds or SLOW
        self.pid_file, self.sock = lab.path(name + ".pid"), lab.path(name + ".sock")
        self.conf, self.log_file = lab.write(name + ".conf", conf), lab.path(name + ".log")
        argv = [*wrap, *SMCROUTED, "-n", "-i", name, "-f", self.conf, "-P", self.pid_file,
                "-u", self.sock, "-l", "debug", *options]
        with open(self.log_file, "w") as log:
            self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         preexec_fn=lambda: child_setup(setup=setup), close_fds=not setup)
        lab.procs.append(self)
        if ready:
            wait_until(lambda: self.proc.poll() is not None or os.path.exists(self.pid_file),
                       "the PID file", self.seconds)
            check(self.proc.poll() is None, lambda: f"the daemon ended with {self.proc.returncode}")

    def log(self):
        with open(self.log_file, errors="replace") as f:
            return f.read()

    def ctl(self, *args, **kw):
        return self.lab.run(*SMCROUTECTL, "-u", self.sock, *args, **kw)

    def do(self, *args):
        """A command that has to succeed without a word."""
        got = self.ctl(*args)
        same(got, (0, "", ""), " ".join(args))

    def show(self, *args):
        """Output of a show command that has to succeed."""
        rc, out, err = self.ctl(*args)
        same((rc, err), (0, ""), " ".join(args))
        return out

    def json(self, *args):
        return json.loads(self.show("-j", "show", *args))

    def write(self, conf):
        self.lab.write(self.name + ".conf", Lab.MARKS + conf)

    def hup(self, conf):
        """New config by SIGHUP; the PID file is touched when it is in force."""
        self.write(conf)
        os.utime(self.pid_file, (0, 0))
        self.proc.send_signal(signal.SIGHUP)
        wait_until(lambda: os.stat(self.pid_file).st_mtime_ns, "the touched PID file")

    def wait(self):
        """Its exit status, when it ends within the deadline."""
        return self.proc.wait(self.seconds)

    def stop(self, sig=signal.SIGTERM):
        self.proc.send_signal(sig)
        return self.wait()

    def leave(self):
        """At the end of a case: one that still runs ends well, none saw a memory fault."""
        if self.proc.poll() is None:
            same(self.stop(), 0, "exit status of the daemon")
        for fault in ("Sanitizer", "runtime error:"):
            check(fault not in self.log(), f"{fault} in the log")
