# SPDX-License-Identifier: ISC
#
# A new process takes the place of the daemon that runs (-T), or is refused and nothing has happened.
import contextlib
import os
import pwd
import signal
import socket
import struct
import subprocess
import threading
import time

from cases import case, main
from heirs import FLOWS, OTHERS, RULES, Heirs, pid_of, program, start
from lab import MS_BIND, SMCROUTED, SMCROUTECTL, SLOW, check, gone, need_users, note, same, sys_call, \
    wait_until

MS_MOVE = 8192


@case("by the same configuration, three times")
def same_conf(lab):
    h = Heirs(lab)
    d = h.d
    for _ in range(3):
        heir = start(lab, d, name=f"heir{_}")
        h.next()
        same(d.wait(), 0, "exit status of the one before")
        check("0 added, 0 changed, 0 removed" in heir.log(), "something was changed")
        d = heir
    h.end()


@case("by a configuration that changes ten other rules and memberships")
def other_conf(lab):
    h = Heirs(lab, RULES + OTHERS + "mgroup from a4 group 225.66.0.1\n")
    more = OTHERS.replace("225.20", "225.21") + "mgroup from a4 group 225.66.0.2\n" + \
        "mroute from a4 source 10.4.0.9 group 225.50.1.1 to a1\n"
    heir = start(lab, h.d, conf=lab.MARKS + RULES + more)
    h.next()
    check("1 added, 0 changed, 0 removed" in heir.log(), "the change of the kernel's entries")
    same(sorted(g["group"] for g in heir.json("groups")["groups"]["conf"] if g["iif"] == "a4"), ["225.66.0.2"],
         "groups on a4")
    wait_until(lambda: "225.66.0.1" not in lab.ip("maddr", "show", "dev", "a4"), "the other one left")
    lab.passes("a4", "10.4.0.8", "225.21.3.1", "a1", n=5)
    h.before = lab.mroutes()
    h.end()


@case("where nobody runs: a start as always, and a line that says so")
def nobody(lab):
    d = lab.daemon(RULES, "-T")
    check("nobody runs" in d.log(), "no line")
    d.do("ping")
    d.proc.kill()
    d.wait()
    # The PID file of the one that was killed is there until it has started.
    d = lab.daemon(RULES, "-T", ready=False)
    wait_until(lambda: "started" in d.log(), "the start")
    d.do("ping")


def take(h, *options, before=(), conf=None):
    """A takeover by a program in the foreground, to its end: (exit status, output, errors)."""
    return h.lab.run(*before, os.path.abspath(SMCROUTED[0]), *SMCROUTED[1:], "-T", "-n", "-f", conf or h.d.conf,
                     "-P", h.d.pid_file, "-u", h.d.sock, *options)


@case("a configuration with errors, one that is not there, wrong options")
def bad(lab):
    h = Heirs(lab)
    h.refuses(take(h, conf=lab.write("bad", RULES + "nonsense\n")), 78, "nonsense", "goes on")
    h.refuses(take(h, conf=lab.path("nowhere")), 78)
    h.refuses(take(h, "-p", "no such user"), 64, "no such user")
    h.refuses(take(h, "-l", "loud"), 64)
    h.end()


@case("from another network namespace")
def elsewhere(lab):
    h = Heirs(lab)
    with lab.at("hb"):
        got = take(h)
    h.refuses(got, 69, "another network namespace", "-i")
    h.end()


@case("by one with another routing table: refused, and what to do instead loses nothing but what is learned anew")
def other_table(lab):
    h = Heirs(lab)
    h.refuses(take(h, "-t", "100"), 69, "routes in table 0", "to in table 100", "-i")
    heir = lab.daemon(RULES, "-t", "100", name="beside")
    for link in "a1", "a4", "a5":
        lab.ip("mrule", "add", "iif", link, "lookup", "100")
        lab.ip("-6", "mrule", "add", "iif", link, "lookup", "100")
    wait_until(lambda: any(r["packets"] for r in heir.json("routes")["routes"]["kernel"] if r["iif"] == "a5"),
               "packets in the other table")
    h.d.proc.send_signal(signal.SIGTERM)
    same(h.d.wait(), 0, "exit status of the one before")
    h.d, h.pid = heir, pid_of(heir)
    h.refuses(take(h), 69, "routes in table 100", "to in table 0")
    h.stream.end()
    # What was learned is learned anew there, and the kernel lets few packets of each wait for that.
    for k in (k for k, flow in enumerate(FLOWS) if flow[0] not in ("10.1.0.9", "fd00:1::9")):
        lab.expect(h.stream.of(k), "a2", "a3")


@case("by a user who may talk to the daemon, but is neither root nor its user")
def other_user(lab):
    need_users()
    os.chmod(lab.dir, 0o755)
    h = Heirs(lab, RULES, "-p", "nobody")
    os.chmod(h.d.sock, 0o666)
    h.refuses(take(h, before=("setpriv", "--reuid=1", "--regid=1", "--clear-groups")), 77, "only root")
    # Root may, and gets all of it.
    start(lab, h.d, "-p", "nobody")
    h.next()
    h.end()


@case("by the daemon's user, who may not write the PID file: it has its own where the directory lets it")
def its_user(lab):
    need_users()
    program(lab)
    os.chmod(lab.dir, 0o777)
    h = Heirs(lab, RULES, "-p", "nobody")
    user = pwd.getpwnam("nobody")
    start(lab, h.d, wrap=("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"))
    h.next()
    h.end()


