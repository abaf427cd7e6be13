# SPDX-License-Identifier: ISC
#
# All that may happen to a daemon, at random and for long: commands, reloads, interfaces that come, go, change their
# name and flags, floods of spoofed sources, clients that send rubbish or never read, kill -9 under the keeper,
# upgrades and takeovers.  Every now and then it rests: the kernel has what `show` says, and both what the rules mean.
# At the end of it all memory and descriptors are as in a daemon that has just begun.
#
#	make soak [SOAK_SECONDS=3600] [SEED=N]
import collections
import json
import os
import random
import socket
import sys
import time
import traceback

import lab as lab_module
from cases import end_orphans
from heirs import kill, next_pid, pid_of, start
from lab import PR_SET_CHILD_SUBREAPER, Lab, Skip, check, child_setup, note, same, sys_call, wait_until
from packet import flood
from soak_model import Rules, decide, statics

SECONDS = int(os.environ.get("SOAK_SECONDS", "3600"))
SEED = int(os.environ.get("SEED", str(os.getpid())))
REST = 25			# actions between two rests
lab_module.SLOW = 120		# it runs for hours beside other work
STORM = [f"s{i}" for i in range(6)]
NAMES = ["a1", "a2", "a3", "a4", *STORM, "s+", "a+"]
SOURCES = {4: ["10.1.0.9", "10.1.0.10", "10.2.0.9", "10.1.0.0/24", "10.0.0.0/8", None],
           6: ["fd00:1::9", "fd00:2::9", "fd00:1::/64", None]}
GROUPS = {4: ["225.1.1.1", "225.1.1.2", "225.1.2.0/24", "225.1.0.0/16", "239.0.0.0/8"],
          6: ["ff2e::11", "ff2e::12", "ff2e::/112", "ff2e::1:0/112"]}
FLOWS = [("10.1.0.9", "225.1.1.1"), ("10.1.0.77", "225.1.1.2"), ("10.1.0.9", "225.1.2.3"), ("10.1.0.8", "239.1.2.3"),
         ("fd00:1::9", "ff2e::11"), ("fd00:1::8", "ff2e::77"), ("10.1.0.9", "226.1.1.1")]
KERNEL = "mroute from a1 group 225.200.0.1 kernel to a2 a3\n"


