# SPDX-License-Identifier: ISC
#
# A table of set-ups for the doctor.  Each is a function that makes one, with the truth beside it: what
# is wrong, and what may be said of it without rights.  The commands that are printed are run as printed;
# then the packets have to come out, and are said to be forwarded.
import contextlib
import ctypes
import itertools
import json
import os
import socket
import struct
import subprocess
import threading

from cases import case
from lab import Failed, Skip, check, libc, note, same, wait_until
from packet import ETH_P_IP, ETH_P_IPV6, address, checksum, frame
from sick import RULES, V4, V6, Stream, daemon, doctor, doctors, inside, look, need, paste, path

FLOWS = {"IPv4": V4, "IPv6": V6}
ANOTHER = {"IPv4": "225.66.66.66", "IPv6": "ff2e::6666"}	# of nobody else
UNSURE = (2, [])
PIDFD_GETFD = 438
# Of packets that surely got to an entry, which sends them on.
ROUTED = {"fine", "ttl", "mtu", "output", "queue", "nobody", "route", "ipsec", "driver"}
# What our daemon alone can tell, or be told: of another program it is said that it routes.
OURS = {"no_rule", "wrong_iif", "no_vif", "not_reloaded", "config", "disabled", "waits", "shut", "limit", "no_answer",
        "port", "vlan"}
TURNS = itertools.count()
FOREIGN = []		# cases, for test_doctor_foreign.py
MODE = os.environ.get("DOCTOR")		# all, or clean: see tests/README.md
OTHER = {"IPv4": "225.9.9.9", "IPv6": "ff2e::999"}


THREE = RULES.replace("to a2", "to a2 a3 a4")


