# SPDX-License-Identifier: ISC
#
# The unit of init/: the manual page prints it, systemd finds little to say about
# it, and the daemon lives under its filter of system calls and its capabilities.
import ctypes
import errno
import os
import platform
import pwd
import re
import shutil
import struct
import subprocess

from cases import case, main
from lab import SMCROUTE, Skip, check, gone, libc, need_users, same, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT = os.path.join(HERE, "../../init/smcroute.service")
INSTANCE = os.path.join(HERE, "../../init/smcroute@.service")
SCORE = 1.5		# tests/init has systemd itself
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06				# linux/bpf_common.h
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000		# linux/seccomp.h


def lines(path=UNIT):
    with open(path) as f:
        return [line for line in f.read().split("\n") if not line.startswith("#")]


@case("the manual page prints this unit")
def printed(lab):
    with open(os.path.join(HERE, "../../man/smcrouted.8")) as f:
        page = f.read()
    block = re.search(r"^\.Bd -literal -offset indent\n(\[Unit\]\n.*?)^\.Ed$", page, re.M | re.S)
    same(block.group(1).split("\n"), lines(), "the unit in smcrouted(8)")


@case("the unit for instances differs in names, and in the capability for -t")
def instance(lab):
    text = "\n".join(lines())
    for old, new in (("smcroute/smcroute.", "smcroute-%i/%i."), ("/run/smcroute.sock", "/run/%i.sock"),
                     ("RuntimeDirectory=smcroute", "RuntimeDirectory=smcroute-%i"), (" -n ", " -n -i %i "),
                     ("default/smcroute", "default/smcroute-%i"), ("CAP_NET_RAW", "CAP_NET_RAW CAP_NET_ADMIN"),
                     ("multicast router", "multicast router %i")):
        text = text.replace(old, new)
    same(lines(INSTANCE), text.split("\n"), "smcroute@.service")


@case("however often it is restarted it starts, and the store keeps its routes")
def limits(lab):
    general, service = "\n".join(lines()).split("[Unit]\n")[1].split("[Service]\n")
    # In [Service] it would be passed over, systemd.unit(5).
    check("\nStartLimitIntervalSec=0\n" in general, "systemd's own limit, with which the store goes")
    check("\nRestart=on-failure\nRestartSec=1\n" in service, "no pause without that limit")


def analyze(*words):
    if not shutil.which("systemd-analyze"):
        raise Skip("no systemd-analyze here")
    p = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True)
    if p.returncode:
        raise Skip(f"systemd-analyze {words[0]}: {p.stderr.strip()[:100]}")
    return p.stdout + p.stderr


@case("what systemd-analyze says of its exposure")
def score(lab):
    text = analyze("security", "--offline=true", UNIT)
    value = float(re.search(r"Overall exposure level.*?: ([0-9.]+)", text).group(1))
    check(value <= SCORE, f"{value}: {text}")


def calls_of(word, seen):
    """The system calls of a name or a group of systemd.exec(5)."""
    if not word.startswith("@"):
        return {word}
    found = set()
    if word not in seen:
        seen.add(word)
        for line in analyze("syscall-filter", word).split("\n")[1:]:
            name = line.strip()
            if name and not name.startswith("#"):
                found |= calls_of(name, seen)
    return found


def allowed():
    names = set()
    for line in lines():
        if line.startswith("SystemCallFilter="):
            words = line.split("=", 1)[1]
            for word in words.lstrip("~").split():
                found = calls_of(word, set())
                names = names - found if words.startswith("~") else names | found
    # What each filter has, systemd.exec(5).
    return names | calls_of("@default", set())


def numbers():
    p = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                       capture_output=True, text=True)
    return {name: int(n) for name, n in re.findall(r"#define __NR_(\w+) (\d+)$", p.stdout, re.M)}


@case("the daemon lives under its filter, as another user, with its capability alone")
def filtered(lab):
    need_users()
    if os.environ.get("SANITIZE"):
        raise Skip("the sanitizers make system calls of their own")
    with open(SMCROUTE, "rb") as f:
        is_wide = f.read(5)[4] == 2		# ELFCLASS64 of elf(5)
    if not shutil.which("cc") or platform.machine() != "x86_64" or not is_wide:
        raise Skip("no numbers of system calls here")
    known = numbers()
    wanted = sorted(known[name] for name in allowed() if name in known)
    code = [(LOAD, 0, 0, 0)]
    for number in wanted:
        code += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    # The unit lets none of the others end the daemon, but this is the only one that it may try.
    code += [(EQUAL, 0, 1, known["capset"]), (RETURN, 0, 0, ERRNO | errno.EPERM), (RETURN, 0, 0, KILL)]
    user = pwd.getpwnam("nobody")
    os.chmod(lab.dir, 0o777)
    # Not before setpriv(1), which does what the filter forbids.
    wrap = lab.write("confine.py", "import ctypes, os, sys\nsys.path.insert(0, sys.argv[1])\nimport test_unit\n"
                     "test_unit.run_confined(sys.argv[2], sys.argv[3:])\n")
    filter_file = lab.path("filter")
    with open(filter_file, "wb") as f:
        f.write(b"".join(struct.pack("HBBI", *c) for c in code))
    d = lab.daemon("mroute from a1 group 225.1.1.0/24 to a2\nmgroup from a1 group 225.1.1.3\nphyint a1 mrdisc refresh\n"
                   "mroute from a1 group ff2e::11 to a2\n",
                   wrap=("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
                         "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw", "--bounding-set=-all,+net_raw",
                         "python3", wrap, HERE, filter_file))
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2")
    for words in (("add", "a1", "225.1.3.0/24", "a2", "a5"), ("join", "a1", "225.1.1.4"), ("show", "interfaces", "-d"),
                  ("show", "metrics"), ("reload",), ("flush",)):
        same(d.ctl(*words)[0], 0, " ".join(words))
    lab.links("a5")
    wait_until(lambda: not d.json("pending")["pending"], "nothing pending")
    same(d.ctl("upgrade")[0], 0, "upgrade")
    with open(d.pid_file) as f:
        pid = int(f.read())
    lab.passes("a1", "10.1.0.9", "225.1.1.2", "a2")
    same(d.ctl("kill")[0], 0, "kill")
    wait_until(lambda: gone(pid), "its end")
    same(d.wait(), 0, "exit status")


def run_confined(path, argv):
    """In a process of its own: the filter in a file holds for the program from here on."""
    with open(path, "rb") as f:
        raw = f.read()
    text = ctypes.create_string_buffer(raw)
    prog = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(raw) // 8, ctypes.addressof(text)))
    libc.prctl(38, 1, 0, 0, 0)		# PR_SET_NO_NEW_PRIVS
    if libc.prctl(22, 2, ctypes.byref(prog), 0, 0) < 0:		# PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        raise SystemExit("no seccomp filter here")
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main()
