# SPDX-License-Identifier: ISC
#
# smcroute-check doctor: each case that it knows is set up for real.  It has to
# name it, and the commands it prints, run as printed, have to make the packets
# flow; then it has to say that they are forwarded.
import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time

from cases import case, main
from lab import SMCROUTE, Daemon, Skip, check, note, same, wait_until
from packet import ETH_P_IP, address, frame

V4, V6 = ("10.1.0.9", "225.1.2.3"), ("fd00:1::9", "ff2e::123")
BLIND = ("unshare", "-U")		# no capability counts there


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            raise Skip(f"no {p} here")


def sized(src, group, ttl, number, size):
    """A frame with an IP packet of that many bytes that must not be fragmented (IPv4)."""
    data = bytearray(frame(src, group, ttl, number))
    fill = bytes(14 + size - len(data))
    if data[12:14] == ETH_P_IP.to_bytes(2, "big"):
        data[16:18], data[20] = size.to_bytes(2, "big"), 0x40
        total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(14, 34, 2) if i != 24)
        total = (total & 0xFFFF) + (total >> 16)
        data[24:26] = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big")
        data[38:40] = (size - 20).to_bytes(2, "big")
    else:
        data[18:20] = data[58:60] = (size - 40).to_bytes(2, "big")
    return bytes(data) + fill


class Stream(contextlib.AbstractContextManager):
    """Packets into an interface of the router, 50 a second, until the end."""

    def __init__(self, lab, iface, src, group, ttl=16, size=0, sock=None):
        self.tx = sock or lab.senders[lab.host(iface)]
        self.make = lambda i: sized(src, group, ttl, i, size) if size else frame(src, group, ttl, i)
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.lab, self.group = lab, group
        self.thread.start()

    def run(self):
        i = 1 << 24
        while not self.end.wait(0.02):
            with contextlib.suppress(OSError):		# the link is down
                self.tx.send(self.make(i))
            i += 1

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()

    def seen(self, iface):
        self.lab.collect()
        return sum(n for key, n in self.lab.seen[self.lab.host(iface)].items()
                   if key[1] == address(self.group))

    def flows(self, *ifaces):
        """Until more packets come out of each of ifaces."""
        before = {i: self.seen(i) for i in ifaces}
        wait_until(lambda: all(self.seen(i) > before[i] + 5 for i in ifaces), f"packets on {' '.join(ifaces)}", 10)


def path(lab):
    """The programs under their names in PATH, as an administrator has them."""
    bin_dir = lab.path("bin")
    if not os.path.isdir(bin_dir):
        os.mkdir(bin_dir)
        subprocess.run([SMCROUTE, "--install", "-s", bin_dir], check=True)
    return dict(os.environ, PATH=f"{bin_dir}:{os.environ['PATH']}")


def daemon(lab, conf="", *options, marks=True):
    """A daemon where smcroutectl looks for it."""
    d = Daemon(lab, (lab.MARKS if marks else "") + conf, ("-u", "/run/smcroute.sock", *options))
    d.sock = "/run/smcroute.sock"
    return d


def doctor(lab, group, *words, wrap=()):
    """(exit status, verdicts, fixes)"""
    rc, out, err = lab.run(*wrap, path(lab)["PATH"].split(":")[0] + "/smcroute-check", "doctor", "-j", group, "1",
                           *words)
    same(err, "", "stderr")
    found = json.loads(out)["findings"]
    note(json.dumps(found, indent=1))
    return rc, [f["what"] for f in found if f["severity"] in ("error", "good")], [c for f in found for c in f["fix"]]


def paste(lab, commands):
    check(commands, "no command was printed")
    for c in commands:
        p = subprocess.run(["sh", "-c", c], env=path(lab), text=True, capture_output=True, stdin=subprocess.DEVNULL)
        note(f"$ {c}\n{p.stdout}{p.stderr}")
        same(p.returncode, 0, f"exit status of {c}")


