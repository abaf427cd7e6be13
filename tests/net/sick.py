# SPDX-License-Identifier: ISC
#
# What the tests of `smcroute-check -H` and `doctor` share: programs in PATH, a
# daemon where its client looks for it, packets that go on, commands pasted.
import concurrent.futures
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time

from lab import MS_BIND, MS_REC, SLOW, SMCROUTE, Daemon, Skip, check, child_setup, note, same, sys_call, wait_until
from packet import ETH_P_IP, address, frame

WATCHED = 50		# packets of each stream that a doctor sees at least
V4, V6 = ("10.1.0.9", "225.1.2.3"), ("fd00:1::9", "ff2e::123")
RULES = "mroute from a1 group 225.1.2.3 to a2\nmroute from a1 group ff2e::123 to a2\n"


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            raise Skip(f"no {p} here")


def sized(src, group, ttl, number, size):
    """A frame with an IP packet of that many bytes that must not be fragmented (IPv4)."""
    data = bytearray(frame(src, group, ttl, number))
    fill = bytes(14 + size - len(data))
    if data[12:14] == ETH_P_IP.to_bytes(2, "big"):
        data[16:18], data[20] = size.to_bytes(2, "big"), 0x40
        total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(14, 34, 2) if i != 24)
        total = (total & 0xFFFF) + (total >> 16)
        data[24:26] = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big")
        data[38:40] = (size - 20).to_bytes(2, "big")
    else:
        data[18:20] = data[58:60] = (size - 40).to_bytes(2, "big")
    return bytes(data) + fill


def blind():
    """The words in front of a program that take every right from it."""
    # A user namespace has none outside; in a plain chroot there is none (user_namespaces(7)).
    for wrap in (("unshare", "-U"), ("setpriv", "--inh-caps=-all", "--bounding-set=-all")):
        with contextlib.suppress(OSError):
            if subprocess.run([*wrap, "true"], stderr=subprocess.DEVNULL).returncode == 0:
                return wrap
    raise Skip("neither user namespaces nor setpriv, to take the rights away with")


class Stream(contextlib.AbstractContextManager):
    """Packets into an interface of the router, some 200 a second, until the end."""

    def __init__(self, lab, iface, src, group, ttl=16, size=0, sock=None):
        self.tx = sock or lab.senders[lab.host(iface)]
        self.make = lambda i: sized(src, group, ttl, i, size) if size else frame(src, group, ttl, i)
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.lab, self.group, self.sent = lab, group, 0
        lab.streams.add(self)
        self.thread.start()

    def run(self):
        i = 1 << 24
        while not self.end.wait(0.005):
            with contextlib.suppress(OSError):		# the link is down
                self.tx.send(self.make(i))
            i += 1
            self.sent += 1

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()
        self.lab.streams.discard(self)

    def seen(self, iface):
        self.lab.collect()
        return sum(n for key, n in self.lab.seen[self.lab.host(iface)].items()
                   if key[1] == address(self.group))

    def flows(self, *ifaces):
        """Until more packets come out of each of ifaces."""
        before = {i: self.seen(i) for i in ifaces}
        wait_until(lambda: all(self.seen(i) > before[i] + 5 for i in ifaces), f"packets on {' '.join(ifaces)}", 10)


def features(lab):
    return lab.run(SMCROUTE, "smcroute-check", "-v")[1].strip(")\n").split()


def path(lab):
    """The programs under their names in PATH, as an administrator has them.  Skips a case where the
    program does not look at the host."""
    if "-host" in features(lab):
        raise Skip("built without")
    bin_dir = lab.path("bin")
    if not os.path.isdir(bin_dir):
        os.mkdir(bin_dir)
        subprocess.run([SMCROUTE, "--install", "-s", bin_dir], check=True)
    return dict(os.environ, PATH=f"{bin_dir}:{os.environ['PATH']}", CHECK=f"{bin_dir}/smcroute-check")


def daemon(lab, conf, *options):
    """A daemon where smcroutectl looks for it, and with no rule but these."""
    d = Daemon(lab, conf, ("-u", "/run/smcroute.sock", *options))
    d.sock = "/run/smcroute.sock"
    return d


