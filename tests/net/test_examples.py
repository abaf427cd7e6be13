# SPDX-License-Identifier: ISC
#
# examples/, as they stand there: interfaces and addresses of the pictures, configurations, filters and commands of the
# folders, packets of programs that use sockets.  A VLAN or a tunnel is a real one where the kernel has it (make vm).
import contextlib
import re
import shutil

from cases import case, main
from examples import Example, Flow, Host, blocks
from lab import Skip, check, note, same, wait_until


def answered(asker, answerer, group, port, ttl=2):
    """A search by multicast, answered by unicast to where it came from."""
    heard, question, answer = answerer.hears(group, port), asker.says(ttl), answerer.says(port=port)
    question.sendto(b"search", (group, port))
    def heard_it():
        with contextlib.suppress(BlockingIOError):
            return heard.recvfrom(2048)[1]
    where = wait_until(heard_it, "the search")
    same(where[0], asker.addr, "who searches")
    def came():
        answer.sendto(b"here", where)
        with contextlib.suppress(BlockingIOError):
            return question.recv(2048)
    same(wait_until(came, "the answer"), b"here", "answer")


def member(lab, iface, group):
    return group in lab.ip("maddr", "show", "dev", iface)


def wireguard(lab, x):
    """The tunnel of the paper to hb, with the AllowedIPs that it says; or a plain link of its name."""
    if not shutil.which("wg") or x.sh("ip link add wg0 type wireguard", fails=True).returncode:
        note("wg0: a plain link, there is no wg here or no wireguard in this kernel")
        phone = x.wire(2, "wg0", "10.9.0.1/24", "10.9.0.2/24")
        lab.ip("link", "set", "wg0", "multicast", "off")
        return phone
    x.wire(2, "wan0", "203.0.113.1/24", "203.0.113.2/24")
    x.sh("ip link add wg0 type wireguard", inside="hb")
    allowed = [ips.replace(" ", "") for ips in re.findall("AllowedIPs = (.*)", "".join(blocks(x.paper, "Set up")))]
    keys = [x.sh("wg genkey").stdout.strip() for _ in range(2)]
    public = [x.sh(f"echo {key} | wg pubkey").stdout.strip() for key in keys]
    for i, (at, options, address) in enumerate(((None, "", "10.9.0.1/24"),
                                                ("hb", "endpoint 203.0.113.1:51820", "10.9.0.2/24"))):
        x.sh(f"wg set wg0 private-key {lab.write('key', keys[i])} listen-port 51820 peer {public[1 - i]} "
             f"allowed-ips {allowed[i]} {options}; ip addr add {address} dev wg0; ip link set wg0 up", inside=at)
    x.sh("ip route replace default dev wg0", inside="hb")
    note(x.sh("wg show; ip link show wg0").stdout)
    return Host(lab, "hb", "wg0", "10.9.0.2")


@case("ssdp-wireguard: a search through the tunnel, the answer, through both kinds of filter")
def ssdp(lab):
    group = "239.255.255.250"
    x = Example(lab, "ssdp-wireguard")
    tv = x.wire(1, "br-lan", "192.168.1.1/24", "192.168.1.10/24")
    phone = wireguard(lab, x)
    x.run("Set up", "sysctl")
    x.daemon()
    check(member(lab, "br-lan", group) and member(lab, "wg0", group), "not joined on both")
    search, alive = Flow(phone, group, 1900, tv, ttl=2), Flow(tv, group, 1900, phone, ttl=2)
    search.passes()
    for _ in x.filtered(search):
        search.passes()
        alive.passes()
        answered(phone, tv, group, 1900)
    with alive:
        x.works(search)


@case("cast-vlan: a search between VLANs, answered from port 1900, through both kinds of filter")
def cast(lab):
    group = "239.255.255.250"
    x = Example(lab, "cast-vlan")
    phone = x.wire(1, "eth0.10", "192.168.10.1/24", "192.168.10.2/24", ("type", "vlan", "id", "10"))
    player = x.wire(2, "eth0.20", "192.168.20.1/24", "192.168.20.2/24", ("type", "vlan", "id", "20"))
    x.run("Set up", "sysctl")
    x.daemon()
    check(member(lab, "eth0.10", group) and member(lab, "eth0.20", group), "not joined on both")
    search, alive = Flow(phone, group, 1900, player, ttl=4), Flow(player, group, 1900, phone, ttl=4)
    for _ in x.filtered(search):
        search.passes()
        alive.passes()
        answered(phone, player, group, 1900)
    with alive:
        x.works(search)
    reflector = x.text("avahi-daemon.conf")
    check("[reflector]\nenable-reflector=yes" in reflector and "eth0.10,eth0.20" in reflector, reflector)


