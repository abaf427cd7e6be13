# SPDX-License-Identifier: ISC
#
# Reload: differences only, all or nothing, and no packet lost over it.
from cases import case, main
from lab import check, same

BOTH = (("10.1.0.9", "225.1.1.1", "225.1.0.0/16"), ("fd00:1::9", "ff2e::11", "ff2e::/112"))


def by_signal(d, conf):
    d.hup(conf)


def by_client(d, conf):
    d.write(conf)
    rc, _, err = d.ctl("reload")
    same((rc, err), (0, ""), "reload")


@case("SIGHUP: what stays keeps its counters", by_signal)
@case("reload command: what stays keeps its counters", by_client)
def counters(lab, again):
    conf = "".join(f"mroute from a1 source {s} group {g} to a2\n" for s, g, _ in BOTH)
    d = lab.daemon(conf)
    for s, g, _ in BOTH:
        lab.passes("a1", s, g, "a2", n=20)
    again(d, conf)
    for s, g, _ in BOTH:
        same(lab.counted(s, g), 20, f"packets of {g} after the same config again")
    again(d, "# new\n" + conf.replace("a2", "a2 a3") + "mroute from a2 group 225.9.9.9 to a4\n")
    for s, g, _ in BOTH:
        same(lab.route(s, g), ("a1", ["a2", "a3"]), "grown")
        same(lab.counted(s, g), 20, f"packets of {g} after an output came")
        lab.passes("a1", s, g, "a2", "a3")
    again(d, conf.replace("a2", "a3"))
    for s, g, _ in BOTH:
        same(lab.counted(s, g), 40, f"packets of {g} after an output went")
        lab.passes("a1", s, g, "a3")
    again(d, "")
    same([g for _, g in lab.mroutes() if not g.startswith("239.255.255")], [], "groups left")


@case("learned entries follow their templates")
def learned(lab):
    conf = "".join(f"mroute from a1 group {wide} to a2\n" for _, _, wide in BOTH)
    d = lab.daemon(conf)
    for s, g, _ in BOTH:
        lab.passes("a1", s, g, "a2")
    d.hup(conf)
    for s, g, _ in BOTH:
        same(lab.counted(s, g), 20, f"packets of {g}")
    d.hup(conf.replace("a2", "a2 a3"))
    for s, g, _ in BOTH:
        lab.passes("a1", s, g, "a2", "a3")
    d.hup("")
    for s, g, _ in BOTH:
        lab.passes("a1", s, g)


@case("what the client added goes with a reload")
def run_time(lab):
    d = lab.daemon()
    d.do("add", "a1", "10.1.0.9", "225.1.1.1", "a2")
    d.hup("")
    same(lab.route("10.1.0.9", "225.1.1.1"), None, "the added route")


@case("a file with errors changes nothing; the client prints them and exits 78")
def broken(lab):
    conf = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\n"
    d = lab.daemon(conf)
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    before = lab.mroutes()
    d.write("mroute from a1 group 225.2.2.2 to a2\nmroute form a1 group 225.1.1.1 to a2\n"
            "mroute from a1 group 10.0.0.1 to a2\n")
    rc, out, err = d.ctl("reload")
    same((rc, out), (78, ""), "status")
    for where in (":4:8: error:", ":5:22: error:"):
        check(d.conf + where in err, f"no {where} in\n{err}")
    same(lab.mroutes(), before, "entries")
    same(lab.counted("10.1.0.9", "225.1.1.1"), 20, "packets")
    d.hup(conf + "mroute from a1 source 10.1.0.9 group 225.1.1.2 to a2\n")
    check(lab.route("10.1.0.9", "225.1.1.2"), "the mended file is not in force")


@case("lines without effect stop neither start nor reload, which tell of them")
def harmless(lab):
    lost = ("mgroup from a1 group 224.0.0.0/4\n", "mgroup from a1 source fd00:1::/48 group ff05::fd\n",
            "include no/such.conf\n")
    d = lab.daemon("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\n" + "".join(lost))
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    same(d.log().count(": warning: without effect: "), len(lost), "warnings of the start")
    d.write("".join(lost) + "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a3\nmgroup from a1 group 225.2.2.2\n")
    rc, _, err = d.ctl("reload")
    same((rc, err.count(": warning: without effect: ")), (0, len(lost)), f"reload: {err!r}")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a3")
    same([g["group"] for g in d.json("groups")["groups"]["conf"]], ["225.2.2.2"], "groups")


@case("an interface's number stays while others come and go")
def numbers(lab):
    d = lab.daemon("mroute from a2 group 225.1.1.1 to a3\n")
    def numbers_now():
        return {i["name"]: i["vif"] for i in d.json("interfaces")["interfaces"] if i["vif"] is not None}
    before = numbers_now()
    lab.links("a5", "a6")
    d.hup("mroute from a5 group 225.1.1.1 to a6\nmroute from a3 group 225.1.1.1 to a2\n")
    after = numbers_now()
    same({n: after[n] for n in before}, before, "numbers that were there")
    d.hup("")
    same(numbers_now(), before, "numbers after they went")


@case("no packet is lost across 20 reloads that change other rules")
def stream(lab):
    mine = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a3\nmroute from a1 group ff2e::11 to a2\n"
    d = lab.daemon(mine)
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2")
    flows = []
    for turn in range(20):
        d.write(mine + "".join(f"mroute from a2 source 10.2.0.{i} group 225.2.{turn}.{i} to a4\n"
                               for i in range(1, 21)))
        d.proc.send_signal(1)
        for _ in range(10):
            flows.append(("a2", "a3", lab.send("a1", "10.1.0.9", "225.1.1.1", 5)))
            flows.append(("a2", None, lab.send("a1", "fd00:1::9", "ff2e::11", 5, every=0.0002)))
        lab.collect()
    lab.mark()
    for first, second, flow in flows:
        same(lab.arrived(first, flow), 5, "packets on " + first)
        same(lab.arrived("a3", flow), 5 if second else 0, "packets on a3")


if __name__ == "__main__":
    main()