def is_watching(p):
    """The doctor catches SIGINT only while it watches."""
    with open(f"/proc/{p.pid}/status") as f:
        caught = next(line for line in f if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> signal.SIGINT - 1 & 1


def watch(lab, argv):
    """As lab.run(), for a doctor that is told to watch long: it is ended once each stream has sent enough."""
    p = subprocess.Popen(argv, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         preexec_fn=child_setup)
    wait_until(lambda: p.poll() is not None or is_watching(p), "the watch to begin", 3 * SLOW)
    begin = time.monotonic()
    enough = {s: s.sent + WATCHED for s in lab.streams}
    if lab.midway and argv[0].endswith("smcroute-check"):		# the doctor with rights
        wait_until(lambda: all(s.sent >= n - WATCHED / 2 for s, n in enough.items()), "packets to be sent", 3 * SLOW)
        lab.midway()
    wait_until(lambda: p.poll() is not None or all(s.sent >= n for s, n in enough.items()) and
               time.monotonic() - begin > lab.least, "packets to be sent", 3 * SLOW)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    return p.returncode, out, err


def findings(lab, *argv, wrap=(), **kw):
    """(exit status, findings) of smcroute-check.  A doctor that is to watch for a second does so until it has seen
    enough, when there are streams: so it sees as much of them however slow this machine is."""
    if argv[0] == "doctor" and "1" in argv and lab.streams and not kw:
        argv = ["3000" if w == "1" else w for w in argv]
        rc, out, err = watch(lab, [*wrap, path(lab)["CHECK"], "-j", *argv])
    else:
        rc, out, err = lab.run(*wrap, path(lab)["CHECK"], "-j", *argv, **kw)
    same((err, rc in (0, 1, 2, 78)), ("", True), f"stderr, and exit status {rc}")
    found = json.loads(out)["findings"]
    note(json.dumps(found, indent=1))
    return rc, found


def doctor(lab, group, *words, wrap=()):
    """(exit status, verdicts, commands, those for another way)"""
    rc, found = findings(lab, "doctor", group, "1", *words, wrap=wrap)
    check(not any("within 0 s" in f["text"] for f in found), "a verdict on no time at all")
    if wrap:
        lab.found_blind = found
    else:
        lab.found = found
    return (rc, [f["what"] for f in found if f["severity"] in ("error", "good")],
            [c for f in found for c in f["fix"]], [c for f in found for c in f["or"]])


def doctors(lab, group, *words):
    """The same at once with what rights there are, and without any."""
    path(lab)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        both = [pool.submit(doctor, lab, group, *words, wrap=wrap) for wrap in ((), blind())]
        return [f.result() for f in both]


def inside(lab):
    """The words in front of a program that run it in the system of CURES, whose nft, ip and sysctl may be others."""
    root = os.environ.get("CURES")
    if not root:
        return []
    if not hasattr(lab, "cures"):
        for part in ("proc", "sys", "dev", "run"):
            sys_call("mount", f"/{part}", f"{root}/{part}", None, MS_BIND | MS_REC, None)
        lab.cures = root
    return ["chroot", root]


def run_command(lab, command):
    # Our own programs, and files, are here.
    ours = command.split()[0] in ("echo", "smcroute-check", "smcroutectl", "smcrouted", "kill", "ps", "sed")
    if command.split()[0] == "sysctl" and not inside(lab):
        need("sysctl")
    p = subprocess.run([*([] if ours else inside(lab)), "sh", "-c", command], env=path(lab), text=True,
                       capture_output=True, stdin=subprocess.DEVNULL)
    note(f"$ {command}\n{p.stdout}{p.stderr}")
    return p


def paste(lab, commands):
    check(commands, "no command was printed")
    for c in commands:
        same(run_command(lab, c).returncode, 0, f"exit status of {c}")


def look(lab, commands):
    """Commands that only show something, or start what goes on without end: they are understood."""
    for c in dict.fromkeys(commands):
        p = None if c.split()[0] in ("tcpdump", "sudo", "docker", "smcrouted") else run_command(lab, c)
        if p and p.returncode != 127:		# no such program here
            check(p.returncode == 0 or "grep" in c and p.returncode == 1 or c.startswith("smcroute-check"),
                  f"exit status of {c}: {p.returncode}")


def cured(lab, stream, verdict, group, *outs, words=(), blind=None, other=False):
    """The verdict, with and without rights, then its commands, then packets and a clean verdict.

    With other set, what is printed as another way instead."""
    lab.least = 1.1 if verdict == "nothing" else 0	# what does not come takes time to be seen
    (rc, verdicts, fixes, others), without = doctors(lab, group, *words)
    same((rc, verdicts), (1, [verdict]), "verdict")
    if blind == "maybe":
        check(without[:2] in ((2, []), (1, [verdict])), f"verdict without capabilities: {without[:2]}")
    elif blind != "any":
        same(without[:2], (2, []) if blind == "unsure" else (1, [blind or verdict]), "verdict without capabilities")
    paste(lab, others if other else fixes)
    stream.flows(*outs)
    same(doctor(lab, group, *words)[:2], (0, ["fine"]), "verdict afterwards")
