# SPDX-License-Identifier: ISC
#
# Events as they happen, as text and as JSON.  What becomes of a reader that is
# too slow is in test_hostile.py.
import contextlib
import json
import os
import signal
import subprocess
import time

from cases import case, main
from lab import SMCROUTECTL, check, same, wait_until

CONF = ("mroute from a1 group 225.1.1.1 to a2 a3\nmroute from a1 group ff2e::11 to a2\n"
        "mroute from a4 group 225.99.9.9 to a2\n")


class Monitors:
    """One of each form."""

    def __init__(self, d):
        self.procs = [subprocess.Popen([*SMCROUTECTL, "-u", d.sock, *words], stdout=subprocess.PIPE)
                      for words in (["monitor"], ["-j", "mon"])]
        self.got = ["", ""]
        for p in self.procs:
            os.set_blocking(p.stdout.fileno(), False)
        # Both are listening when both have heard of an interface that has nothing to do with the case.
        state = ["up", "down"] * 1000
        d.lab.ip("link", "add", "zz0", "type", "veth", "peer", "name", "zz1")
        wait_until(lambda: d.lab.ip("link", "set", "zz0", state.pop()) or all(self.read()), "the first event")
        self.lab = d.lab

    def read(self):
        for i, p in enumerate(self.procs):
            with contextlib.suppress(BlockingIOError):
                self.got[i] += os.read(p.stdout.fileno(), 1 << 20).decode()
        return self.got

    def events(self):
        return [json.loads(line) for line in self.read()[1].splitlines(True) if line.endswith("\n")]

    def wait(self, event, **keys):
        """The JSON of an event with these keys, once it is there."""
        def there():
            return [e for e in self.events() if e["event"] == event and all(e.get(k) == v for k, v in keys.items())]
        return wait_until(there, lambda: f"{event} {keys} among {self.got[1]}")[-1]

    def end(self):
        """After an interrupt: all that was told as text, without times."""
        self.lab.ip("link", "del", "zz0")
        wait_until(lambda: all(got.count(" gone") + got.count('"gone"') >= 2 and got.endswith("\n")
                               for got in self.read()),
                   "the end of the interface that has nothing to do with the case")
        events = [e for e in self.events() if "zz" not in e.get("name", "")]
        for p in self.procs:
            p.send_signal(signal.SIGINT)
            same(p.wait(20), -signal.SIGINT, "status after an interrupt")
            p.stdout.close()
        lines = [(line[:23], line[24:]) for line in self.got[0].splitlines() if " zz" not in line]
        for a, b in zip(lines, events):
            # The clock on the wall where the daemon runs.
            sec, fraction = f"{b['time']:.6f}".split(".")
            wall = time.strftime("%Y-%m-%d %H:%M:%S.", time.localtime(int(sec))) + fraction[:3]
            check(abs(int(sec) - time.time()) < 90 and a[0] == wall, f"times {a[0]} and {b['time']}")
        same([text.split()[0] for _, text in lines], [e["event"] for e in events], "the same events in both forms")
        return [text for _, text in lines]


@case("learned, blocked, moved, evicted", "10.1.0.9", "225.1.1.1", "225.1.1.2")
@case("learned, blocked, moved, evicted, IPv6", "fd00:1::9", "ff2e::11", "ff2e::12")
def flows(lab, src, group, unruled):
    d = lab.daemon(CONF + "mroute from a3 group ff2e::99 to a2\nmroute from a4 group ff2e::99 to a2\n", "-M", "3")
    m = Monitors(d)
    outs = ["a2", "a3"] if "." in group else ["a2"]
    family = "ipv4" if "." in group else "ipv6"
    lab.send("a1", src, group)
    same({k: v for k, v in m.wait("learned").items() if k != "time"},
         {"event": "learned", "family": family, "source": src, "group": group, "iif": "a1", "oifs": outs}, "learned")
    d.do("flush")
    # Blocked where no rule is, it yields at once to where one is.
    lab.send("a4", src, group)
    m.wait("blocked", group=group, iif="a4", oifs=[])
    lab.send("a1", src, group)
    m.wait("moved", group=group, iif="a1", oifs=outs)
    for i in range(4):
        lab.send("a1", src + str(i), unruled)
    m.wait("blocked", source=src + "3", group=unruled)
    m.wait("evicted", source=src + "0", group=unruled)
    text = m.end()
    flow, to = f"({src}, {group})", " ".join(outs)
    same(text[0], f"learned {flow} from a1 to {to}", "text of learned")
    check(f"moved {flow} from a1 to {to}" in text
          and f"blocked ({src}0, {unruled}) from a1" in [t.strip() for t in text],
          f"texts {text}")


