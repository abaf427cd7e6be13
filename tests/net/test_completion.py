# SPDX-License-Identifier: ISC
#
# Completion in bash and zsh: what the table of commands has, interfaces, rules that
# a daemon has, and the options of the other programs.
import contextlib
import os
import pty
import select
import shutil
import signal
import time

from cases import case, main
from lab import SMCROUTE, SMCROUTECTL, Daemon, Failed, Skip, check, same, sys_call
from screen import open_terminal

FILES = os.path.abspath(os.path.join(os.environ.get("B", "build"), "completion"))
BASH = """source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
"$(complete -p "$3" | sed 's/.*-F //; s/ .*//')" "$4"
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
true"""


def tell(lab, *args):
    rc, out, err = lab.run(*SMCROUTECTL, *args)
    same((rc, err), (0, ""), " ".join(args))
    return out


def program(lab, name):
    """The path of an applet."""
    os.symlink(os.path.abspath(SMCROUTE), lab.path(name))
    return lab.path(name)


def names(lab):
    """All names of commands, as help has them."""
    found = []
    for line in tell(lab, "help").splitlines():
        if not line.startswith(" "):
            found.append(line.split()[0])
            text = tell(lab, "help", line.split()[0])
            found += text.split("also called: ")[1].splitlines()[0].split() if "also called: " in text else []
    return sorted(found)


def interfaces(lab):
    """Those that a shell can see, a strange one among them where that is possible."""
    with contextlib.suppress(OSError):
        sys_call("mount", "sys", "/sys", "sysfs", 0, None)
        lab.ip("link", "add", 'q"u\\o', "type", "veth", "peer", "name", "b9")
    return sorted(n for n in os.listdir("/sys/class/net") if os.path.isdir("/sys/class/net/" + n))


def complete_bash(lab, program, *words):
    """What bash offers for the last word."""
    rc, out, err = lab.run("bash", "-c", BASH, "bash", FILES + "/smcroutectl.bash", " ".join([program, *words]),
                           os.path.basename(program), program)
    same((rc, err), (0, ""), f"completion of {program} {words}")
    return sorted(out.splitlines())


RULES = """mroute from a1 group 225.3.3.3 to a2
mroute from a1 source 10.1.0.0/24 group 225.3.3.3 to a2 a3 wg0
mroute from wg0 source fd00:1::5 group ff2e::4 to a1
mroute from a3 group ff2e::5 kernel to a1
mgroup from a2 source 10.2.0.5 group 232.8.8.8
mgroup from a2 group 225.8.8.8
"""
# What comes next of these rules.
NEXT = (("remove", "a1 a3 wg0"), ("remove a1", "10.1.0.0/24 225.3.3.3"), ("rem a1 225.3.3.3", "a2"),
        ("remove a3 ff2e::5", "a1"), ("del a1 10.1.0.0/24", "225.3.3.3"), ("remove wg0 fd00:1::5", "ff2e::4"),
        ("remove a1 10.1.0.0/24 225.3.3.3", "a2 a3 wg0"), ("remove a1 10.1.0.0/24 225.3.3.3 a3", "a2 wg0"),
        ("remove wg0 fd00:1::5 ff2e::4", "a1"), ("leave", "a2"), ("leave a2", "10.2.0.5 225.8.8.8"),
        ("leave a2 10.2.0.5", "232.8.8.8"))


@case("bash: rules that a daemon has, for remove and leave")
def bash_rules(lab):
    if not shutil.which("bash"):
        raise Skip("no bash here")
    client, d = program(lab, "smcroutectl"), Daemon(lab, RULES)
    for words, want in NEXT:
        same(complete_bash(lab, client, "-u", d.sock, words, ""), want.split(), f"after {words}")
    same(complete_bash(lab, client, "-u", d.sock, "remove", "a1", "2"), ["225.3.3.3"], "sources and groups with 2")
    # Behind a colon bash takes what is offered for the end of the word.
    same(complete_bash(lab, client, "-u", d.sock, "remove", "wg0", "fd00:1:"), [":5"], "after a colon")
    # Stopped, it takes no longer than the deadline; then it is gone.
    os.kill(d.proc.pid, signal.SIGSTOP)
    same(complete_bash(lab, client, "-u", d.sock, "remove", "a1", ""), [], "of a daemon that does not answer")
    os.kill(d.proc.pid, signal.SIGCONT)
    same(d.stop(), 0, "exit status of the daemon")
    same(complete_bash(lab, client, "-u", d.sock, "leave", "a2", ""), [], "without a daemon")


