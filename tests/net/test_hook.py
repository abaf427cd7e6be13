# SPDX-License-Identifier: ISC
#
# The hook: what it is called with, in order, and that it holds up nothing.
import json
import os
import time

from cases import case, main
from lab import check, note, same, wait_until

WIDE = "mroute from a1 group 225.1.0.0/16 to a2 a3\nmroute from a1 group ff2e::/112 to a2\n"
VARS = ("source", "group", "iif", "oifs", "family", "event")


def hook(lab, sleep=0, name="hook", more=""):
    """A program that writes a line for each run: its words and the variables of section 9."""
    path = lab.write(name, "#!/bin/sh\n"
                     + f'echo "$*|{"|".join("$" + v for v in VARS)}" >>{lab.path("runs")}\n'
                     + more + (f"sleep {sleep}\n" if sleep else ""))
    os.chmod(path, 0o755)
    return path


def runs(lab):
    try:
        with open(lab.path("runs")) as f:
            return [line.rstrip("\n").split("|") for line in f]
    except FileNotFoundError:
        return []


def wait_runs(lab, n):
    return wait_until(lambda: len(runs(lab)) >= n and runs(lab), lambda: f"{n} runs: {runs(lab)}", 30)


@case("reload at the start and after a reload; install with its environment, both families")
def words(lab):
    d = lab.daemon(WIDE, "-e", hook(lab), wrap=("env", "group=mine", "iif=mine"))
    same(wait_runs(lab, 1), [["reload", "", "mine", "mine", "", "", ""]], "at the start")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a3")
    same(wait_runs(lab, 2)[1:], [["install", "10.1.0.9", "225.1.1.1", "a1", "a2 a3", "ipv4", "learned"]], "IPv4")
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2")
    same(wait_runs(lab, 3)[2:], [["install", "fd00:1::9", "ff2e::11", "a1", "a2", "ipv6", "learned"]], "IPv6")
    lab.send("a1", "10.1.0.9", "239.9.9.9", 3)
    lab.mark()
    d.hup(WIDE + "# changed\n")
    same([r[0] for r in wait_runs(lab, 4)[3:]], ["reload"], "after a reload; a blocked source is no install")
    d.write("nonsense\n")
    same(d.ctl("reload")[0], 78, "a bad file")
    lab.passes("a1", "10.1.0.10", "225.1.1.1", "a2", "a3")
    same([r[1] for r in wait_runs(lab, 5)[4:]], ["10.1.0.10"], "a reload that failed runs nothing")
    d.do("add", "a1", "239.9.9.9", "a4")
    same(wait_runs(lab, 6)[5:], [["install", "10.1.0.9", "239.9.9.9", "a1", "a4", "ipv4", "learned"]], "routed")


@case("a flow that moves: event=moved")
def moved(lab):
    rules = "".join(f"mroute from {i} source 10.1.0.9 group 225.1.1.1 to a3\n" for i in ("a1", "a2"))
    lab.daemon(rules, "-e", hook(lab))
    lab.send("a2", "10.1.0.9", "225.1.1.1", 1)
    same(wait_runs(lab, 2)[1:], [["install", "10.1.0.9", "225.1.1.1", "a2", "a3", "ipv4", "moved"]], "runs")


@case("30 new sources at once and a hook that sleeps: 30 calls in order, and routing does not wait")
def slow(lab):
    d = lab.daemon(WIDE, "-e", hook(lab, more=f"until test $1 = reload -o -e {lab.path('go')}; do sleep 0.01; done\n"))
    wait_runs(lab, 1)
    sent = [lab.send("a1", f"10.1.1.{i}", "225.1.1.1", 1) for i in range(30)]
    for flow in sent:
        lab.expect(flow, "a2", "a3")
    d.do("ping")
    same(len(wait_runs(lab, 2)), 2, "runs begun while the first one sleeps")
    lab.write("go", "")
    same([r[:2] for r in wait_runs(lab, 31)[1:]], [["install", f"10.1.1.{i}"] for i in range(30)], "runs")


