# SPDX-License-Identifier: ISC
#
# What programs read: JSON and OpenMetrics, whatever an interface is called, and
# the configuration that `show config` prints.
import json
import random
import subprocess
import time

import openmetrics
from cases import case, main
from lab import SMCROUTE, SMCROUTECTL, Daemon, Skip, check, note, same, wait_until


def ask(d, *words):
    """Standard output of a command that has to succeed, as bytes."""
    p = subprocess.run([*SMCROUTECTL, "-u", d.sock, *words], capture_output=True, timeout=20)
    same((p.returncode, p.stderr), (0, b""), f"{words}: status and errors")
    return p.stdout


def show(d, table):
    out = ask(d, "-j", "show", table)
    check(out.endswith(b"\n") and out.count(b"\n") == 1, f"not one line: {out[-100:]!r}")
    return json.loads(out.decode())[table]


def as_json(name):
    """How JSON has a name: one that is no UTF-8 by its bytes."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")


@case("an interface named in UTF-8", "\u00fc\u20ac+0".encode())
@case("an interface named in bytes that are no UTF-8", b"\xe9\xff\x80w")
@case("an interface named for shells", b"$(x);`'&|<>")
@case("an interface named like a word of the config", b"group")
@case('an interface named q"u\\o', b'q"u\\o')
def strange(lab, name):
    lab.ip("link", "set", "a4", "down")
    if subprocess.run(["ip", "link", "set", "dev", "a4", "name", name], capture_output=True).returncode:
        raise Skip("this kernel, or ip, takes no such name")
    subprocess.run(["ip", "link", "set", "dev", name, "up"], check=True)
    d, want = lab.daemon(), as_json(name)
    ask(d, "add", "a1", "225.1.1.1", name)
    ask(d, "add", name, "225.1.1.2", "a2")
    ask(d, "add", "a1", "10.1.0.5", "225.1.1.3", "a2", name)
    ask(d, "join", name, "225.1.1.4")
    subprocess.run([*SMCROUTECTL, "-u", d.sock, "add", name, "225.1.1.5", "wg0"], check=True, capture_output=True)
    routes = show(d, "routes")
    def named(rows, key):
        return [r["group"] for r in rows if (want in r[key] if key == "oifs" else r[key] == want)]
    same((named(routes["asm"], "oifs"), named(routes["asm"], "iif"), named(routes["ssm"], "oifs"),
          named(routes["kernel"], "oifs")),
         (["225.1.1.1"], ["225.1.1.2", "225.1.1.5"], ["225.1.1.3"], ["225.1.1.3"]), "routes")
    groups = show(d, "groups")
    same((named(groups["conf"], "iif"), named(groups["kernel"], "iif")), (["225.1.1.4"],) * 2, "groups")
    check([i["vif"] for i in show(d, "interfaces") if i["name"] == want] != [None], "interfaces")
    same(named(show(d, "pending"), "iif"), ["225.1.1.5"], "pending")
    for table in ("routes", "groups", "interfaces", "pending", "config"):
        check(name in ask(d, "-d", "show", table), f"text of {table}")
    vifs = {k: v for k, v in openmetrics.parse(ask(d, "show", "metrics").decode()).items() if "vif_in_packets" in k[0]}
    labels = {dict(k[1])["interface"] for k in vifs}
    spelled = "".join(f"\\x{b:02x}" if b > 127 else chr(b) for b in name)
    check(want in labels or (want.encode() != name and spelled in labels), f"labels {labels}")
    with subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "-j", "monitor"], stdout=subprocess.PIPE) as p:
        # The first event is heard once the monitor is.
        state = ["down", "up"] * 1000
        wait_until(lambda: subprocess.run(["ip", "link", "set", "dev", name, state.pop()])
                   and d.log().count(": down") > 3, "events")
        same(json.loads(p.stdout.readline())["name"], want, "monitor")
        p.kill()
    with open(lab.path("saved.conf"), "wb") as f:
        f.write(ask(d, "show", "config"))
    same(lab.run(SMCROUTE, "smcroute-check", "-q", lab.path("saved.conf"))[0], 0, "what show config prints")


@case("show metrics is OpenMetrics, and counts")
def metrics(lab):
    d = lab.daemon("mroute from a1 source 10.1.0.5 group 225.4.4.4 to a2\nmroute from a1 group 225.1.1.1 to a2\n"
                   "mroute from wg0 group 225.1.1.1 to a2\nmroute from a1 group ff2e::1 to a2 a3\n"
                   "mgroup from a2 group 225.8.8.8\n")
    lab.passes("a1", "10.1.0.5", "225.4.4.4", "a2", n=20)
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", n=30)
    lab.passes("a1", "fd00:1::9", "ff2e::1", "a2", "a3", n=5)
    lab.passes("a1", "10.1.0.9", "225.9.9.9")
    wait_until(lambda: lab.route("10.1.0.9", "225.9.9.9"), "a blocked entry")
    text = ask(d, "show", "metrics").decode()
    values = openmetrics.parse(text)
    def value(name, **labels):
        hits = [v for (n, la), v in values.items() if n == "smcroute_" + name and set(labels.items()) <= la]
        same(len(hits), 1, f"samples of {name} {labels}")
        return hits[0]
    for want, name, labels in (
            (20, "entry_packets_total", {"group": "225.4.4.4", "state": "static"}),
            (30, "entry_packets_total", {"group": "225.1.1.1", "state": "learned", "iif": "a1"}),
            (5, "entry_packets_total", {"group": "ff2e::1", "source": "fd00:1::9"}),
            (30 * 36, "entry_bytes_total", {"group": "225.1.1.1"}),
            (0, "entry_wrong_interface_total", {"group": "225.1.1.1"}),
            (4, "entries", {"state": "static"}), (2, "entries", {"state": "learned"}),
            (1, "entries", {"state": "blocked"}),
            (6, "rules", {}), (1, "pending", {}), (1, "memberships", {"state": "joined"}), (2, "learned_total", {}),
            (1, "blocked_total", {}), (0, "reloads_total", {}), (0, "refused_total", {}), (0, "errors_total", {}),
            (5, "vif_out_packets_total", {"family": "ipv6", "interface": "a3"})):
        if name == "entries" and labels["state"] == "static":
            want = sum(k["state"] == "static" for k in show(d, "routes")["kernel"])
        same(value(name, **labels), want, f"{name} {labels}")
    check(value("vif_out_packets_total", family="ipv4", interface="a2") >= 50, "packets out of a2")
    d.ctl("reload")
    same(openmetrics.parse(ask(d, "show", "metrics").decode())["smcroute_reloads_total", frozenset()], 1, "reloads")
    n = openmetrics.parse_elsewhere(text)
    note("no prometheus_client here: the rules alone were checked" if n is None
         else f"prometheus_client reads it: {n} samples")
    check(n in (None, len(values)), f"{n} samples against {len(values)}")


@case("show metrics says when a packet of each rule was seen to have come")
def last_packet(lab):
    conf = ("mroute from a1 source 10.1.0.5 group 225.4.4.4 to a2\nmroute from a1 group 225.1.0.0/16 to a2\n"
            "mroute from wg0 group 225.1.1.1 to a2\nmroute from a1 group ff2e::/16 to a2\n"
            "mroute from a1 group 225.6.6.6 kernel to a2\nmroute from a1 group 225.6.6.7 to a2\n")
    d = lab.daemon(conf)
    def last():
        found = openmetrics.parse(ask(d, "show", "metrics").decode()).items()
        return {labels["group"] + "@" + labels["iif"]: when
                for (name, pairs), when in found if "last_packet" in name for labels in [dict(pairs)]}
    same({when for group, when in last().items() if "239" not in group}, {0}, "before there is a packet")
    same(len(last()), 8, "rules")
    begin = time.time()
    for src, group in (("10.1.0.5", "225.4.4.4"), ("10.1.0.9", "225.1.1.1"), ("fd00:1::9", "ff2e::1"),
                       ("10.1.0.9", "225.6.6.6")):
        lab.wait(lab.send("a1", src, group), "a2")
    heard = {"225.4.4.4@a1", "225.1.0.0/16@a1", "ff2e::/16@a1", "225.6.6.6@a1"}
    first, end = last(), time.time()
    same({group for group, when in first.items() if when and "239" not in group}, heard, "heard")
    check(all(begin - 0.5 < first[group] < end + 0.5 for group in heard), f"{begin} {first} {end}")
    # Time goes on, and packets of one rule: its time alone does as well.
    wait_until(lambda: time.time() > end + 2, "some seconds to go by")
    begin = time.time()
    lab.wait(lab.send("a1", "10.1.0.5", "225.4.4.4"), "a2")
    later = last()
    check(later["225.4.4.4@a1"] > begin - 0.5, f"{begin} {later}")
    check(all(abs(later[group] - first[group]) <= 0.5 for group in heard - {"225.4.4.4@a1"}), f"{first} {later}")


def random_commands(rng, n):
    """Lines of a batch; some are wrong."""
    names = ["a1", "a2", "a3", "a4", "wg0", "a+"]
    groups = ["225.1.1.1", "225.1.1.2", "225.1.0.0/16", "239.1.2.3", "ff2e::1", "ff2e::/64"]
    sources = {4: ["", "", "10.1.0.5", "10.1.0.0/24", "10.2.0.7"], 6: ["", "", "fd00:1::5", "fd00:1::/64"]}
    for _ in range(n):
        verb = rng.choice(["add"] * 5 + ["replace"] * 2 + ["remove"] * 3 + ["join"] * 4 + ["leave", "flush"])
        group = rng.choice(groups if verb not in ("join", "leave") else [g for g in groups if "/" not in g])
        source = rng.choice(sources[6 if ":" in group else 4])
        oifs = rng.sample(names, rng.randint(0, 4)) if verb in ("add", "replace", "remove") else []
        yield " ".join(w for w in (verb, rng.choice(names), source, group, *oifs) if w) if verb != "flush" else verb


@case("show config after 100 random commands, loaded into a fresh daemon, is the same state")
def round_trip(lab):
    d = lab.daemon("phyint a2 ttl-threshold 5\nphyint a3 enable\nphyint b+ disable\n"
                   "mgroup from a4 group 225.0.1.0/28\n")
    lines = "\n".join(random_commands(random.Random(20261122), 100))
    rc, out, err = d.ctl("-b", stdin=lines)
    note(f"{len([e for e in err.splitlines() if 'note:' not in e])} of 100 lines were refused")
    check(rc in (0, 66) and not out, f"{rc} {out!r} {err!r}")

    def state(d):
        def plain(rows):
            return sorted((r["group"], r["source"] or "", r["iif"], sorted(r["oifs"]) if "oifs" in r else [])
                          for r in rows)
        routes, groups = show(d, "routes"), show(d, "groups")
        # Which of several rules with one (S,G) holds the entry depends on what has happened before.
        return {"asm": plain(routes["asm"]), "ssm": plain(routes["ssm"]),
                "kernel": [r[:2] for r in plain(routes["kernel"])],
                "conf": plain(groups["conf"]), "joined": plain(groups["kernel"]), "pending": plain(show(d, "pending")),
                "interfaces": [(i["name"], i["ttl_threshold"], i["vif"] is None, i["mif"] is None)
                               for i in show(d, "interfaces")]}
    before, saved = state(d), ask(d, "show", "config")
    check(len(before["asm"]) > 5 and len(before["ssm"]) > 5 and len(before["conf"]) > 5,
          f"too little to tell: {before}")
    same(d.stop(), 0, "exit status")
    fresh = Daemon(lab, saved.decode(), name="fresh")
    after = state(fresh)
    for what in before:
        same(after[what], before[what], what)
    same(ask(fresh, "show", "config"), saved, "show config of the fresh one")


if __name__ == "__main__":
    main()
