# SPDX-License-Identifier: ISC
#
# The keeper: a parent that holds the sockets of the daemon and starts it again, and nothing is lost.
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from array import array

from cases import case, main
from heirs import children, kill, next_pid, pid_of
from lab import SMCROUTE, SMCROUTED, check, child_setup, gone, need_users, same, wait_until
from reports import Wire
from stream import Stream

RULES = ("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2 a3\n"
         "mroute from a1 source fd00:1::9 group ff2e::1:1 to a2 a3\n"
         "mroute from a1 group 225.2.0.0/16 to a2 a3\nmroute from a1 group ff2e::2:0/112 to a2 a3\n"
         "mroute from a1 group 225.3.3.3 kernel to a2 a3\n"
         "mgroup from a1 group 225.1.1.1\nmgroup from a1 source 10.1.0.9 group 232.1.1.1\n"
         "mgroup from a1 group ff2e::1:1\nphyint a2 mrdisc\n")
FLOWS = [("10.1.0.9", "225.1.1.1"), ("fd00:1::9", "ff2e::1:1"), ("10.1.0.7", "225.2.7.7"), ("fd00:1::7", "ff2e::2:7"),
         ("10.1.0.8", "225.3.3.3")]


DEATHS = int(os.environ.get("DEATHS", "6"))		# up to 20 and more, for the patient


@case("killed again and again: no packet lost, none twice, nothing seen on the wire, clients' things are there")
def killed(lab):
    wire, d = Wire(lab), lab.daemon(RULES, "-k")
    check(pid_of(d) != d.proc.pid, "the PID file has the keeper's pid")
    same(d.ctl("-o", "iptv", "add", "a1", "10.1.0.6", "225.6.6.6", "a2", "a3")[0], 0, "add of an owner")
    d.do("add", "a1", "225.7.7.7", "a2", "a3")
    d.do("remove", "a1", "10.1.0.9", "225.1.1.1", "a3")
    d.do("add", "a1", "10.1.0.9", "225.1.1.1", "a3")
    d.do("-o", "iptv", "join", "a1", "232.6.0.0/26")
    flows = [*FLOWS, ("10.1.0.6", "225.6.6.6"), ("10.1.0.5", "225.7.7.7")]
    for src, group in flows:
        lab.passes("a1", src, group, "a2", "a3", n=2)
    config, table = d.show("-d", "show", "config"), lab.mroutes()
    members = sorted(map(str, d.json("groups")["groups"]["kernel"]))
    wait_until(lambda: wire.read() and wire.is_quiet(), "the last report of a join")
    said, adverts = len(wire.heard), Wire(lab, "hb")
    stream = Stream(lab, "a1", flows, 5000)
    for _ in range(DEATHS):
        pid = kill(d)
        check(pid != d.proc.pid, "the PID file has the keeper's pid")
    stream.end()
    sent = stream.expect("a2", "a3")
    same(len(wire.read()), said, f"IGMP and MLD messages ({wire.heard[said:][:4]})")
    same(adverts.read(), [], "messages on an output")
    same(d.show("-d", "show", "config"), config, "config")
    same(lab.mroutes(), table, "routes of the kernel")
    same(sorted(map(str, d.json("groups")["groups"]["kernel"])), members, "memberships")
    check(d.log().count("died by signal 9 (Killed); it is started again") == DEATHS, "the keeper's lines")
    print(f"# measured: {sent} packets across {DEATHS} deaths")
    same(d.stop(), 0, "exit status")
    check(gone(pid), "the daemon outlives its keeper")
    same(lab.mroutes(), {}, "routes afterwards")