@case("iptv: joined by source, to two rooms; without a route to the senders nothing comes")
def iptv(lab):
    x = Example(lab, "iptv")
    sender = x.wire(1, "eth0.10", "10.64.0.2/24", "10.64.0.1/24", ("type", "vlan", "id", "10"))
    with lab.at(sender.at):
        lab.ip("addr", "add", "10.20.0.9/32", "dev", sender.dev)
        lab.ip("addr", "add", "10.20.0.12/32", "dev", sender.dev)
    sender.addr = "10.20.0.9"
    rooms = [x.wire(n, f"eth1.{i}", f"192.168.{i}.1/24", f"192.168.{i}.2/24", ("type", "vlan", "id", str(i)))
             for n, i in ((2, 20), (3, 30))]
    x.daemon()
    check(member(lab, "eth0.10", "232.10.0.0") and member(lab, "eth0.10", "232.10.0.63"), "not joined")
    with open("/proc/net/mcfilter") as f:
        same(sum("0x0a140009" in line for line in f), 64, "memberships of this source")
    channel = Flow(sender, "232.10.0.7", 5000, *rooms, ssm="10.20.0.9")
    def refused():
        with open("/proc/net/netstat") as f:
            names, values = [line.split() for line in f if line.startswith("TcpExt:")]
        return int(dict(zip(names, values))["IPReversePathFilter"])
    before = refused()
    channel.send(5)
    wait_until(lambda: refused() >= before + 5, "packets without a route back to be refused")
    same(channel.take(), [0, 0], "packets without a route back")
    x.run("Set up", "ip route")
    for _ in x.filtered(channel):
        channel.passes()
    x.works(channel)
    # Another sender is not the provider's: it gets an entry that stops it.
    sender.addr = "10.20.0.12"
    stranger = Flow(sender, "232.10.0.8", 5000, *rooms)
    stranger.send(5)
    wait_until(lambda: lab.route("10.20.0.12", "232.10.0.8") == ("eth0.10", []), "the stranger to be blocked")
    same(stranger.take(), [0, 0], "packets of a stranger")


@case("docker: into and out of a bridge that comes later, through Docker's own chain")
def docker(lab):
    docker_chains = """iptables -P FORWARD DROP; iptables -N DOCKER-USER
        iptables -A DOCKER-USER -j RETURN; iptables -I FORWARD -j DOCKER-USER"""
    x = Example(lab, "docker")
    network = x.wire(1, "eth0", "192.168.1.5/24", "192.168.1.10/24")
    container = x.wire(3, "veth1", "172.17.0.1/16", "172.17.0.2/16")
    x.daemon()
    lab.ip_batch(["link add docker0 type bridge", "addr flush dev veth1", "link set veth1 master docker0",
                  "addr add 172.17.0.1/16 dev docker0", "link set docker0 up"])
    lab.sysctl("ipv4/conf/docker0/rp_filter", 1)
    wait_until(lambda: "state UP" in lab.ip("link", "show", "docker0"), "the bridge")
    into, out = Flow(network, "239.1.2.3", 5000, container), Flow(container, "239.4.5.6", 5000, network)
    wait_until(lambda: lab.ip("mroute") is not None and member(lab, "eth0", "239.1.2.3"), "the membership")
    into.passes()
    for _ in x.filtered(into, docker_chains):
        into.passes()
        out.passes()
    x.works(into)


