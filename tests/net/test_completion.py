# SPDX-License-Identifier: ISC
#
# Completion in bash and zsh: what the table of commands has, and interfaces.
import contextlib
import os
import pty
import select
import shutil
import time

from cases import case, main
from lab import SMCROUTECTL, Failed, Skip, check, same, sys_call

FILES = os.path.abspath(os.path.join(os.environ.get("B", "build"), "completion"))
BASH = """source "$1"; shift
COMP_WORDS=(smcroutectl "$@") COMP_CWORD=$#
_smcroutectl
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
true"""


def tell(lab, *args):
    rc, out, err = lab.run(*SMCROUTECTL, *args)
    same((rc, err), (0, ""), " ".join(args))
    return out


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


@case("bash")
def bash(lab):
    if not shutil.which("bash"):
        raise Skip("no bash here")

    def complete(*words):
        rc, out, err = lab.run("bash", "-c", BASH, "bash", FILES + "/smcroutectl.bash", *words)
        same((rc, err), (0, ""), f"completion of {words}")
        return sorted(out.splitlines())
    every, ifs = names(lab), interfaces(lab)
    quoted = sorted(lab.run("bash", "-c", 'printf "%q\\n" "$@"', "bash", *ifs)[1].splitlines())
    shows = ["config", "graph", "groups", "interfaces", "metrics", "pending", "routes"]
    same(complete(""), every, "commands")
    same(complete("-d", "-i", "show", "re"), ["reload", "rem", "remove", "replace", "restart"], "commands with re")
    same(complete("show", ""), shows, "tables")
    same(complete("-j", "show", "p"), ["pending"], "tables with p")
    same(complete("help", ""), every, "help")
    same(complete("-"), ["-b", "-d", "-h", "-i", "-j", "-p", "-t", "-u", "-v", "-w"], "options")
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
    every, ifs = names(lab), interfaces(lab)
    pid, fd = pty.fork()
    if not pid:
        os.environ.update(TERM="dumb", COLUMNS="200", LC_ALL="C")
        os.execvp("zsh", ["zsh", "-f", "-i"])
    try:
        # The prompt comes when its line editor has the terminal; before that ^D would end the shell.
        ask_zsh(fd, b"unsetopt zle; fpath=(" + FILES.encode() + b" $fpath); autoload -U compinit; compinit -u -D; "
                b"LISTMAX=1000; setopt zle; PS1=RE''ADY\n", [b"READY"])
        for line, want in (("", every), ("show ", ["config", "metrics", "routes"]), ("-", ["-b", "-w"]),
                           ("add ", [i for i in ifs if i.isalnum()]), ("add a1 225.1.1.1 ", ["lo"]), ("help ", every),
                           ("-d join ", ["lo"])):
            # The line is typed, the candidates are listed (^D), the line is wiped (^U).
            got = ask_zsh(fd, b"smcroutectl " + line.encode() + b"\x04", [w.encode() for w in want] + [b"\n"])
            check(b"rror" not in got, f"{line!r}: {got!r}")
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
