# SPDX-License-Identifier: ISC
#
# A macvlan gets the packets of its lower interface as well, a moment later: out of a queue, if there are several at
# once (drivers/net/macvlan.c, macvlan_broadcast_enqueue).  Where both are routed the kernel asks about the lower one.
import subprocess

from cases import case, main
from lab import Skip, same, wait_until

FAMILIES = (("10.1.0.2", "225.1.2.", 24), ("fd00:1::2", "ff2e::2:", 112))
FLOWS = 30


def macvlan(lab, conf):
    """mv0 of a1, and the daemon that has numbers for both in both families."""
    made = subprocess.run("ip link add mv0 link a1 type macvlan mode bridge".split(), capture_output=True, text=True,
                          check=False)
    if made.returncode:
        raise Skip(f"no macvlan: {made.stderr.strip()}")
    lab.ip_batch(["link set mv0 up", "addr add 10.1.0.77/24 dev mv0", "addr add fd00:1::77/64 dev mv0 nodad"])
    d = lab.daemon(conf)
    wait_until(lambda: all(sum(i["name"] in ("a1", "mv0") and i[vif] is not None for i in
                               d.json("interfaces")["interfaces"]) == 2 for vif in ("vif", "mif")), "numbers of both")
    return d


@case("a source with a rule for the macvlan alone: its first packet goes through, in both families")
def first_packet(lab):
    d = macvlan(lab, "".join(f"mroute from mv0 group {group}0/{length} to a3\n" for _, group, length in FAMILIES)
                + "phyint a1 enable\n")
    flows = [lab.send("a1", source, f"{group}{n}") for source, group, _ in FAMILIES for n in range(1, FLOWS + 1)]
    for flow in flows:
        lab.expect(flow, "a3")
    table = lab.mroutes()
    same([table.get(flow[:2]) for flow in flows], [("mv0", ["a3"])] * len(flows), "entries")
    same([line for line in d.log().splitlines() if ", blocked" in line or " moved to " in line], [], "in the log")


@case("the lower interface's own rule comes first, and a rule that comes later takes what is blocked")
def lower(lab):
    d = macvlan(lab, "".join(f"mroute from mv0 group {group}1 to a3\nmroute from a1 group {group}1 to a4\n"
                             for _, group, _ in FAMILIES))
    for source, group, _ in FAMILIES:
        lab.expect(lab.send("a1", source, f"{group}1"), "a4")
        lab.expect(lab.send("a1", source, f"{group}2"))
        # The macvlan has its copy by a queue of its own (drivers/net/macvlan.c), which is mostly the later one.
        wait_until(lambda: lab.route(source, f"{group}2") in (("a1", []), ("mv0", [])), "an entry without a rule")
        d.do("add", "mv0", f"{group}2", "a3")
        lab.expect(lab.send("a1", source, f"{group}2"), "a3")


if __name__ == "__main__":
    main()