@case("expired")
def expired(lab):
    d = lab.daemon(CONF, "-c", "1")
    m = Monitors(d)
    lab.send("a1", "10.1.0.9", "225.1.1.1")
    m.wait("expired", group="225.1.1.1", iif="a1", oifs=["a2", "a3"])
    same(m.end(), [f"{what} (10.1.0.9, 225.1.1.1) from a1 to a2 a3" for what in ("learned", "expired")], "texts")


@case("link, pending, active: each once")
def links(lab):
    d = lab.daemon(CONF + "mroute from a1 group 225.5.5.5 to wg0\n")
    m = Monitors(d)
    d.ctl("add", "a1", "225.5.5.6", "a2", "wg0")
    d.ctl("add", "wg+", "225.5.5.7", "a2")
    m.wait("pending", group="225.5.5.7", iif="wg+", waits_for="wg+", reason="no interface matches")
    d.ctl("remove", "a1", "225.5.5.6", "wg0")
    m.wait("active", group="225.5.5.6")
    lab.ip("link", "set", "a4", "down")
    lab.ip("link", "set", "a4", "name", "wg0")
    m.wait("link", name="wg0", change="renamed from a4")
    m.wait("active", group="225.5.5.7", oifs=["a2"], kind="mroute")
    lab.ip("link", "set", "wg0", "multicast", "off")
    m.wait("pending", group="225.5.5.7", iif="wg+", reason="no MULTICAST flag")
    lab.ip("link", "set", "wg0", "multicast", "on")
    wait_until(lambda: [e["event"] for e in m.events() if e.get("group") == "225.5.5.7"].count("active") == 2,
               "active once more")
    lab.ip("link", "del", "wg0")
    m.wait("link", name="wg0", change="gone")
    d.do("ping")
    text = [t for t in m.end() if "225.5." in t or t.startswith("link")]
    five, seven = "mroute  from a1 group 225.5.5.5 to wg0", "mroute  from wg+ group 225.5.5.7 to a2"
    same([t for t in text if t.startswith(("pending", "active"))],
         ["pending mroute  from a1 group 225.5.5.6 to a2 wg0  # wg0: no such interface",
          f"pending {seven}  # wg+: no interface matches", "active mroute  from a1 group 225.5.5.6 to a2",
          f"active {five}", f"active {seven}", f"pending {seven}  # wg+: no MULTICAST flag", f"active {seven}",
          f"pending {five}  # wg0: no such interface", f"pending {seven}  # wg+: no interface matches"],
         "pending and active")
    same([t for t in text if t.startswith("link wg0")], ["link wg0 renamed from a4", "link wg0 multicast off",
                                                         "link wg0 multicast on", "link wg0 gone"], "links")


def follow(events, rules, groups, entries):
    """Keeps a picture of rules, memberships, and learned and blocked entries by what is told."""
    for e in events:
        kind, key = e["event"], (e.get("iif"), e.get("source"), e.get("group"))
        if kind in ("added", "removed"):
            had = rules.pop(key, None)
            if kind == "added":
                rules[key] = e["oifs"]
            elif e["owners"]:
                rules[key] = [oif for oif in had if oif not in e["oifs"]]
        elif kind in ("joined", "left"):
            groups.discard(key)
            groups |= {key} if e["owners"] else set()
        elif kind in ("learned", "blocked", "moved", "changed"):
            entries[key[1:]] = (key[0], sorted(e["oifs"]), kind) if kind in ("learned", "blocked") else \
                               (key[0], sorted(e["oifs"]), entries[key[1:]][2])
        elif kind in ("expired", "evicted", "gone"):
            entries.pop(key[1:])
        elif kind == "flushed":
            entries.clear()