@case("someip: discovery both ways with a TTL of 1, events, the service by unicast")
def someip(lab):
    group = "224.244.224.245"
    x = Example(lab, "someip")
    left = x.wire(1, "eth0", "192.168.10.1/24", "192.168.10.2/24")
    right = x.wire(2, "eth1", "192.168.20.1/24", "192.168.20.2/24")
    x.run("Set up", "sysctl")
    x.daemon()
    there, back = Flow(left, group, 30490, right, ttl=1), Flow(right, group, 30490, left, ttl=1)
    loud = Flow(left, group, 30490, right, ttl=2)
    events = Flow(left, "239.192.255.7", 30501, right)
    for _ in x.filtered(loud):
        there.passes()
        back.passes()
        events.passes()
        answered(right, left, group, 30490)
    with back:
        x.works(there)


@case("redundant: the same source and group in two networks, each by its own table")
def redundant(lab):
    x = Example(lab, "redundant")
    feeds = [x.wire(n, f"eth{n - 1}", f"10.{n}.0.1/24", f"10.{n}.0.2/24") for n in (1, 2)]
    ends = [x.wire(n, f"eth{n - 1}", f"10.{n}.0.1/24", f"10.{n}.0.2/24") for n in (3, 4)]
    for h in feeds:
        with lab.at(h.at):
            lab.ip("addr", "add", "10.0.0.9/32", "dev", h.dev)
        h.addr = "10.0.0.9"
    if x.run("Set up", "ip mrule", fails=True)[0].returncode:
        raise Skip("this kernel has one table only")
    x.run("Set up", "rp_filter")
    same([b for b in blocks(x.paper, "Set up") if "smcrouted" in b],
         ["smcrouted -n -i smcroute-a\nsmcrouted -n -i smcroute-b -t 100\n"], "the two daemons")
    x.daemon("smcroute-a.conf", name="smcroute-a")
    x.daemon("smcroute-b.conf", "-t", "100", name="smcroute-b")
    a, b = [Flow(f, "239.50.0.1", 5000, e) for f, e in zip(feeds, ends)]
    with b:
        for _ in x.filtered(a):
            a.passes()
        x.works(a)
    b.passes()
    same((a.others, b.others), ([], []), "packets of the other network")


def tunnel(lab, x):
    """The tunnel of the paper to hb; where the kernel has none a plain link of its name."""
    x.wire(2, "wan0", "203.0.113.1/24", "203.0.113.2/24")
    make, = [b for b in blocks(x.paper, "Set up") if "ip tunnel" in b]
    if x.sh(make, fails=True).returncode == 0:
        for a, b in (("203.0.113.1", "203.0.113.3"), ("203.0.113.2", "203.0.113.1"), ("203.0.113.3", "203.0.113.2"),
                     ("10.255.0.1", "10.255.0.2")):
            make = make.replace(a, b)
        x.sh(make, inside="hb")
        return
    note("gre1: a plain link, this kernel has no gre")
    for dev, address, at in (("wan0", "10.255.0.1/30", None), ("eth0", "10.255.0.2/30", "hb")):
        x.sh(f"ip addr flush dev {dev}; ip link set {dev} down; ip link set {dev} name gre1; ip link set gre1 up;"
             f"ip addr add {address} dev gre1", inside=at)


@case("site-to-site: two routers with a tunnel between, both ways, through both kinds of filter")
def site_to_site(lab):
    x = Example(lab, "site-to-site")
    left = x.wire(1, "eth1", "192.168.10.1/24", "192.168.10.2/24")
    tunnel(lab, x)
    right = x.wire(3, "eth9", "192.168.20.1/24", "192.168.20.2/24")
    lab.ip("link", "set", "eth9", "netns", "hb")
    with lab.at("hb"):
        lab.ip_batch(["link set eth9 name eth1", "addr add 192.168.20.1/24 dev eth1", "link set eth1 up"])
    x.run("Set up", "ip route")
    x.sh("sysctl -w net.ipv4.ip_forward=1; ip route replace 192.168.10.0/24 via 10.255.0.1", inside="hb")
    x.daemon("left.conf")
    x.daemon("right.conf", name="right", wrap=("ip", "netns", "exec", "hb"))
    there, back = Flow(left, "239.10.1.1", 5000, right, ttl=3), Flow(right, "239.20.1.1", 5000, left, ttl=3)
    there.passes()
    for _ in x.filtered(there):
        there.passes()
        back.passes()
        answered(left, right, "239.10.1.1", 5000, ttl=3)
    x.works(there)


if __name__ == "__main__":
    main()