class Soak:
    def __init__(self, lab, wrap=()):
        self.lab, self.rules, self.random = lab, Rules(), random.Random(SEED)
        self.done, self.idlers, self.joined, self.logs = collections.Counter(), [], set(), []
        self.lines = []			# of the configuration: keys
        self.d = self.start(wrap)
        self.has_keeper = True
        self.logs.append(self.d)

    def start(self, wrap):
        return self.lab.daemon(KERNEL, "-k", "-l", "info", "-M", "3000", wrap=wrap)

    def ask(self, *words):
        """Exit status and errors of a command.  One that a busy machine kept waiting for too long is asked again, and
        may find then that it was done."""
        rc, _, err = self.d.ctl(*words)
        while rc == 69 and "has not answered" in err:
            self.done["asked again"] += 1
            rc, _, err = self.d.ctl(*words)
            rc = 0 if rc == 66 else rc
        return rc, err

    def expect(self, status, *words):
        """A command that ends so."""
        rc, err = self.ask(*words)
        same(rc, status, f"status of {words}: {err}")

    # ---- what may happen ----

    def pick(self):
        """A rule: its words for the client, its key, its outputs."""
        fam, r = self.random.choice((4, 4, 6)), self.random
        iif, source, group = r.choice(NAMES), r.choice(SOURCES[fam]), r.choice(GROUPS[fam])
        outputs = set(r.sample([n for n in NAMES if n != iif], r.randrange(4)))
        words = [iif, *([source] if source else []), group]
        return words, self.rules.key(iif, source, group), outputs

    def command(self):
        words, key, outputs = self.pick()
        verb, client = self.random.choice(("add", "add", "replace", "remove")), self.rules.client
        if verb == "remove" and client and self.random.random() < 0.8:
            key = self.random.choice(sorted(client, key=str))
            words = [key[0], str(key[1]), str(key[2])]
        self.expect(66 if verb == "remove" and key not in client else 0,
                    "-o", "soak", verb, *words, *(sorted(outputs) if verb != "remove" else ()))
        if verb == "remove":
            client.pop(key, None)
        else:
            client[key] = outputs | (client.get(key, set()) if verb == "add" else set())

    def join(self):
        r = self.random
        iif, group = r.choice(NAMES[:-2]), r.choice(("225.77.0.1", "225.77.1.0/28", "ff2e::77:1", "232.1.1.1"))
        words = [iif, *(["10.1.0.9"] if group == "232.1.1.1" else []), group]
        verb = "leave" if tuple(words) in self.joined else "join"
        self.expect(0, "-o", "soak", verb, *words)
        (self.joined.discard if verb == "leave" else self.joined.add)(tuple(words))

    def reload(self):
        if self.random.random() < 0.2:
            self.d.write("mroute from\n")
            self.expect(78, "reload")
        picked = [self.pick()[1:] for _ in range(self.random.randrange(12))]
        config = {}
        for key, outputs in picked:
            config.setdefault(key, set()).update(outputs)
        self.d.write(KERNEL + "phyint a2 ttl-threshold 2\n" +
                     "".join(self.rules.line(key, outputs) for key, outputs in config.items()))
        self.expect(0, "reload")
        self.rules.config = config

    def storm(self):
        r, lines = self.random, []
        for _ in range(r.randrange(1, 30)):
            one, other = r.choice(STORM), r.choice(STORM)
            lines.append(r.choice((f"link add {one} type dummy", f"link add {one} type dummy", f"link del {one}",
                                   f"link set {one} up", f"link set {one} down", f"link set {one} name {other}",
                                   f"link set {one} multicast on", f"link set {one} multicast off",
                                   f"link set {one} mtu {r.randrange(1280, 1500)}")))
        self.lab.run("ip", "-force", "-batch", "-", stdin="\n".join(lines) + "\n")
        self.done["events of links"] += len(lines)

    def flows(self):
        for source, group in self.random.sample(FLOWS, 3):
            self.lab.send("a1", source, group, 5)
            self.done["packets"] += 5

    def flood(self):
        n, group = self.random.randrange(500, 5000), self.random.choice(("239.9.9.9", "225.1.2.9", "226.9.9.9"))
        pid = os.fork()
        if not pid:
            child_setup()
            flood(self.lab.senders["ha"], group, n)
            os._exit(0)
        self.done["spoofed sources"] += n
        self.command()
        os.waitpid(pid, 0)

    def rubbish(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(self.d.sock)
        data = bytearray(self.random.randbytes(self.random.randrange(1, 300)))
        if self.random.random() < 0.7:
            data[:12] = (len(data).to_bytes(8, sys.byteorder) + b"W\0" + b"\1\0")[:len(data)]
        try:
            s.send(data)
        except OSError:
            pass
        self.idlers.append(s)
        while len(self.idlers) > 20:
            self.idlers.pop(self.random.randrange(len(self.idlers))).close()

    def show(self):
        what = self.random.choice(("routes", "groups", "interfaces", "pending", "config", "metrics", "graph"))
        self.expect(0, self.random.choice(("-d", "-dd", "-p")), "show", what)

    def flush(self):
        self.expect(0, "flush")

    def kill(self):
        kill(self.d)

    def upgrade(self):
        old = pid_of(self.d)
        rc, _, err = self.d.ctl("upgrade", seconds=180)
        same((rc, err), (0, ""), "upgrade")
        next_pid(self.d, old)

    def takeover(self):
        old = pid_of(self.d)
        heir = start(self.lab, self.d, "-l", "info", "-M", "3000", name=f"heir{self.done['takeover'] % 5}")
        next_pid(heir, old)
        same(self.d.wait(), 0, "exit status of the one before")
        self.check_log(self.d)
        self.d, self.has_keeper = heir, False

    # ---- what must be ----

    @staticmethod
    def check_log(d):
        for word in ("Sanitizer", "runtime error:"):
            check(word not in d.log(), lambda: f"{word} in the log of {d.name}:\n{d.log()[-6000:]}")

    def wrong(self):
        """What is not as it should be, or None."""
        ifaces = {i["ifname"]: i["flags"] for i in json.loads(self.lab.ip("-j", "link"))}
        rules, kernel = self.rules.all(), self.lab.mroutes()
        kernel = {k: v for k, v in kernel.items() if v[0] != "unresolved" and k not in (Lab.MARK, Lab.MARK_BACK)}
        shown = {(e["source"], e["group"]): (e["iif"], sorted(e["oifs"]))
                 for e in self.d.json("routes")["routes"]["kernel"] if e["source"]}
        shown = {k: v for k, v in shown.items() if k not in (Lab.MARK, Lab.MARK_BACK)}
        kernel = {k: v for k, v in kernel.items() if k[0] not in ("0.0.0.0", "::")}
        if kernel != shown:
            return f"kernel {set(map(str, kernel.items())) ^ set(map(str, shown.items()))} in one alone"
        for (source, group), (iif, oifs) in kernel.items():
            want = sorted(decide(rules, ifaces, iif, source, group) or ())
            if oifs != want:
                return f"({source}, {group}) from {iif} goes to {oifs}, not {want}"
        lacks = statics(rules, ifaces) - set(kernel)
        return f"{lacks} not in the kernel" if lacks else None

    def rest(self):
        last = []
        def is_right():
            last[:] = [self.wrong()]
            return last == [None]
        wait_until(is_right, lambda: f"kernel = show = model: {last}", 120)
        self.check_log(self.d)
        self.done["rests"] += 1

    def descriptors(self):
        return sorted(os.readlink(f"/proc/{pid_of(self.d)}/fd/{n}").split("[")[0].rsplit("/", 1)[0]
                      for n in os.listdir(f"/proc/{pid_of(self.d)}/fd"))

    def memory(self):
        with open(f"/proc/{pid_of(self.d)}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))

    def settle(self):
        """Takes back all that was asked for."""
        for s in self.idlers:
            s.close()
        self.idlers.clear()
        self.d.do("-o", "soak", "disown")
        self.rules.client, self.rules.config = {}, {}
        self.joined.clear()
        self.d.write(KERNEL)
        same(self.d.ctl("reload")[0], 0, "the last reload")
        self.d.do("flush")
        for name in STORM:
            self.lab.run("ip", "link", "del", name)
        self.rest()

    def act(self, actions):
        name = self.random.choices(list(actions), list(actions.values()))[0]
        getattr(self, name)()
        self.done[name] += 1
        self.done["actions"] += 1
        if self.done["actions"] % REST == 0:
            self.rest()

    def run(self):
        usual = {"command": 40, "join": 8, "reload": 8, "storm": 12, "flows": 15, "flood": 3, "rubbish": 8, "show": 8,
                 "flush": 2}
        begin = time.monotonic()
        while time.monotonic() < begin + SECONDS * 0.4:
            self.act({**usual, "kill": 3, "upgrade": 1})
        self.takeover()
        self.done["takeover"] += 1
        while time.monotonic() < begin + SECONDS * 0.7:
            self.act({**usual, "takeover": 1, "upgrade": 1})
        # One process for the rest, which shall not grow.
        while time.monotonic() < begin + SECONDS:
            self.act(usual)
        self.settle()
        old = self.memory(), self.descriptors()
        self.upgrade()
        self.rest()
        new = self.memory(), self.descriptors()
        note(f"measured: seed {SEED}, {time.monotonic() - begin:.0f} s: " +
             ", ".join(f"{n} {what}" for what, n in sorted(self.done.items())) +
             f"; memory {old[0]} kB, anew {new[0]} kB; {len(old[1])} descriptors, anew {len(new[1])}")
        # A client that has just gone may still be there.
        wait_until(lambda: self.descriptors() == old[1],
                   lambda: f"as many descriptors: {self.descriptors()}, not {old[1]}")
        # Freed memory rests a while in quarantine with a sanitizer.
        room = 300 * 1024 if os.environ.get("SANITIZE") else 2048
        check(old[0] < new[0] * 1.1 + room, f"memory grew: {old[0]} kB, {new[0]} kB in one that is new")
        self.d.do("kill")
        self.check_log(self.d)


def main():
    print("1..1", flush=True)
    sys_call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    lab = None
    try:
        lab = Lab()
        soak = Soak(lab)
        try:
            soak.run()
        except Exception:	# a failure of any kind
            note(f"{traceback.format_exc()}seed {SEED}, after {dict(soak.done)}; the log:\n{soak.d.log()[-4000:]}")
            print("not ok 1 - soak")
            return 1
        print("ok 1 - soak")
    except Skip as e:
        print(f"ok 1 - soak # SKIP {e}")
    finally:
        if lab:
            lab.end()
        end_orphans()
    return 0


if __name__ == "__main__":
    sys.exit(main())