@case("killed in the middle of a batch: what was acknowledged is there")
def batch(lab):
    d = lab.daemon("", "-k")
    acknowledged, stop = [], threading.Event()

    def client(k):
        while not stop.is_set():
            n = len(acknowledged)
            line = ("-o", f"o{k}", "add", "a1", f"10.{k}.{n // 250}.{n % 250}", "225.1.1.1", "a2")
            if d.ctl(*line)[0] == 0:
                acknowledged.append(line)

    threads = [threading.Thread(target=client, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for i in range(5):
        wait_until(lambda: len(acknowledged) > (i + 1) * 30, lambda: f"clients, {len(acknowledged)} answers")
        kill(d)
    stop.set()
    for t in threads:
        t.join()
    config = d.show("-d", "show", "config")
    for line in acknowledged:
        want = f"mroute from a1 source {line[4]} group 225.1.1.1 to a2  # owner: {line[1]}"
        check(want in config, f"{want} was acknowledged, and is not there")
    # One connection, many commands, cut off by the death.
    lines = "".join(f"add a1 10.9.{i // 250}.{i % 250} 225.2.2.2 a3\n" for i in range(20000))
    p = subprocess.Popen([SMCROUTE, "smcroutectl", "-u", d.sock, "-b"], stdin=subprocess.PIPE, text=True,
                         stderr=subprocess.DEVNULL)
    threading.Thread(target=lambda: p.communicate(lines), daemon=True).start()
    wait_until(lambda: d.show("show", "config").count("225.2.2.2") > 100, "some of the batch")
    kill(d)
    p.wait(20)
    seen = [f"group 225.2.2.2 to a3" in line for line in d.show("show", "config").splitlines()]
    check(sum(seen) > 100, f"{sum(seen)} of the batch are there")
    print(f"# measured: {len(acknowledged)} commands and {sum(seen)} of a batch across 6 deaths")


@case("a reload forgets what has no owner, before and after a death; metrics go on")
def reload(lab):
    d = lab.daemon(RULES, "-k")
    d.do("-o", "x", "add", "a1", "225.8.8.8", "a2")
    d.do("remove", "a1", "225.3.3.3")
    d.do("add", "a1", "225.9.9.9", "a2")
    d.do("leave", "a1", "225.1.1.1")
    lab.passes("a1", "10.1.0.7", "225.2.7.7", "a2", "a3", n=2)
    learned = [line for line in d.show("show", "metrics").splitlines() if "learned_total" in line]
    config = d.show("show", "config")
    check("225.3.3.3" not in config and "225.9.9.9" in config, "config")
    kill(d)
    same(d.show("show", "config"), config, "config after a death")
    same([line for line in d.show("show", "metrics").splitlines() if "learned_total" in line], learned, "learned")
    same(d.ctl("reload")[0], 0, "reload")
    config = d.show("-d", "show", "config")
    check("225.3.3.3" in config and "225.9.9.9" not in config and "225.8.8.8" in config, "config after a reload")
    kill(d)
    same(d.show("-d", "show", "config"), config, "config after a reload and a death")


@case("it ends as its daemon does: status, signal; TERM, INT and HUP are passed on")
def ends(lab):
    rc, _, err = lab.run(*SMCROUTED, "-n", "-k", "-p", "no such user", "-P", lab.path("x.pid"),
                         "-u", lab.path("x.sock"))
    same(rc, 64, f"exit status of a bad start ({err})")
    rc, _, err = lab.run(*SMCROUTED, "-n", "-k", "-f", lab.path("none.conf"), "-P", lab.path("x.pid"),
                         "-u", lab.path("x.sock"))
    same(rc, 78, f"exit status without a file ({err})")
    rc, _, err = lab.run(*SMCROUTED, "-n", "-k", "-f", "-", stdin=RULES)
    same((rc, "standard input" in err), (64, True), "a file that cannot be read again")
    for sig in (signal.SIGTERM, signal.SIGINT):
        d = lab.daemon(RULES, "-k")
        d.hup(RULES + "mroute from a1 group 225.5.5.5 to a2\n")
        check("225.5.5.5" in d.show("show", "config"), "config after SIGHUP")
        pid = pid_of(d)
        same(d.stop(sig), 0, "exit status")
        check(gone(pid), "the daemon is still there")
    d = lab.daemon(RULES, "-k")
    same(d.ctl("kill")[0], 0, "kill")
    same(d.wait(), 0, "exit status")
    # A restart with a file that is gone ends it: 78 is no crash.
    d = lab.daemon(RULES, "-k")
    os.unlink(d.conf)
    os.kill(pid_of(d), signal.SIGKILL)
    same(d.wait(), 78, "exit status without a file")


@case("in the background: the parent's status is the daemon's, the terminal is left, the next one is there")
def background(lab):
    d = lab.daemon("")		# for its files
    same(d.stop(), 0, "exit status")
    argv = [*SMCROUTED, "-k", "-i", "smcroute", "-P", d.pid_file, "-u", d.sock]
    same(lab.run(*argv, "-f", lab.path("none.conf"))[0], 78, "verdict of a bad start")
    lab.write("smcroute.conf", lab.MARKS + RULES)
    # run() returns when nobody has its pipes open any more.
    same(lab.run(*argv, "-f", d.conf)[0], 0, "verdict")
    first = pid_of(d)
    check(first and d.ctl("ping")[0] == 0, "no daemon")
    with open(f"/proc/{first}/stat") as f:
        keeper = int(f.read().rpartition(")")[2].split()[1])
    with open(f"/proc/{keeper}/cmdline") as f:
        check("-k" in f.read().split("\0"), "the parent is no keeper")
    same(os.readlink(f"/proc/{keeper}/cwd"), "/", "directory of the keeper")
    for fd in range(3):
        same(os.readlink(f"/proc/{keeper}/fd/{fd}"), "/dev/null", f"descriptor {fd} of the keeper")
    lab.passes("a1", *FLOWS[0], "a2", "a3", n=5)
    os.kill(first, signal.SIGKILL)
    second = next_pid(d, first)
    lab.passes("a1", *FLOWS[0], "a2", "a3", n=5)
    with open(f"/proc/{keeper}/smaps_rollup") as f:
        private = sum(int(line.split()[1]) for line in f if line.startswith("Private_Dirty"))
    print(f"# measured: the keeper has {private} kB of its own")
    os.kill(keeper, signal.SIGTERM)
    wait_until(lambda: gone(second) and gone(keeper), "the end of both")


@case("without a capability: after -p, and for the next daemon that gets nothing but the sockets")
def no_rights(lab):
    need_users()
    d = lab.daemon(RULES, "-k", "-p", "nobody")
    lab.passes("a1", *FLOWS[0], "a2", "a3", n=5)
    kill(d)
    with open(f"/proc/{pid_of(d)}/status") as f:
        check("CapPrm:\t0000000000000000" in f.read(), "capabilities after a restart")
    lab.passes("a1", *FLOWS[2], "a2", "a3", n=5)


@case("it hears its daemon alone, and survives what strangers send")
def strangers(lab):
    d = lab.daemon(RULES, "-k")
    with open(f"/proc/{d.proc.pid}/net/unix") as f:
        names = [line.split()[7] for line in f if len(line.split()) > 7]
    inodes = {os.readlink(f"/proc/{d.proc.pid}/fd/{n}") for n in os.listdir(f"/proc/{d.proc.pid}/fd")}
    with open("/proc/net/unix") as f:
        ours = [line.split()[7] for line in f if len(line.split()) > 7 and f"socket:[{line.split()[6]}]" in inodes]
    name = next(n for n in ours if n.startswith("@"))
    check(name in names, "the keeper's socket")
    r, w = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        for text in (b"FDSTORE=1\nFDNAME=mroute4", b"FDSTOREREMOVE=1\nFDNAME=mroute4", b"MAINPID=%d" % os.getpid(),
                     b"", b"\0" * 100, b"x" * 5000, b"FDSTORE=1\n" * 100):
            s.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [r, w]))], 0, "\0" + name[1:])
        for _ in range(1000):
            s.sendto(b"READY=1", "\0" + name[1:])
    os.close(r)
    os.close(w)
    lab.passes("a1", *FLOWS[0], "a2", "a3", n=2)
    # Nor does one who never stops keep it from its work.
    flood = subprocess.Popen([sys.executable, "-c", "import socket, sys\ns = socket.socket(1, 2)\nwhile True:\n"
                              "    s.sendto(b'FDSTORE=1', chr(0) + sys.argv[1])", name[1:]], preexec_fn=child_setup)
    kill(d)
    flood.kill()
    flood.wait()
    lab.expect(lab.send("a1", *FLOWS[0], 5), "a2", "a3")
    # All messages before a death have been read by then.
    links = [os.readlink(f"/proc/{d.proc.pid}/fd/{n}") for n in os.listdir(f"/proc/{d.proc.pid}/fd")]
    check(not any(link.startswith("pipe:") for link in links), f"it took descriptors of a stranger: {links}")