@case("who follows has the exact picture of what clients change and what comes of it")
def picture(lab):
    d = lab.daemon("")
    m = Monitors(d)
    src, group = "10.1.0.9", "225.1.1.1"
    d.do("add", "a1", "225.1.1.0/24", "a2")
    d.do("-o", "x", "add", "a1", "225.1.1.0/24", "a2", "a3")
    lab.passes("a1", src, group, "a2", "a3")
    lab.passes("a1", "10.1.0.8", group, "a2", "a3")
    m.wait("learned", source="10.1.0.8")
    d.ctl("-o", "x", "remove", "a1", "225.1.1.0/24")
    m.wait("changed", source=src, oifs=["a2"])
    d.do("remove", "a1", "225.1.1.0/24")
    m.wait("blocked", source=src, oifs=[])
    d.do("replace", "a1", "225.1.0.0/16", "a4", "a3")
    d.do("remove", "a1", "225.1.0.0/16", "a4")
    d.do("join", "a1", group)
    d.do("-o", "x", "join", "a1", group)
    d.do("-o", "x", "join", "a1", "225.1.1.2")
    d.do("join", "a1", "225.1.1.3")
    d.ctl("leave", "a1", group)
    d.do("leave", "a1", "225.1.1.3")
    d.do("add", "a1", "10.1.0.8", group, "a2")
    d.do("-o", "x", "add", "a2", "225.1.2.0/24", "a3", "a4")
    d.do("-o", "y", "add", "a2", "225.1.2.0/24", "a4", "a1")
    d.ctl("-o", "x", "disown")
    d.do("-o", "y", "join", "a2", group)
    d.do("remove", "a1", "10.1.0.8", group)
    m.wait("left", group="225.1.1.2", owner="x", owners=[])
    wait_until(lambda: [e for e in m.events() if e["event"] == "learned" and e["source"] == "10.1.0.8"][2:],
               "learned once more")
    rules, groups, entries = {}, set(), {}
    follow(m.events(), rules, groups, entries)
    table = d.json("routes")["routes"]
    same(rules, {(e["iif"], e["source"], e["group"]): e["oifs"] for e in table["asm"] + table["ssm"]
                 if not e["group"].startswith("239.255.255.")}, "rules")
    same(entries, {(e["source"], e["group"]): (e["iif"], sorted(e["oifs"]), e["state"]) for e in table["kernel"]
                   if e["state"] != "static"}, "entries")
    same(groups, {(e["iif"], e["source"], e["group"]) for e in d.json("groups")["groups"]["conf"]}, "groups")
    same(sorted(entries), [("10.1.0.8", group), (src, group)], "the flows")
    d.do("flush")
    m.wait("flushed", entries=2)
    text = m.end()
    for line in ("added mroute  from a1 group 225.1.1.0/24 to a2 a3  # owner x",
                 "removed mroute  from a1 group 225.1.1.0/24 to a3  # owner x, stays for unnamed",
                 "removed mroute  from a1 group 225.1.1.0/24 to a2",
                 "removed mroute  from a1 group 225.1.0.0/16 to a4  # stays for unnamed",
                 f"left mgroup  from a1 group {group}  # stays for x",
                 f"joined mgroup  from a2 group {group}  # owner y",
                 "flushed 2 entries"):
        check(line in text, f"{line}: not among {text}")


@case("reload: told once it is in force, and not when it failed")
def reload(lab):
    d = lab.daemon(CONF + "mroute from a1 group 225.5.5.5 to wg0\n")
    m = Monitors(d)
    d.write("mroute from\n")
    same(d.ctl("reload")[0], 78, "reload of a wrong file")
    d.hup(CONF + "mroute from a1 group 225.5.5.5 to wg0\nmroute from a1 group 225.5.5.6 to wg0\n")
    m.wait("reload")
    same(d.ctl("reload")[0], 0, "reload")
    d.do("ping")
    # What waited before and still does is not told again.
    same(m.end(), ["pending mroute  from a1 group 225.5.5.6 to wg0  # wg0: no such interface", "reload", "reload"],
         "events")


@case("the end of the daemon ends it, and so does that of its reader")
def ends(lab):
    d = lab.daemon(CONF)
    p = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "monitor"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    gone = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "monitor"], stdout=subprocess.PIPE)
    d.do("ping")
    gone.stdout.close()
    same(gone.wait(20), 0, "status without a reader")
    same(d.stop(), 0, "exit status of the daemon")
    out, err = p.communicate(timeout=20)
    same((p.returncode, out, err.count("\n")), (69, "", 1), f"status and lines of {err!r}")


if __name__ == "__main__":
    main()