@case("a hook that fails, is missing or hangs: logged, and the daemon goes on")
def bad(lab):
    d = lab.daemon(WIDE, "-e", hook(lab, more="test $1 = reload && exit 7\nkill -9 $$\n"))
    wait_until(lambda: "exit status 7" in d.log(), "the exit status in the log")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a3")
    wait_until(lambda: "ended by signal 9" in d.log(), "the signal in the log")
    same(d.stop(), 0, "exit status")
    d = lab.daemon(WIDE, "-e", lab.path("no/such/hook"))
    wait_until(lambda: "cannot be run" in d.log(), "the missing program in the log")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2", "a3")
    same(d.stop(), 0, "exit status without a hook")
    d = lab.daemon(WIDE, "-e", hook(lab, 1000))
    wait_runs(lab, 3)
    start = time.monotonic()
    same(d.stop(), 0, "exit status while the hook hangs")
    note(f"measured: ended after {(time.monotonic() - start) * 1000:.0f} ms while a hook hung")


@case("a flood of new sources: at most 1024 wait, one run at a time, and one line tells")
def flood(lab):
    d = lab.daemon(WIDE, "-e", hook(lab, 1000), "-l", "notice")
    wait_runs(lab, 1)
    for i in range(1500):
        lab.send("a1", f"10.1.{16 + (i >> 8)}.{i & 255}", "225.1.1.1", 1)
    lab.mark()
    wait_until(lambda: "1024 runs waiting" in d.log(), "a line about the full queue")
    same(d.log().count("runs waiting"), 1, "lines about it")
    kernel = d.json("routes")["routes"]["kernel"]
    check(sum(k["state"] == "learned" for k in kernel) > 1400, f"{len(kernel)} entries learned")
    with open(f"/proc/{d.proc.pid}/task/{d.proc.pid}/children") as f:
        same(len(f.read().split()), 1, "children")


@case("nothing of ours reaches the hook: descriptors, NOTIFY_SOCKET, input, blocked signals")
def clean(lab):
    # What ls itself opens is /proc/PID/fd; descriptors of the shell's own are closed for it.
    script = (f'out={lab.path("seen")}\necho "[$NOTIFY_SOCKET$WATCHDOG_USEC]" >$out.tmp\n'
              "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> /fd \\1 /p' | grep -v ' /proc/' >>$out.tmp\n"
              "grep -h 'SigBlk\\|SigIgn' /proc/self/status >>$out.tmp\nmv $out.tmp $out\n")
    read, write = os.pipe()
    os.set_inheritable(write, True)
    lab.daemon(WIDE, "-e", hook(lab, more=script), wrap=("env", "NOTIFY_SOCKET=/run/nowhere", "WATCHDOG_USEC=90000000"))
    wait_until(lambda: os.path.exists(lab.path("seen")), "what the hook has seen")
    seen = open(lab.path("seen")).read().splitlines()
    same(seen[0], "[]", "NOTIFY_SOCKET")
    check("fd 0 /dev/null" in seen, f"input: {seen}")
    same(sorted(line.split()[1] for line in seen if line.startswith("fd ")), ["0", "1", "2"], f"descriptors in {seen}")
    # Signals 32 and 33 are those of glibc, which leaves them ignored (sysdeps/unix/sysv/linux/spawni.c).
    same([int(line.split()[1], 16) & 0x7FFFFFFF for line in seen if line.startswith("Sig")], [0, 0],
         "blocked and ignored signals")
    os.close(read)
    os.close(write)


@case("30 hooks leave no zombie behind")
def zombies(lab):
    d = lab.daemon(WIDE, "-e", hook(lab))
    for i in range(30):
        lab.send("a1", f"10.1.1.{i}", "225.1.1.1", 1)
    wait_runs(lab, 31)
    path = f"/proc/{d.proc.pid}/task/{d.proc.pid}/children"
    wait_until(lambda: not open(path).read().split(), "no child left")
    same(len(json.loads(d.show("-j", "show"))["routes"]["kernel"]), 32, "entries")


if __name__ == "__main__":
    main()