@contextlib.contextmanager
def old_daemon(lab, answer):
    """Something that listens as a daemon that knows no takeover does; it answers and closes."""
    path, asked = lab.path("old.sock"), []
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen()

    def serve():
        with contextlib.suppress(OSError):
            while True:
                c, _ = s.accept()
                asked.append(c.recv(4096))
                c.sendall(answer)
                c.close()
    threading.Thread(target=serve, daemon=True).start()
    yield path, asked
    s.close()


@case("from SMCRoute or a daemon of an older version: refused, and told what to do", b"unknown command\0")
@case("the same when it just closes", b"")
def old(lab, answer):
    with old_daemon(lab, answer) as (path, asked):
        rc, _, err = lab.run(*SMCROUTED, "-T", "-n", "-f", lab.write("c", RULES), "-u", path, "-P", lab.path("p"))
    same(rc, 69, f"exit status ({err})")
    check("older" in err and "without -T" in err, err)
    # The length in front of it has 32 bits or 64.
    same([struct.unpack("H", a[4:6])[0] or struct.unpack("H", a[8:10])[0] for a in asked if a], [ord("T")],
         "what it was asked")
    check(not os.path.exists(lab.path("p")) and os.path.exists(path), "files")


@case("one that never answers is given up")
def silent(lab):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(lab.path("s.sock"))
        s.listen()
        rc, _, err = lab.run(*SMCROUTED, "-T", "-n", "-f", lab.write("c", RULES), "-u", lab.path("s.sock"))
    same(rc, 69, f"exit status ({err})")
    check("10 s" in err, err)


@case("after a move of /run to another root, as by switch_root")
def moved(lab):
    h = Heirs(lab)
    root = lab.path("../newroot")
    os.makedirs(root + "/run")
    ours = os.path.basename(lab.dir)
    # The files of the daemon in another place of this mount namespace: what -u and -P named before is no more.
    sys_call("mount", "new", root + "/run", "tmpfs", 0, None)
    os.mkdir(f"{root}/run/{ours}")
    sys_call("mount", lab.dir, f"{root}/run/{ours}", None, MS_BIND, None)
    new = f"{root}/run/{ours}"
    heir = lab.run(*SMCROUTED, "-T", "-f", h.d.conf, "-P", f"{new}/smcroute.pid", "-u", f"{new}/smcroute.sock")
    same(heir[0], 0, f"{heir}")
    h.next()
    h.end()
    same(lab.run(*SMCROUTECTL, "-u", h.d.sock, "kill")[0], 0, "kill")


@case("requests that come while it goes on are all answered, by the one or the other")
def requests(lab):
    h = Heirs(lab)
    stop, bad, n = threading.Event(), [], [0]

    def ask():
        while not stop.is_set():
            got = h.d.ctl("ping")
            n[0] += 1
            if got[0]:
                bad.append(got)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for t in threads:
        t.start()
    # Connected before, asked after.
    early = socket.socket(socket.AF_UNIX)
    early.connect(h.d.sock)
    for i in range(5):
        start(lab, h.d, name=f"heir{i}")
        h.next()
    stop.set()
    for t in threads:
        t.join()
    same(bad[:3], [], f"requests that failed, of {n[0]}")
    words = b"\0ping\0\0"
    early.sendall(struct.pack("NHHxxxx", 16 + len(words), ord("W"), 2) + words)
    same(early.recv(100)[:1], b"X", "an answer to a connection from before")
    h.end()


@case("a reload in the middle is done by one of them")
def reloaded(lab):
    h = Heirs(lab)
    h.d.write(RULES + OTHERS)
    heir = subprocess.Popen([*SMCROUTED, "-T", "-n", "-f", h.d.conf, "-P", h.d.pid_file, "-u", h.d.sock],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(ProcessLookupError):
        for _ in range(50):
            os.kill(h.pid, signal.SIGHUP)
    h.next()
    wait_until(lambda: len([r for r in h.d.json("routes")["routes"]["asm"] if r["group"].startswith("225.20.")]) == 10,
               "the new rules")
    h.end()
    heir.terminate()
    same(heir.wait(SLOW), 0, "exit status")


@case("packets of new sources that come meanwhile are all forwarded, afterwards at the latest")
def new_sources(lab):
    h = Heirs(lab)
    heir = subprocess.Popen([*SMCROUTED, "-T", "-n", "-f", h.d.conf, "-P", h.d.pid_file, "-u", h.d.sock],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    flows, i = [], 0
    while pid_of(h.d) == h.pid or not flows or not gone(h.pid):
        i += 1
        flows.append((time.monotonic(), lab.send("a5", f"10.201.{i >> 8 & 255}.{i & 255}", "225.9.2.2", every=0.001)))
    h.next()
    # The kernel keeps a packet for 10 s (ipmr_cache_unresolved()), which a machine with much other work may take.
    kept = [flow for when, flow in flows if time.monotonic() - when < 9]
    for flow in kept:
        lab.wait(flow, "a2", "a3")
    note(f"measured: {len(kept)} of {len(flows)} packets that came meanwhile")
    h.stream.end()
    h.stream.expect("a2", "a3")
    heir.terminate()
    heir.wait(SLOW)


if __name__ == "__main__":
    main()
