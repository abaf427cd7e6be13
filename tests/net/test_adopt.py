# SPDX-License-Identifier: ISC
#
# Sockets that are handed to a daemon: routing goes on as it was.
from cases import case, main
from holder import close, copy, heir
from lab import check, same


RULES = ("mroute from a1 source 10.1.0.2 group 225.1.2.3 to a2 a3\n"
         "mroute from a1 source fd00:1::2 group ff2e::123 to a2 a3\n"
         "mroute from a1 group 225.9.0.0/16 to a3\nmroute from a1 group ff2e::9:0/112 to a3\n"
         "mroute from a2 group 225.8.8.8 kernel to a4\nmroute from a2 group ff2e::8:8 kernel to a4\n"
         "phyint a3 ttl-threshold 3\n")


def vifs(d):
    return [(i["name"], i["vif"], i["mif"], i["ttl_threshold"]) for i in d.json("interfaces")["interfaces"]]


@case("routes of all kinds go on when their daemon is killed")
def go_on(lab):
    d = lab.daemon(RULES)
    flows = [("a1", "10.1.0.2", "225.1.2.3", "a2", "a3"), ("a1", "fd00:1::2", "ff2e::123", "a2", "a3"),
             ("a1", "10.1.0.9", "225.9.1.1", "a3"), ("a1", "fd00:1::9", "ff2e::9:1", "a3"),
             ("a2", "10.2.0.7", "225.8.8.8", "a4"), ("a2", "fd00:2::7", "ff2e::8:8", "a4")]
    for flow in flows:
        lab.passes(*flow)
    held, before = copy(d.proc.pid), lab.mroutes()
    numbers = vifs(d)
    d.proc.kill()
    d.proc.wait()
    same(lab.mroutes(), before, "routes without a daemon")
    for iface, src, group, *outs in flows:
        lab.expect(lab.send(iface, src, group, 5), *outs)
    d = heir(lab, held, lab.MARKS + RULES)
    same(lab.mroutes(), before, "routes afterwards")
    same(vifs(d), numbers, "numbers and thresholds")
    check("0 added, 0 changed, 0 removed" in d.log(), "something was changed")
    for iface, src, group, *outs in flows:
        lab.expect(lab.send(iface, src, group, 5), *outs)
        if "8" not in group:
            same(lab.counted(src, group), 30, f"packets of {group}")
    close(held)


if __name__ == "__main__":
    main()