def cured(lab, stream, verdict, group, *outs, words=(), settle=0.3):
    """The verdict, then its commands, then packets and a clean verdict."""
    time.sleep(settle)
    rc, verdicts, fixes = doctor(lab, group, *words)
    same((rc, verdicts), (1, [verdict]), "verdict")
    paste(lab, fixes)
    stream.flows(*outs)
    rc, verdicts, _ = doctor(lab, group, *words)
    same((rc, verdicts), (0, ["fine"]), "verdict afterwards")


RULES = "mroute from a1 group 225.1.2.3 to a2\nmroute from a1 group ff2e::123 to a2\n"

for name, flow in (("IPv4", V4), ("IPv6", V6)):
    @case(f"forwarded fine, {name}", *flow)
    def fine(lab, src, group):
        daemon(lab, RULES)
        with Stream(lab, "a1", src, group) as s:
            s.flows("a2")
            same(doctor(lab, group), (0, ["fine"], []), "verdict")
            same(doctor(lab, group, wrap=BLIND)[:2], (0, ["fine"]), "verdict without capabilities")

    @case(f"TTL too small, {name}", *flow)
    def ttl(lab, src, group):
        need("nft")
        daemon(lab, RULES)
        with Stream(lab, "a1", src, group, ttl=1) as s:
            same(doctor(lab, group, wrap=BLIND)[:2], (1, ["ttl"]), "verdict without capabilities")
            cured(lab, s, "ttl", group, "a2")

    @case(f"too large for the output, {name}", *flow)
    def mtu(lab, src, group):
        daemon(lab, RULES)
        lab.ip("link", "set", "a2", "mtu", "1300")
        with Stream(lab, "a1", src, group, size=1400) as s:
            same(doctor(lab, group, wrap=BLIND)[:2], (1, ["mtu"]), "verdict without capabilities")
            cured(lab, s, "mtu", group, "a2")

    @case(f"wrong input interface, {name}", *flow)
    def wrong_iif(lab, src, group):
        daemon(lab, f"mroute from a3 source {src} group {group} to a2\nmroute from a1 group ff2e::ff to a2\n")
        with Stream(lab, "a1", src, group) as s:
            cured(lab, s, "wrong_iif", group, "a2")

    @case(f"no VIF there, {name}", *flow)
    def no_vif(lab, src, group):
        lab.links("a5")
        daemon(lab, RULES)
        with Stream(lab, "a5", src, group) as s:
            cured(lab, s, "no_vif", group, "a2", words=(lab.path("smcroute.conf"),))

    @case(f"no rule, {name}", *flow)
    def no_rule(lab, src, group):
        daemon(lab, f"mroute from a1 group ff2e::ff to a3\nmroute from a3 group {group} to a2\n")
        with Stream(lab, "a1", src, group) as s:
            time.sleep(0.2)
            same(doctor(lab, group, wrap=BLIND)[:2], (1, ["no_rule"]), "verdict without capabilities")
            cured(lab, s, "no_rule", group, "a2", words=(lab.path("smcroute.conf"),))

    for hook in ("prerouting", "forward", "postrouting"):
        @case(f"packet filter, nftables at {hook}, {name}", hook, *flow)
        def firewall(lab, hook, src, group):
            need("nft")
            daemon(lab, RULES)
            with Stream(lab, "a1", src, group) as s:
                subprocess.run(["nft", f"add table inet house; add chain inet house doors {{ type filter hook {hook} "
                                "priority 0; policy drop; }; add rule inet house doors ct state established accept"],
                               check=True)
                cured(lab, s, "firewall", group, "a2")

    @case(f"routes in a table without a rule, {name}", *flow)
    def table(lab, src, group):
        daemon(lab, RULES, "-t", "100")
        with Stream(lab, "a1", src, group) as s:
            cured(lab, s, "table", group, "a2")

    @case(f"nothing arrives: the interface is down, {name}", *flow)
    def down(lab, src, group):
        daemon(lab, RULES)
        lab.ip("link", "set", "a1", "down")
        with Stream(lab, "a1", src, group) as s:
            cured(lab, s, "nothing", group, "a2", words=(lab.path("smcroute.conf"),))

    @case(f"nothing arrives: a switch upstream snoops, {name}", *flow)
    def snooping(lab, src, group):
        daemon(lab, RULES)
        with lab.at("ha"):
            # It floods until its querier has been heard: at once, with a short time to answer.
            lab.ip_batch(["link add br0 type bridge mcast_snooping 1 mcast_query_response_interval 10 "
                          "mcast_igmp_version 3 mcast_mld_version 2",
                          "link set br0 type bridge mcast_querier 1",
                          "link add q0 type veth peer name p0", "link set p0 master br0", "link set eth0 master br0",
                          "addr add 10.1.0.77/24 dev br0", "addr add fe80::77/64 dev br0 nodad",
                          "link set q0 up", "link set p0 up", "link set br0 up"])
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sock.bind(("q0", 0))
        time.sleep(1.5)
        with Stream(lab, "a1", src, group, sock=sock) as s:
            cured(lab, s, "nothing", group, "a2", words=(lab.path("smcroute.conf"),))

    @case(f"no router runs, {name}", *flow)
    def no_router(lab, src, group):
        conf = lab.write("own.conf", RULES)
        with Stream(lab, "a1", src, group) as s:
            try:
                cured(lab, s, "no_vif", group, "a2", words=(conf,))
            finally:
                lab.run(path(lab)["PATH"].split(":")[0] + "/smcroutectl", "kill")


