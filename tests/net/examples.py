# SPDX-License-Identifier: ISC
#
# What examples/ and the recipes beside them say, read from there, and hosts whose
# programs use sockets as any application does.
import contextlib
import os
import re
import shutil
import socket
import struct
import subprocess
import threading

from lab import SMCROUTE, Daemon, Skip, check, note, same, wait_until
from sick import need, path

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
EXAMPLES = os.path.join(TREE, "examples")
IP_ADD_SOURCE_MEMBERSHIP = 39


def blocks(file, title):
    """The indented blocks below the heading that begins so, in a paper of this tree."""
    with open(os.path.join(TREE, file)) as f:
        text = re.split(rf"\n##+ {re.escape(title)}", f.read(), maxsplit=1)[1]
    text = re.split(r"\n##", text.split("\n", 1)[1], maxsplit=1)[0]
    return [re.sub(r"(?m)^    ", "", b).strip() + "\n" for b in re.findall(r"(?m)(?:^    .*\n)+", text)]


class Example:
    """A folder of examples/, on a router whose interfaces have the names that it says."""

    # Filters as Debian's /etc/nftables.conf has them, that let tunnels in; what reaches them of multicast is counted.
    NFT = """table inet filter {
        chain input { type filter hook input priority 0; policy drop; ct state established,related accept;
            udp dport 51820 accept; ip protocol 47 accept; }
        chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; }
    }"""
    IPTABLES = """iptables -P INPUT DROP; iptables -P FORWARD DROP
        iptables -A INPUT -p udp --dport 51820 -j ACCEPT; iptables -A INPUT -p 47 -j ACCEPT
        iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"""
    COUNT = """table ip before { chain seen { type filter hook forward priority -10; policy accept;
        ip daddr 224.0.0.0/4 counter; }; }"""

    def __init__(self, lab, name):
        self.lab, self.folder = lab, os.path.join(EXAMPLES, name)
        self.paper = os.path.relpath(os.path.join(self.folder, "README.md"), TREE)
        lab.sysctl("ipv4/conf/all/rp_filter", 1)
        lab.sysctl("ipv4/conf/default/rp_filter", 1)
        for n in range(1, 5):
            lab.sysctl(f"ipv4/conf/a{n}/rp_filter", 1)
        lab.sysctl("ipv4/ip_forward", 0)

    def text(self, file):
        with open(os.path.join(self.folder, file)) as f:
            return f.read()

    def conf(self, file="smcroute.conf"):
        """A configuration, without an error; what it is warned of is quoted by the paper."""
        p = subprocess.run([SMCROUTE, "smcroute-check", os.path.join(self.folder, file)], capture_output=True,
                           text=True)
        warnings = re.findall(r"warning: (?:line \d+ of \S+ )?(.*)", p.stderr)
        same((p.returncode, len(warnings)), (0, p.stderr.count("warning: ")), p.stderr)
        quoted = " ".join(re.findall(r"(?m)^> (.*)", self.text("README.md")))
        for w in warnings:
            check(w in quoted, f"the paper does not explain: {w}")
        return self.text(file)

    def sh(self, command, inside=None, fails=False):
        if re.search(r"\bsysctl ", command):
            need("sysctl")
        words = ["ip", "netns", "exec", inside] if inside else []
        p = subprocess.run([*words, "sh", "-c", command], env=path(self.lab), text=True, capture_output=True,
                           stdin=subprocess.DEVNULL, cwd=self.folder, timeout=120)
        note(f"$ {command}\n{p.stdout}{p.stderr}")
        check(fails or p.returncode == 0, f"exit status {p.returncode} of {command}")
        return p

    def run(self, title, holding="", **kw):
        """Runs the commands of the blocks below a heading, those with a word in them."""
        found = [b for b in blocks(self.paper, title) if holding in b]
        check(found, f"no {holding} below {title}")
        return [self.sh(b, **kw) for b in found]

    def wire(self, n, name, router, host, kind=(), peer=()):
        """Interface aN becomes one of another name and address: a Host.  `kind` is how a real one is made over it,
        at the router and, with `peer`, at the host; where the kernel has no such kind it is the plain link."""
        lab, at = self.lab, lab_host(n)
        lab.ip_batch([f"addr flush dev a{n}", f"link set a{n} down", f"link set a{n} name under{n}",
                      f"link set under{n} up"])
        real = kind and subprocess.run(["ip", "link", "add", "link", f"under{n}", "name", name, *kind],
                                       capture_output=True).returncode == 0
        if not real:
            lab.ip_batch([f"link set under{n} down", f"link set under{n} name {name}"])
        if kind:
            note(f"{name}: {'a real one' if real else 'a plain link, this kernel has no ' + kind[1]}")
        lab.sysctl(f"ipv4/conf/{name.replace('.', '/')}/rp_filter", 1)
        lab.ip_batch([f"addr add {router} dev {name}", f"link set {name} up"])
        with lab.at(at):
            dev = "over" if real else "eth0"
            if real:
                lab.ip_batch([f"link add link eth0 name over {' '.join(peer or kind)}"])
            lab.ip_batch(["addr flush dev eth0", f"addr add {host} dev {dev}", f"link set {dev} up",
                          f"route replace default via {router.split('/')[0]} dev {dev}"])
        # Not LOWER_UP, which is there before packets are let through (net/core/link_watch.c).
        wait_until(lambda: "state UP" in lab.ip("link", "show", name), f"{name} to run")
        with lab.at(at):
            wait_until(lambda: "state UP" in lab.ip("link", "show", dev), f"{dev} behind {name} to run")
        return Host(lab, at, dev, host.split("/")[0])

    def daemon(self, file="smcroute.conf", *options, name="smcroute", **kw):
        """One that its client finds."""
        sock = f"/run/{name}.sock"
        d = Daemon(self.lab, self.conf(file), ("-u", sock, *options), name=name, **kw)
        d.sock = sock
        return d

    def counted(self):
        """Packets of multicast that the filters have seen."""
        return int(re.search(r"packets (\d+)", self.sh("nft list chain ip before seen").stdout).group(1))

    def filtered(self, flow, base=None):
        """For nft and iptables in turn: a filter that lets nothing pass, and then the lines of the example.  Yields
        when they are in, after each."""
        if not shutil.which("nft"):
            raise Skip("no nft here")
        for kind, file in (("nft", "firewall.nft"), ("iptables", "firewall.sh")):
            if kind == "iptables" and not shutil.which(kind):
                note("no iptables here")
                continue
            if self.sh(f"nft flush ruleset && nft '{self.COUNT}'", fails=True).returncode:
                raise Skip("this kernel has no nftables")
            p = self.sh("set -e\n" + (base or (f"nft '{self.NFT}'" if kind == "nft" else self.IPTABLES)), fails=True)
            if p.returncode:
                note(f"{kind} cannot be had on this kernel")
                continue
            flow.stopped(self.counted)
            self.sh(f"nft -f {file}" if kind == "nft" else f"sh {file}")
            yield kind

    def works(self, flow, *, inside=None):
        """What the paper says to look with finds nothing wrong while the flow goes on."""
        with flow:
            for p in self.run("Does it work?", inside=inside):
                check(p.stdout, "nothing was printed")


