# SPDX-License-Identifier: ISC
#
# smcroute-check doctor, where packets end at a filter, reverse path or firewall:
# each case is set up for real.  It has to be named, and the commands that are
# printed, run as printed, have to make the packets flow; then they are said to be
# forwarded.
import subprocess

from cases import case, main
from lab import Skip, check, same
from sick import RULES, V4, V6, Stream, cured, daemon, doctor, doctors, need

for name, flow in (("IPv4", V4), ("IPv6", V6)):
    for hook in ("prerouting", "forward", "postrouting"):
        @case(f"packet filter, nftables at {hook}, {name}", hook, *flow)
        def firewall(lab, hook, src, group):
            need("nft")
            daemon(lab, RULES)
            with Stream(lab, "a1", src, group) as s:
                subprocess.run(["nft", f"add table inet house; add chain inet house doors {{ type filter hook {hook} "
                                "priority 0; policy drop; }; add rule inet house doors ct state established accept"],
                               check=True)
                cured(lab, s, "firewall", group, "a2", blind="unsure" if hook == "prerouting" else None)


for source, text in (("10.2.0.9", "routed elsewhere"), ("192.0.2.77", "not routed at all")):
    for key, other in (("all", False), ("a1", False), ("a1", True)):
        @case(f"reverse path filter: source {text}, set on {key}{', the other way' if other else ''}", key, source,
              other)
        def rp_filter(lab, key, src, other):
            daemon(lab, RULES)
            try:
                with open(f"/proc/sys/net/ipv4/conf/{key}/rp_filter", "w") as f:
                    f.write("1")
            except OSError:
                raise Skip("/proc/sys cannot be written") from None
            with Stream(lab, "a1", src, "225.1.2.3") as s:
                cured(lab, s, "rp_filter", "225.1.2.3", "a2", other=other, blind="unsure")


@case("packet filter: iptables, policy DROP")
def iptables(lab):
    need("iptables")
    daemon(lab, RULES)
    with Stream(lab, "a1", *V4) as s:
        subprocess.run(["iptables", "-P", "FORWARD", "DROP"], check=True)
        cured(lab, s, "firewall", V4[1], "a2")


@case("another group goes the same way: its packets are not taken for these")
def busy(lab):
    need("nft")
    daemon(lab, RULES + "mroute from a1 group 225.9.9.9 to a2\n")
    with Stream(lab, "a1", "10.1.0.9", "225.9.9.9") as other, Stream(lab, "a1", *V4, ttl=1):
        other.flows("a2")
        # Without the packets nobody knows whose are the ones that lack, unless more lack than there are others.
        rights, without = (v[:2] for v in doctors(lab, V4[1]))
        same(rights, (1, ["ttl"]), "verdict")
        check(without in ((2, []), (1, ["ttl"])), f"verdict without capabilities: {without}")
        same(doctor(lab, "225.9.9.9")[:2], (0, ["fine"]), "verdict on the other")
    subprocess.run(["nft", "add table ip house; add chain ip house doors { type filter hook forward priority 0; }; "
                    "add rule ip house doors ip daddr 225.1.2.3 drop"], check=True)
    with Stream(lab, "a1", "10.1.0.9", "225.9.9.9") as other, Stream(lab, "a1", *V4) as s:
        other.flows("a2")
        same(doctor(lab, "225.9.9.9")[:2], (0, ["fine"]), "verdict on the other")
        cured(lab, s, "firewall", V4[1], "a2", blind="maybe")


if __name__ == "__main__":
    main()