for source, text in (("10.2.0.9", "routed elsewhere"), ("192.0.2.77", "not routed at all")):
    for key in ("all", "a1"):
        @case(f"reverse path filter: source {text}, set on {key}", key, source)
        def rp_filter(lab, key, src):
            daemon(lab, RULES)
            try:
                with open(f"/proc/sys/net/ipv4/conf/{key}/rp_filter", "w") as f:
                    f.write("1")
            except OSError:
                raise Skip("/proc/sys cannot be written") from None
            with Stream(lab, "a1", src, "225.1.2.3") as s:
                same(doctor(lab, "225.1.2.3", wrap=BLIND)[:2], (1, ["rp_filter"]), "verdict without capabilities")
                cured(lab, s, "rp_filter", "225.1.2.3", "a2")


@case("packet filter: iptables, policy DROP")
def iptables(lab):
    need("iptables")
    daemon(lab, RULES)
    with Stream(lab, "a1", *V4) as s:
        subprocess.run(["iptables", "-P", "FORWARD", "DROP"], check=True)
        cured(lab, s, "firewall", V4[1], "a2")


@case("several sources, one of them with a TTL of 1")
def several(lab):
    daemon(lab, RULES)
    with Stream(lab, "a1", "10.1.0.8", V4[1]) as good, Stream(lab, "a1", "10.1.0.9", V4[1], ttl=1):
        good.flows("a2")
        rc, verdicts, _ = doctor(lab, V4[1])
        same((rc, sorted(verdicts)), (1, ["fine", "ttl"]), "verdicts")


@case("an output that is down")
def output(lab):
    daemon(lab, RULES.replace("to a2", "to a2 a3"))
    lab.ip("link", "set", "a3", "down")
    with Stream(lab, "a1", *V4) as s:
        s.flows("a2")
        cured(lab, s, "output", V4[1], "a2", "a3")


@case("words: what is no group, no number, of link scope")
def words(lab):
    check_prog = (SMCROUTE, "smcroute-check", "doctor")
    for argv in ((), ("10.0.0.1",), ("225.1.2.3", "0"), ("225.1.2.3", "99999"), ("225.1.2.3", "1", "/nowhere"),
                 ("225.1.2.3", "1", "a", "b")):
        same(lab.run(*check_prog, *argv)[0], 64, f"exit status of {argv}")
    for group in ("224.0.0.251", "ff02::fb"):
        rc, out, _ = lab.run(*check_prog, group)
        check(rc == 1 and "reflector" in out, out)


if __name__ == "__main__":
    main()
