# SPDX-License-Identifier: ISC
#
# What waits for interfaces is told: in the log a line an interface, in the answer to a reload, to the init system.
from cases import case, main
from lab import Daemon, check, same, wait_until


def lines(d):
    """What the log says of waiting, so far."""
    return [line for line in d.log().splitlines()
            if " wait for it" in line or " waits for it" in line or "any more" in line]


def rules(iface, n, six=False):
    return "".join(f"mroute from a1 group {'ff2e::' if six else '225.1.1.'}{i + 1} to {iface}\n" for i in range(n))


@case("at the start, when interfaces come and go, and at a reload")
def told(lab):
    d = Daemon(lab, rules("wg0", 2) + rules("wg0", 1, True) + rules("wg1", 1) + "mgroup from wg1 group 225.9.9.9\n"
               "mroute from eth+ group 225.2.2.2 to a2\nphyint a3 disable\nmroute from a3 group 225.2.2.3 to a2\n")
    want = ["a3: disabled: 1 rule waits for it", "eth+: no interface matches: 1 rule waits for it",
            "wg0 does not exist yet: 3 rules wait for it",
            "wg1 does not exist yet: 1 rule and 1 group wait for it"]
    same(lines(d), want, "at the start")
    lab.ip("link", "add", "wg0", "type", "veth", "peer", "name", "p0")
    want += ["wg0: nothing waits for it any more"]
    wait_until(lambda: lines(d) == want, lambda: f"wg0 is there: {lines(d)}")
    lab.ip("link", "del", "wg0")
    want += ["wg0 is gone: 3 rules wait for it"]
    wait_until(lambda: lines(d) == want, lambda: f"wg0 is gone: {lines(d)}")
    d.do("remove", "a3", "225.2.2.3")
    want += ["a3: nothing waits for it any more"]
    same(lines(d), want, "after a remove")
    rc, _, err = d.ctl("add", "a1", "225.3.3.3", "late")
    check(rc == 0 and "late: no such interface, the rule waits for it" in err, err)
    want += ["late does not exist yet: 1 rule waits for it"]
    same(lines(d), want, "after an add")
    lab.write("smcroute.conf", rules("wg0", 3))
    same(d.ctl("reload")[:2],
         (0, "reloaded: 3 rules; 3 wait for wg0; kernel entries: 0 added, 0 changed, 0 removed\n"), "reload")
    same(lines(d), want + ["wg0 is gone: 3 rules wait for it"], "after a reload")


@case("a reload to a name that does not exist says so, in its answer and in the log")
def reload(lab):
    conf = "".join(f"mroute from a1 source 10.1.0.{i} group 225.1.1.1 to a2\n" for i in range(1, 7))
    d = Daemon(lab, conf)
    wait_until(lambda: "started: 6 rules; kernel entries: 6 added" in d.log(), "the log of the start")
    lab.write("smcroute.conf", conf.replace("a2", "wan9"))
    rc, out, err = d.ctl("reload")
    same((rc, out, err), (0, "reloaded: 6 rules; 6 wait for wan9; kernel entries: 0 added, 6 changed, 0 removed\n",
                          ""), "reload")
    check(out in d.log(), "not in the log")
    same(lines(d), ["wan9 does not exist yet: 6 rules wait for it"], "lines")
    lab.write("smcroute.conf", conf)
    same(d.ctl("reload"), (0, "reloaded: 6 rules; kernel entries: 0 added, 6 changed, 0 removed\n", ""), "and back")


@case("many interfaces: some are named, the others counted")
def many(lab):
    d = Daemon(lab, "".join(rules(f"late{i}", 1) for i in range(12)))
    out = d.ctl("reload")[1]
    check("; 1 waits for late0, 1 for late1, 1 for late10, 1 for late11, 1 for late2, 1 for late3, 1 for late4, "
          "1 for late5 and others for 4 more;" in out, out)


@case("beyond the 32 interfaces of the kernel: a line for each")
def full(lab):
    lab.ip_batch(f"link add cali{i} type veth peer name w{i}" for i in range(33))
    d = Daemon(lab, "mroute from a1 group 225.1.1.1 to cali+\n")
    same(lines(d), ["cali31: no free VIF: 1 rule waits for it", "cali32: no free VIF: 1 rule waits for it"], "lines")


if __name__ == "__main__":
    main()