@case("where somebody else is to be told: what the daemon says is passed on")
def passed_on(lab):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind("/run/notify")
        s.settimeout(20)
        d = lab.daemon(RULES, "-k", wrap=("env", "NOTIFY_SOCKET=/run/notify", "WATCHDOG_USEC=20000000"))
        seen, names = b"", set()
        while b"READY=1" not in seen:
            text, fds, _, _ = socket.recv_fds(s, 4096, 4)
            seen += text + b"\n"
            if b"FDSTORE=1" in text:
                names.add(dict(line.split(b"=", 1) for line in text.split(b"\n"))[b"FDNAME"].decode())
            for fd in fds:
                os.close(fd)
        check({"mroute4", "mroute6", "journal", "member.1"} <= names, f"names {names}")
        check(b"STATUS=" in seen and b"WATCHDOG=1" not in seen.split(b"READY=1")[0], f"{seen}")
        wait_until(lambda: b"WATCHDOG=1" in s.recv(4096), "the watchdog's message")
        os.kill(pid_of(d), signal.SIGKILL)
        wait_until(lambda: b"READY=1" in s.recv(4096), "the next one's message")
        same(d.stop(), 0, "exit status")
        seen, s_ended = [], lambda: seen and b"STOPPING=1" in seen[-1]
        wait_until(lambda: seen.append(s.recv(4096)) or s_ended(), "the end")