def lab_host(n):
    return "h" + "abcd"[n - 1]


class Host:
    """A far end of a link: its sockets are in its namespace."""

    def __init__(self, lab, at, dev, addr):
        self.lab, self.at, self.dev, self.addr = lab, at, dev, addr

    @contextlib.contextmanager
    def socket(self):
        with self.lab.at(self.at):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            yield s, socket.if_nametoindex(self.dev)
        s.setblocking(False)

    def hears(self, group, port, source=None):
        """A socket that has joined a group."""
        with self.socket() as (s, index):
            s.bind((group, port))
            if source:
                s.setsockopt(socket.IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, socket.inet_aton(group) +
                             socket.inet_aton(self.addr) + socket.inet_aton(source))
            else:
                s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                             struct.pack("4s4si", socket.inet_aton(group), b"", index))
        return s

    def says(self, ttl=8, port=0):
        """A socket to send from."""
        with self.socket() as (s, index):
            s.bind((self.addr, port))
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("4s4si", b"", b"", index))
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        return s


class Flow:
    """Packets of one host to a group, and the hosts that are to get them.  As a context: they go on, 100 a second."""

    def __init__(self, source, group, port, *to, ttl=8, ssm=None):
        self.tx, self.where, self.next = source.says(ttl), (group, port), 0
        self.rx = [h.hears(group, port, ssm) for h in to]
        self.got = [[] for _ in to]
        self.others = []		# packets of others to the same group
        self.end = threading.Event()
        self.thread = None

    def send(self, n=1):
        for _ in range(n):
            self.tx.sendto(f"{id(self)} {self.next}".encode(), self.where)
            self.next += 1

    def take(self):
        """How many have come, each of the hosts."""
        for s, got in zip(self.rx, self.got):
            with contextlib.suppress(BlockingIOError):
                while True:
                    data = s.recv(2048).decode().split()
                    if data[0] == str(id(self)):
                        got.append(int(data[1]))
                    else:
                        self.others.append(data)
        return [len(g) for g in self.got]

    def passes(self, n=20):
        """n packets come to each host, once each: the first one and, when it has been let through, the others."""
        self.take()
        begin = self.next
        def came():
            self.take()
            return [sum(i >= begin for i in g) for g in self.got]
        self.send()
        wait_until(lambda: min(came()) >= 1, lambda: f"the first packet to {self.where}: {came()}")
        self.send(n - 1)
        wait_until(lambda: min(came()) >= n, lambda: f"{n} packets to {self.where}: {came()}")
        same(came(), [n] * len(self.rx), f"packets to {self.where}")

    def stopped(self, counted, n=5):
        """n packets come as far as the filters and no further."""
        self.take()
        before, begin = counted(), self.next
        self.send()
        wait_until(lambda: counted() > before, "the first packet at the filter")
        self.send(n - 1)
        wait_until(lambda: counted() >= before + n, "packets at the filter")
        self.take()
        same([i for g in self.got for i in g if i >= begin], [], f"packets to {self.where} through the filter")

    def __enter__(self):
        def go_on():
            while not self.end.wait(0.01):
                self.send()
        self.end.clear()
        self.thread = threading.Thread(target=go_on, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()
