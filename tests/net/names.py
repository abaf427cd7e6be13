# SPDX-License-Identifier: ISC
#
# Names of interfaces of each kind of bytes that the kernel allows, what a terminal gets and may get of them, and what a
# shell makes of a command.
import os
import re
import signal
import subprocess

from lab import check
from screen import open_terminal

NAMES = [b"a\x1b[31mb", b"b\x07\x01\x7f\x08", b"c\xc2\x9b2J", b"d\xff\xfe\xc2", b"e'q\"q`", b"f;>pwn;", b"g$(>pwn)",
         b"h`>pwn`", b"i&>pwn|", b"j*?[a]{b,c}", b"-j", b"~", b"k\\n\\033", b"!x<y>", b"l=m,n", b"15bytes;$(>pwn)",
         b"m\xe2\x80\x8bn", b"o\xe2\x80\xaep", b"q\xf0\x9f\x98\x80"]
OURS = re.compile(rb"\x1b\[(0m|1m|7m|H|J|K|2J)")		# what the programs say to a terminal themselves
GROUP = "225.1.1.1"


def name(raw):
    return os.fsdecode(raw)


def set_up(lab):
    assert all(len(raw) < 16 for raw in NAMES)
    for i, raw in enumerate(NAMES):
        lab.ip("link", "add", "name", name(raw), "type", "veth", "peer", "name", f"peer{i}")
    conf = b"".join(b"mroute from %s group %s to a2\nmgroup from %s group 225.1.2.%d\n" %
                    (raw, GROUP.encode(), raw, i + 1) for i, raw in enumerate(NAMES))
    path = lab.path("names.conf")
    with open(path, "wb") as f:
        f.write(b"phyint lo disable\nmroute from a1 group 225.1.1.1 to a2 " + b" ".join(NAMES) + b"\n" + conf)
    return path


def on_terminal(argv, until=None):
    """All that a terminal gets; a program without an end is interrupted when `until` is there."""
    master, slave = open_terminal()
    p = subprocess.Popen([a if isinstance(a, bytes) else os.fsencode(a) for a in argv], stdin=slave, stdout=slave,
                         stderr=slave, env={**os.environ, "TERM": "xterm"}, start_new_session=True)
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 4096):
            text += chunk
            if until and until in text:
                p.send_signal(signal.SIGINT)
    except OSError:		# EIO: the other side has gone
        pass
    os.close(master)
    p.wait(60)
    return text


def harmless(text, what):
    rest = OURS.sub(b"", text).replace(b"\r\n", b"\n")
    bad = re.findall(rb"[^\n]*[\x00-\x08\x0b-\x1f\x7f][^\n]*", rest)
    check(not bad, f"{what}: a control character: {bad[:2]}")
    try:
        shown = rest.decode()
    except UnicodeDecodeError as e:
        bad = rest[max(0, e.start - 40):e.end + 20]
    bad = bad or [c for c in shown if 0x80 <= ord(c) < 0xa0]
    check(not bad, f"{what}: broken UTF-8 or a C1 control: {bad}")
    return shown


def run_shell(shell, command, lab):
    """The words that each program of the command gets."""
    seen, tools = lab.path("seen"), lab.path("tools")
    os.makedirs(tools, exist_ok=True)
    for tool in ("ip", "sysctl", "smcrouted", "smcroutectl", "ethtool", "bridge", "nft", "tcpdump", "sudo", "sh",
                 "tee"):
        with open(f"{tools}/{tool}", "w") as f:
            f.write(f'#!/bin/dash\nprintf "%s\\0" "$@" >>{seen}\n')
        os.chmod(f"{tools}/{tool}", 0o755)
    with open(seen, "wb"):
        pass
    subprocess.run([shell, "-c", command], env={"PATH": f"{tools}:/usr/bin:/bin"}, cwd=lab.dir, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(seen, "rb") as f:
        return f.read().split(b"\0")[:-1]
