# SPDX-License-Identifier: ISC
#
# Names of interfaces of each kind of bytes that the kernel allows, in all that
# the programs print on a terminal, and in the commands that are to be pasted.
import os
import re
import shutil
import subprocess

from cases import case, main
from lab import SMCROUTE, SMCROUTECTL, Skip, check, note
from names import GROUP, NAMES, harmless, name, on_terminal, run_shell, set_up


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