@case("bash: smcrouted and smcroute-check")
def bash_others(lab):
    if not shutil.which("bash"):
        raise Skip("no bash here")
    lab.write("some.conf", "")
    folder = lab.path("")
    for name in ("smcrouted", "smcroute-check"):
        options = sorted(line.split()[0] for line in lab.run(SMCROUTE, name, "-h")[1].splitlines()
                         if line.startswith("  -"))
        check(len(options) > 5, f"{options}")
        same(complete_bash(lab, name, "-"), options, f"options of {name}")
    same(complete_bash(lab, "smcrouted", "-l", ""), sorted(["none", "err", "notice", "info", "debug"]), "levels")
    same(complete_bash(lab, "smcrouted", "-n", "-f", folder + "so"), [folder + "some.conf"], "a file")
    same(complete_bash(lab, "smcrouted", "-c", ""), [], "seconds")
    same(complete_bash(lab, "smcrouted", ""), [], "a word")
    same(complete_bash(lab, "smcroute-check", "expl"), ["explain"], "a word of the checker")
    same(complete_bash(lab, "smcroute-check", folder + "so"), [folder + "some.conf"], "a file for the checker")
    check("lo" in complete_bash(lab, "smcroute-check", "-j", "explain", ""), "an interface for explain")
    same(complete_bash(lab, "smcroute-check", "explain", "a1", "10.0.0.1", ""), [], "a group for explain")
    same(complete_bash(lab, "smcroute-check", "explain", "a1", "10.0.0.1", "225.1.1.1", folder + "so"),
         [folder + "some.conf"], "a file for explain")
    same(complete_bash(lab, "smcroute-check", "doctor", ""), [], "a group for doctor")


@case("bash")
def bash(lab):
    if not shutil.which("bash"):
        raise Skip("no bash here")

    def complete(*words):
        return complete_bash(lab, "smcroutectl", *words)
    every, ifs = names(lab), interfaces(lab)
    quoted = sorted(lab.run("bash", "-c", 'printf "%q\\n" "$@"', "bash", *ifs)[1].splitlines())
    shows = ["config", "graph", "groups", "interfaces", "metrics", "pending", "routes"]
    same(complete(""), every, "commands")
    same(complete("-d", "-i", "show", "re"), ["reload", "rem", "remove", "replace", "restart"], "commands with re")
    same(complete("show", ""), shows, "tables")
    same(complete("-j", "show", "p"), ["pending"], "tables with p")
    same(complete("help", ""), every, "help")
    same(complete("-"), ["-b", "-d", "-h", "-i", "-j", "-o", "-p", "-t", "-u", "-v", "-w"], "options")
    for words in (("add",), ("join",), ("del",), ("add", "a1", "225.1.1.1"),
                  ("rem", "a1", "10.0.0.1", "225.1.1.1", "a2")):
        same(complete(*words, ""), quoted, f"interfaces after {words}")
    same(complete("add", "l"), ["lo"], "interfaces with l")
    for words in (("add", "a1"), ("join", "a1"), ("join", "a1", "225.1.1.1"), ("flush",), ("show", "routes"), ("-w",)):
        same(complete(*words, ""), [], f"nothing after {words}")


def ask_zsh(fd, text, want, seconds=20):
    """Types text and reads until all of want has come."""
    os.write(fd, text)
    got, end = b"", time.monotonic() + seconds
    while not all(w in got for w in want):
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            raise Failed(f"{text!r} gave {got!r}, not {want}")
        got += os.read(fd, 65536)
    return got


@case("zsh")
def zsh(lab):
    if not shutil.which("zsh"):
        raise Skip("no zsh here")
    every, ifs, d = names(lab), interfaces(lab), Daemon(lab, RULES)
    folder = os.path.dirname(program(lab, "smcroutectl"))
    for end in open_terminal():		# one can be had
        os.close(end)
    pid, fd = pty.fork()
    if not pid:
        os.environ.update(TERM="dumb", COLUMNS="200", LC_ALL="C", PATH=folder + ":" + os.environ["PATH"])
        os.execvp("zsh", ["zsh", "-f", "-i"])
    try:
        # The prompt comes when its line editor has the terminal; before that ^D would end the shell.
        ask_zsh(fd, b"unsetopt zle; fpath=(" + FILES.encode() + b" $fpath); autoload -U compinit; compinit -u -D; "
                b"LISTMAX=1000; setopt zle; PS1=RE''ADY\n", [b"READY"])
        lines = [("ctl " + line, want) for line, want in (
            ("", every), ("show ", ["config", "metrics", "routes"]), ("-", ["-b", "-d", "-w"]),
            ("add ", [i for i in ifs if i.isalnum()]), ("add a1 225.1.1.1 ", ["lo"]), ("help ", every),
            ("-d join ", ["lo"]), ("remove ", ["lo"]))]
        # Where there is one candidate it is typed at once.
        lines += [(f"ctl -u {d.sock} {words} ", want.split()) for words, want in NEXT if " " in want]
        lines += [("d -", ["-F", "-M", "-f"]), ("d -n -l ", ["debug", "notice"]), ("-check ", ["doctor", "explain"]),
                  ("-check -", ["-H", "-q"]), ("-check explain ", ["lo"])]
        for line, want in lines:
            # The line is typed, the candidates are listed (^D), the line is wiped (^U).
            got = ask_zsh(fd, b"smcroute" + line.encode() + b"\x04", [w.encode() for w in want] + [b"\n"])
            check(b"rror" not in got.replace(b"has errors", b""), f"{line!r}: {got!r}")
            os.write(fd, b"\x15")
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(fd)


@case("the file for bash is clean")
def lint(lab):
    if not shutil.which("shellcheck"):
        raise Skip("no shellcheck here")
    rc, out, _ = lab.run("shellcheck", "-s", "bash", FILES + "/smcroutectl.bash")
    same((rc, out), (0, ""), "shellcheck")


if __name__ == "__main__":
    main()