@case("as process 1 of a container: orphans are buried, the daemon is started again")
def process_1(lab):
    d = lab.daemon("")
    same(d.stop(), 0, "exit status")
    lab.write("smcroute.conf", lab.MARKS + RULES)
    hook = lab.write("hook", "#!/bin/sh\n(sleep 0.1 &)\n")
    os.chmod(hook, 0o755)
    with open(d.log_file, "w") as log:
        p = subprocess.Popen(["unshare", "-p", "-f", "--mount-proc", *SMCROUTED, "-k", "-e", hook, "-f", d.conf,
                              "-P", d.pid_file, "-u", d.sock], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                             preexec_fn=child_setup)
    d.proc = p
    wait_until(lambda: d.ctl("ping")[0] == 0, d.log)
    with open(f"/proc/{p.pid}/task/{p.pid}/children") as f:
        keeper = int(f.read())
    with open(f"/proc/{keeper}/task/{keeper}/children") as f:
        first = f.read().split()[0]
    check(pid_of(d) > 1, "the PID file's number")
    lab.passes("a1", *FLOWS[0], "a2", "a3", n=5)
    os.kill(int(first), signal.SIGKILL)

    def others():
        with open(f"/proc/{keeper}/task/{keeper}/children") as f:
            return f.read().split()
    wait_until(lambda: first not in others() and d.ctl("ping")[0] == 0, "the next one")
    lab.expect(lab.send("a1", *FLOWS[0], 5), "a2", "a3")
    # The hook left something behind twice.
    wait_until(lambda: len(others()) == 1, "all orphans buried")
    os.kill(keeper, signal.SIGTERM)
    same(p.wait(20), 0, "exit status")


@case("daemons that die before they are ready: longer and longer pauses, then what may be the reason is given up")
def again_and_again(lab):
    def feed(f):
        with f:
            f.write(lab.MARKS + RULES)
    # Who reads a file that does not come is not ready.
    r, w = os.pipe()
    path = f"/proc/{os.getpid()}/fd/{r}"
    d = lab.daemon("", "-k", "-f", path, ready=False)
    feed(os.fdopen(w, "w"))
    first = next_pid(d, 0)
    coming = open(path, "w")
    readers = set()
    d.do("-o", "x", "add", "a1", "225.8.8.8", "a2")
    lab.passes("a1", *FLOWS[0], "a2", "a3", n=2)
    for i in range(7):
        # Who reads for the daemon before is the keeper's for a moment, until it is gone, too.
        pid = wait_until(lambda: set(children(d.proc.pid)) - readers, "a daemon").pop()
        if i:
            readers |= set(wait_until(lambda: children(pid), "who reads for it"))
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in children(d.proc.pid), "its end")
    pid = wait_until(lambda: set(children(d.proc.pid)) - readers, "a daemon").pop()
    wait_until(lambda: children(pid), "who reads for it")
    feed(coming)
    next_pid(d, first)
    lab.expect(lab.send("a1", *FLOWS[0], 5), "a2", "a3")
    check("225.8.8.8" not in d.show("show", "config"), "what was given up is there")
    log = d.log()
    for pause in ("again", "again in 0.1 s", "again in 0.8 s", "again in 3.2 s"):
        check(f"it is started {pause}\n" in log, f"no pause: {pause}")
    for what in ("3 deaths in a row before the daemon was ready: it is started with the program as it was",
                 "6 deaths in a row before the daemon was ready: it is started without what clients asked for"):
        check(what in log, f"not said: {what}")
    # In a pause it ends at once.
    for _ in range(3):
        with contextlib.suppress(ProcessLookupError):
            os.kill(wait_until(lambda: set(children(d.proc.pid)) - readers, "a daemon").pop(), signal.SIGKILL)
    wait_until(lambda: not children(d.proc.pid), "a pause")
    same(d.stop(), 0, "exit status in a pause")


if __name__ == "__main__":
    main()
