# SPDX-License-Identifier: ISC
#
# Names of interfaces of each kind of bytes that the kernel allows, in all that
# the programs print on a terminal, and in the commands that are to be pasted.
import os
import pty
import re
import shutil
import signal
import subprocess

from cases import case, main
from lab import SMCROUTE, SMCROUTECTL, Skip, check, note, same

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
    master, slave = pty.openpty()
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


@case("no byte that a terminal obeys is printed by any command of the client")
def client(lab):
    set_up(lab)
    d = lab.daemon()
    for i, raw in enumerate(NAMES):
        words = ["--"] if raw.startswith(b"-") else []
        for command in (["add", "a1", GROUP, name(raw)], ["add", name(raw), GROUP, "a2"],
                        ["join", name(raw), f"225.1.2.{i + 1}"]):
            # A name with a control character of ASCII is refused.
            check(d.ctl(*words, *command)[0] == (65 if i < 2 else 0), f"{command}")
    ctl = [*SMCROUTECTL, "-u", d.sock]
    for table in ("routes", "groups", "interfaces", "pending", "config", "metrics", "graph"):
        for options in ((), ("-d",), ("-dd",), ("-j",), ("-t",)):
            text = harmless(on_terminal([*ctl, *options, "show", table]), f"show {table} {options}")
            check(text.strip(), f"show {table} {options} says nothing")
    harmless(on_terminal([*ctl, "top", "1"], b"\x1b[J"), "top")
    for raw in NAMES:
        for words in (("add", raw, "10.1.1.1", "10.2.2.2"), ("join", raw, "1.2.3.4"), ("remove", raw, "225.8.8.8"),
                      ("leave", raw, "225.8.8.8"), ("add", "a1", raw), ("join", raw + b"-longer-than-15", GROUP),
                      (raw,), ("add", "none" + name(raw)[:8], GROUP, "a1"), ("-o", raw, "add", "a1", GROUP)):
            harmless(on_terminal([*ctl, "--", *words] if words[0] == raw else [*ctl, *words]), f"{words}")
    log = d.log()
    harmless(os.fsencode(log), "the log")


@case("nor by the checker and by explain")
def checker(lab):
    conf = set_up(lab)
    program = [SMCROUTE, "smcroute-check"]
    for words in ((conf,), ("-p", conf), ("-j", conf), ("-H", conf), ("-H", "-j", conf)):
        harmless(on_terminal([*program, *words]), f"smcroute-check {words}")
    for raw in NAMES:
        harmless(on_terminal([*program, "explain", raw, "10.1.0.9", GROUP, conf]), f"explain {raw}")
    wrong = lab.path("wrong.conf")
    with open(wrong, "wb") as f:
        for raw in NAMES:
            f.write(b"%s\nmroute from %s group %s to\nmroute from a1 group 225.1.1.1 %s\nphyint %s %s\n" % ((raw,) * 6))
            f.write(b"include %s\ninclude /none/%s*\n" % (raw, raw))
    text = harmless(on_terminal([*program, wrong]), "a file with errors")
    check(text.count("error") >= 2 * len(NAMES), text[:300])


def run_shell(shell, command, lab):
    """The words that each program of the command gets."""
    seen, tools = lab.path("seen"), lab.path("tools")
    os.makedirs(tools, exist_ok=True)
    for tool in ("ip", "sysctl", "smcroutectl", "ethtool", "bridge", "nft", "tcpdump", "sudo", "sh", "tee"):
        with open(f"{tools}/{tool}", "w") as f:
            f.write(f'#!/bin/dash\nprintf "%s\\0" "$@" >>{seen}\n')
        os.chmod(f"{tools}/{tool}", 0o755)
    with open(seen, "wb"):
        pass
    subprocess.run([shell, "-c", command], env={"PATH": f"{tools}:/usr/bin:/bin"}, cwd=lab.dir, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(seen, "rb") as f:
        return f.read().split(b"\0")[:-1]


@case("each command that is printed means exactly that interface, in dash and in bash", "dash")
@case("the same in bash", "bash")
def pasted(lab, shell):
    if not shutil.which(shell):
        raise Skip(f"no {shell} here")
    tried = 0
    for i, raw in enumerate(NAMES):
        lab.ip("link", "add", "name", name(raw), "type", "veth", "peer", "name", f"peer{i}")
        conf = lab.path("one.conf")
        with open(conf, "wb") as f:
            f.write(b"mroute from %s group 225.1.1.1 to a2\n" % raw)
        out = subprocess.run([SMCROUTE, "smcroute-check", "-H", "-j", conf], capture_output=True, timeout=60).stdout
        commands = re.findall(rb'"((?:ip link|ip -6 link|sysctl)[^"\\]*(?:\\.[^"\\]*)*)"', out)
        for command in commands:
            text = command.decode().encode().decode("unicode_escape").encode("latin-1") if b"\\u" in command else \
                command.replace(b'\\"', b'"').replace(b"\\\\", b"\\")
            words = run_shell(shell, text, lab)
            if b"link" in words[:3]:
                check(raw in words, f"{text}: {words} has not {raw}")
                tried += 1
    check(not os.path.exists(lab.path("pwn")), "a command of a name was run")
    check(tried >= len(NAMES) - 2, f"only {tried} commands")
    note(f"measured: {tried} commands")


if __name__ == "__main__":
    main()