class Setup(contextlib.ExitStack):
    """What a set-up is made with."""

    def __init__(self, lab, family):
        super().__init__()
        self.lab, self.family, self.v4 = lab, family, family == "IPv4"
        self.src, self.group = FLOWS[family]
        self.other, self.six = OTHER[family], "" if self.v4 else "6"
        self.words, self.flow, self.sends, self.daemon = (), None, False, None

    def start(self, conf=RULES, *options):
        """A daemon, whose file the doctor is given."""
        d = self.daemon = daemon(self.lab, conf, *options)
        self.words = (d.conf,)
        return d

    def has_entry(self, seconds):
        """Whether there is an entry for the flow that sends it on, within that time."""
        def sends():
            return self.lab.mroutes().get((self.src, self.group), (0, []))[1]
        with contextlib.suppress(Failed):
            return bool(self.flow and wait_until(sends, "an entry", seconds))

    def orphan(self):
        """Our daemon is gone, with its socket; what it held is held by a program of somebody else: this one."""
        d = self.daemon
        if not d:
            raise Skip("no daemon of ours was there")
        pidfd = os.pidfd_open(d.proc.pid)
        for fd in map(int, os.listdir(f"/proc/{d.proc.pid}/fd")):
            if os.readlink(f"/proc/{d.proc.pid}/fd/{fd}").startswith("socket:"):
                held = libc.syscall(PIDFD_GETFD, pidfd, fd, 0)
                if held < 0:
                    raise Skip(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
                s = socket.socket(fileno=held)
                self.callback(s.close)
                if s.family not in (socket.AF_INET, socket.AF_INET6):
                    s.close()
        os.close(pidfd)
        d.proc.kill()
        d.proc.wait()
        self.lab.procs.remove(d)
        for path in d.sock, d.pid_file:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def stream(self, iface="a1", src=None, group=None, **kw):
        """Packets until the end; the first such stream is the flow that is looked at."""
        s = self.enter_context(Stream(self.lab, iface, src or self.src, group or self.group, **kw))
        self.flow = self.flow or s
        return s

    def nft(self, text):
        need("nft")
        p = subprocess.run([*inside(self.lab), "nft", "-f", "-"], input=text, text=True, stderr=subprocess.PIPE)
        if p.returncode and (inside(self.lab) or " v0." in subprocess.getoutput("nft --version")):
            raise Skip(f"the nft of that system does not know this: {p.stderr.splitlines()[0]}")
        note(p.stderr)
        same(p.returncode, 0, "exit status of nft")

    def chain(self, hook, rules, policy="accept", family="inet", table="house", priority=0):
        """A base chain with these rules, beside one that they may jump to."""
        self.nft(f"table {family} {table} {{ chain doors {{ type filter hook {hook} priority {priority}; "
                 f"policy {policy};\n" + "\n".join(rules) + "\n}\n}\n")

    def noise_chain(self, rule):
        """A chain of somebody else, until the end."""
        self.chain("forward", [rule], table="noise")
        self.callback(subprocess.run, [*inside(self.lab), "nft", "delete", "table", "inet", "noise"])

    def carrier_goes(self, iface):
        """Until the kernel has noticed, which it may put off for a second (net/core/link_watch.c)."""
        wait_until(lambda: self.lab.ip("-br", "link", "show", iface).split()[1] != "UP", f"{iface} without carrier")

    def sysctl(self, name, value):
        with open("/proc/sys/net/" + name, "w") as f:
            f.write(str(value))

    def repeat(self, fn, every=0.0125):
        """Calls fn again and again until the end."""
        over = threading.Event()

        def run():
            while not over.wait(every):
                with contextlib.suppress(OSError):
                    fn()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.callback(thread.join)
        self.callback(over.set)

    def raw(self, iface, data, every=0.0125):
        """A frame into an interface of the router, again and again."""
        tx = self.lab.senders[self.lab.host(iface)]
        self.repeat(lambda: tx.send(data), every)


def truth(name, what, families=("IPv4", "IPv6"), blind=None, outs=("a2",), cure="fix", after="fine",
          says="", blind_says="", foreign=True):
    """Decorator: a set-up with what the doctor has to find, a verdict or a list of them; what it may say
    without rights (the same, or UNSURE); where the packets come out once the commands have been run; words that
    must be said, and without rights.  With foreign: what it has to find when a program of somebody else has taken the
    place of our daemon, True: the same, but for what that alone knows; None: no such case."""
    want = [what] if isinstance(what, str) else what

    def add(fn):
        for family in families if MODE != "clean" or want == ["fine"] else ():
            @case(f"{name}, {family}", fn, family, next(TURNS))
            def run(lab, make, fam, turn):
                path(lab)
                with Setup(lab, fam) as t:
                    make(t)
                    judge(t, want, blind)
                    check(says in json.dumps(lab.found, ensure_ascii=False), f"it does not say: {says}")
                    check(blind_says in json.dumps(lab.found_blind), f"without rights it does not say: {blind_says}")
                    if want == ["fine"]:
                        among(t, turn, blind)
                    finish(t, want, cure, outs, after)

            if foreign:
                FOREIGN.append((f"{name}, {family}, another program", without_ours, (fn, family, foreign, want, blind,
                                                                                   cure, outs, after)))
        return fn
    return add


def without_ours(lab, make, family, foreign, want, blind, cure, outs, after):
    """A set-up in which a program of somebody else has taken the place of our daemon."""
    path(lab)
    with Setup(lab, family) as t:
        make(t)
        has_entry = t.has_entry(20 if ROUTED.issuperset(want) else 0.5)
        t.orphan()
        if foreign is not True:
            want, blind = foreign, "any"
        elif OURS & set(want) or not want:
            want, blind, cure = ["holder", *({"ttl", "rp_filter"} & set(want))], "any", None
        judge(t, want, blind)
        finish(t, want, cure if has_entry else None, outs, after)


def finish(t, want, cure, outs, after):
    """The commands that mend it, or else those that show more."""
    if want != ["fine"] and cure:
        mend(t, cure, outs, after)
    else:
        look(t.lab, sum((*t.commands, *t.blind_commands), []))


def among(t, turn, blind):
    """A clean set-up once more, while something else goes on: one by turns, or each."""
    noises = NOISE.items() if MODE else [list(NOISE.items())[turn % len(NOISE)]]
    for what, noise in noises:
        if noise is announcements and t.sends:		# it would be the same flow
            continue
        with Setup(t.lab, t.family) as more, contextlib.suppress(Skip):
            more.words, more.flow, more.src, more.group = t.words, t.flow, t.src, t.group
            noise(more)
            judge(more, ["fine"], blind, f", while {what}")


def waits(t):
    """Whether packets wait for an answer of the router."""
    with open(f"/proc/net/ip{t.six}_mr_cache") as f:
        return any(line.split()[2] == "-1" for line in list(f)[1:])


def judge(t, want, blind, beside=""):
    if t.flow and "no_answer" not in want:		# a set-up is whole once it was asked for the flow
        wait_until(lambda sent=t.flow.sent: t.flow.sent > sent + 2, "packets")
        with contextlib.suppress(Failed):
            wait_until(lambda: not waits(t), "an answer")
    t.lab.least = 1.1 if "nothing" in want else 0	# what does not come takes time to be seen
    rights, without = doctors(t.lab, t.group, *t.words)
    t.commands, t.blind_commands = rights[2:], without[2:]
    seen = [sorted(set(r[1])) for r in (rights, without)]
    rc = 0 if want == ["fine"] else 1
    same((rights[0], seen[0]), (rc, sorted(want)), "verdict" + beside)
    allowed = [blind or (rc, sorted(want))]
    if want in (["fine"], ["nothing"]) or blind == "maybe":		# without rights neighbours may be heard, too
        allowed = [(rc, sorted(want)), UNSURE]
    if beside:		# some of it may be hidden by the rest
        allowed.append((2, ["fine"]))
    if blind != "any" and (without[0], seen[1]) not in allowed:
        same((without[0], seen[1]), allowed, "verdict without capabilities" + beside)


def mend(t, cure, outs, after):
    paste(t.lab, t.commands[0 if cure == "fix" else 1])
    t.flow.flows(*outs)
    same(doctor(t.lab, t.group, *t.words)[:2], (0, [after]), "verdict afterwards")


def begin(t, conf=RULES, **kw):
    """A daemon, and the flow that is looked at."""
    t.start(conf)
    t.stream(**kw)


def restore(t, text, kind, **kw):
    """Rules of iptables, of its kind nft or legacy."""
    tool = f"ip{t.six}tables-{kind}-restore"
    need(tool)
    text = text.format(six=t.six, icmp="icmp" if t.v4 else "icmpv6", **kw)
    if not t.v4:
        text = text.replace("172.17.0.0/16", "fd17::/64")
    p = subprocess.run([tool], input=text, text=True, stderr=subprocess.PIPE)
    if p.returncode:
        raise Skip(f"{tool}: {p.stderr.strip()}")


# ---- what else goes on in a network, and is no matter ----

def igmp(kind, group, src="10.1.0.55", dst=None):
    """A frame of IGMPv2: 0x11 a query, 0x16 a report."""
    body = struct.pack("!BBH4s", kind, 10, 0, address(group))
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    g = address(dst or group)
    head = struct.pack("!BBHHHBBH4s4s4s", 0x46, 0xC0, 32, 0, 0, 1, 2, 0, address(src), g, b"\x94\4\0\0")
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return b"\1\0\x5e" + bytes([g[1] & 0x7F]) + g[2:] + b"\2\0\0\0\0\x55" + struct.pack("!H", ETH_P_IP) + head + body


def mld(kind, group, src="fe80::55", dst=None):
    """A frame of MLDv1: 130 a query, 131 a report."""
    s, g = address(src), address(dst or group)
    body = struct.pack("!BBHHH16s", kind, 0, 0, 1000, 0, address(group))
    body = body[:2] + struct.pack("!H", checksum(s + g + struct.pack("!II", len(body), 58) + body)) + body[4:]
    hop = b"\x3a\0\5\2\0\0\1\0"
    head = struct.pack("!IHBB16s16s", 6 << 28, len(hop) + len(body), 0, 1, s, g)
    return b"\x33\x33" + g[12:] + b"\2\0\0\0\0\x55" + struct.pack("!H", ETH_P_IPV6) + head + hop + body


def fragments(src, group, number, sizes=(1480, 1480, 300)):
    """Frames of one IPv4 packet in fragments."""
    data = frame(src, group, 16, number)
    head, body = data[14:34], data[34:]
    body += bytes(sum(sizes) - len(body))
    body = body[:4] + struct.pack("!HH", sum(sizes), 0) + body[8:]
    at = 0
    for i, size in enumerate(sizes):
        more = 0x2000 if i < len(sizes) - 1 else 0
        h = head[:2] + struct.pack("!HHH", 20 + size, number & 0xffff, more | at // 8) + head[8:10] + bytes(2)
        h += head[12:]
        h = h[:10] + struct.pack("!H", checksum(h)) + h[12:]
        yield data[:14] + h + body[at:at + size]
        at += size


def querier(t, iface="a1"):
    """Members and a querier of the old protocols, on the inbound side."""
    net = f"10.{iface[1:]}.0."
    if t.v4:
        t.raw(iface, igmp(0x16, t.group, net + "55"))
        t.raw(iface, igmp(0x11, t.group, net + "54"))
        t.raw(iface, igmp(0x11, "0.0.0.0", net + "54", "224.0.0.1"))
    else:
        t.raw(iface, mld(131, t.group))
        t.raw(iface, mld(130, t.group, "fe80::54"))
        t.raw(iface, mld(130, "::", "fe80::54", "ff02::1"))


def querier_out(t):
    """The same on the outbound side."""
    querier(t, "a2")


def idle(t, n=40):
    """Sources that sent once."""
    sources = [f"10.1.1.{i + 1}" if t.v4 else f"fd00:1::1:{i + 1:x}" for i in range(n)]
    for s in sources:
        t.lab.send("a1", s, t.group)
    # What the flow sends afterwards comes after them.
    wait_until(lambda sent=t.flow and t.flow.sent: not t.flow or t.flow.sent > sent + 5, "more packets")


def route_other(t):
    """A rule for the other group, where a daemon of ours runs."""
    ctl = t.lab.path("bin/smcroutectl")
    t.lab.run(ctl, "add", "a1", ANOTHER[t.family], "a2")
    t.callback(t.lab.run, ctl, "remove", "a1", ANOTHER[t.family], "a2")


def dropped(t):
    """Another group that is dropped on purpose."""
    route_other(t)
    t.noise_chain(f"ip{t.six} daddr {ANOTHER[t.family]} drop")
    t.stream("a1", "10.1.0.8" if t.v4 else "fd00:1::8", ANOTHER[t.family])


def short(t):
    """Another group with TTL 1."""
    route_other(t)
    t.stream("a1", "10.1.0.8" if t.v4 else "fd00:1::8", ANOTHER[t.family], ttl=1)


def unicast(t):
    """Unicast that the router forwards, or does not, by a filter."""
    t.sysctl("ipv4/ip_forward", 1)
    t.sysctl("ipv6/conf/all/forwarding", 1)
    t.noise_chain(f"ip{t.six} daddr {'10.2.0.2' if t.v4 else 'fd00:2::2'} udp dport 5000 drop")
    mac = t.lab.ip("-br", "link", "show", "a1").split()[2]
    for dst in (("10.2.0.2", "10.3.0.2") if t.v4 else ("fd00:2::2", "fd00:3::2")):
        data = frame("10.1.0.2" if t.v4 else "fd00:1::2", dst, 16, 7)
        t.raw("a1", bytes.fromhex(mac.replace(":", "")) + data[6:], 0.01)


def announcements(t):
    """What this host itself sends to the group, everywhere."""
    for i in ("a1", "a2"):
        s = socket.socket(socket.AF_INET if t.v4 else socket.AF_INET6, socket.SOCK_DGRAM)
        t.callback(s.close)
        s.setsockopt(socket.SOL_SOCKET, 25, i.encode() + b"\0")		# SO_BINDTODEVICE
        t.repeat(lambda s=s: s.sendto(b"here", (t.group, 5000)))


def behind(t):
    """Somebody behind the output sends too."""
    t.stream("a2", "10.2.0.7" if t.v4 else "fd00:2::7")


NOISE = {"an old querier asks": querier, "40 sources are idle": idle, "another group is dropped on purpose": dropped,
         "an old querier asks behind the output": querier_out, "another group has TTL 1": short,
         "the router announces itself": announcements,
         "somebody behind the output sends too": behind, "unicast is forwarded and filtered": unicast}
