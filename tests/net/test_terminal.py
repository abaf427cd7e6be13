# SPDX-License-Identifier: ISC
#
# On a terminal headings are styled and nothing else is; elsewhere nothing is.
import fcntl
import os
import struct
import subprocess
import termios

from cases import case, main
from lab import SMCROUTECTL, check, same
from screen import open_terminal

CONF = "mroute from a1 group 225.3.3.3 to a2\nmroute from a1 source 10.1.0.5 group 225.4.4.4 to a2\n"
TITLES = ["(*,G) Template Rules", "(S,G) Rules", "Kernel MFC Table"]
HEAD = f"{'ROUTE (S,G)':<42} IIF  OIFS"


def on_terminal(d, *words, columns=0, errors=False, **env):
    """What a terminal of so many columns gets, by line, and what it was asked for."""
    master, slave = open_terminal()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24 if columns else 0, columns, 0, 0))
    env = {**{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}, "TERM": "xterm", **env}
    p = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, *words], stdin=slave, stdout=slave,
                         stderr=slave if errors else subprocess.DEVNULL, env=env)
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 4096):
            text += chunk
    except OSError:		# EIO: the other side has gone
        pass
    os.close(master)
    p.wait(20)
    return text.decode().replace("\r\n", "\n").splitlines()


def plain(width):
    """The headings of show, plain."""
    return [line for t in TITLES for line in ("_" * width, t, "=" * width, HEAD, "=" * width)]


def styled(width):
    return [line for t in TITLES for line in (f"\x1b[1m{t}\x1b[0m", f"\x1b[7m{HEAD:<{width}}\x1b[0m")]


def headings(lines):
    return [line for line in lines if not line.startswith(("(1", "(*, "))]


@case("styled, as wide as the terminal, or as COLUMNS says")
def styles(lab):
    d = lab.daemon(CONF)
    for want, how in ((styled(100), {"columns": 100}), (styled(79), {}), (styled(120), {"COLUMNS": "120"}),
                      (styled(100), {"columns": 100, "COLUMNS": "120"}), (styled(79), {"COLUMNS": "nonsense"}),
                      (styled(79), {"COLUMNS": "99999999999"}), (styled(79), {"COLUMNS": "-5"}),
                      (styled(60), {"columns": 60, "NO_COLOR": ""}), (plain(60), {"columns": 60, "NO_COLOR": "1"}),
                      (plain(60), {"columns": 60, "TERM": "dumb"})):
        same(headings(on_terminal(d, "show", **how)), want, f"headings with {how}")
    same(headings(on_terminal(d, "-p", "show", columns=60)), plain(60), "headings with -p")
    same(headings(on_terminal(d, "-t", "show", columns=60)), [], "headings with -t")
    rows = [line for line in on_terminal(d, "show") if line.startswith(("(1", "(*, "))]
    same(rows, [line for line in d.show("-t", "show").splitlines()], "rows, with and without a terminal")
    for words in (("-j", "show"), ("show", "config"), ("show", "metrics"), ("help",), ("show", "pending"),
                  ("version",)):
        check("\x1b" not in "".join(on_terminal(d, *words)), f"an escape sequence in {words}")
    same(on_terminal(d, "remove", "a1", "225.9.9.9", errors=True), ["smcroutectl: no rule (*, 225.9.9.9) from a1"],
         "an error")


@case("outputs wrap under their column, at blanks; into a pipe nothing wraps")
def wraps(lab):
    names = [f"output-{i:02}" for i in range(26)]
    pair = "(2001:db8:1111:2222:3333:4444:5555:6666, ff0e:1111:2222:3333:4444:5555:6666:7777)"
    d = lab.daemon(f"mroute from a1 group 225.3.3.3 to a2 {' '.join(names)}\n")
    rows = on_terminal(d, "-t", "show", columns=80)
    at = rows[0].index("a2")
    rows = rows[:rows.index(next(r for r in rows if "239.255" in r))]
    check(len(rows) > 5 and all(len(r) <= 80 for r in rows), f"rows: {rows}")
    same([r[:at].strip() for r in rows[1:]], [""] * (len(rows) - 1), "before the outputs")
    same(" ".join(r[at:] for r in rows), " ".join(["a2", *names]), "the outputs")
    whole = f"{'(*, 225.3.3.3)':<42} {'a1':<9}  a2 {' '.join(names)}"
    check(whole in d.show("-t").splitlines(), f"a row that is not wrapped in {d.show('-t')}")
    # A terminal that is too narrow for the columns: no padding, but all that there is.
    d.ctl("add", "a1", *pair.strip("()").split(", "), "a2", names[0])
    rows = on_terminal(d, "-t", "show", columns=70)
    at = rows.index(pair.split()[0])
    same(rows[at + 1], f"    {pair.split()[1]} a1 a2 {names[0]}", "a pair")
    check(rows[0].startswith("(*, 225.3.3.3) a1 a2 output-00 "), f"a short one: {rows[0]}")
    same([r for r in on_terminal(d, "show", columns=70) if "IIF" in r],
         ["\x1b[7mROUTE (S,G) IIF OIFS\x1b[0m"] * 3, "headings")
    rows = on_terminal(d, "-t", "show", columns=200)
    same(len({r.index("a1") for r in rows if r[0] == "(" and " a1 " in r}), 1, "columns of IIF at 200 columns")


@case("nothing of it in a pipe or a file")
def pipes(lab):
    d = lab.daemon(CONF)
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    for words in ("show", "-d show", "show interfaces", "-d show interfaces", "show groups", "show pending", "help"):
        rc, out, err = d.ctl(*words.split(), env=env)
        check(rc == 0 and not err and "\x1b" not in out, f"{words}: {rc} {out!r} {err!r}")
    same(headings(d.ctl("show", env=env)[1].splitlines()), plain(79), "headings")


@case("what a terminal would obey in the name of an interface does not get there")
def names(lab):
    name = "a\x1b[2Jb"
    lab.ip("link", "add", name, "type", "veth", "peer", "name", "b9")
    d = lab.daemon(CONF)
    check(any(r"a\x1b[2Jb" in line for line in on_terminal(d, "-t", "show", "interfaces")), "the name, escaped")
    check("\x1b" not in "".join(on_terminal(d, "-t", "-d", "show", "interfaces")), "an escape sequence")
    check(name in d.show("show", "interfaces"), "the name as it is, in a pipe")
    same([i["name"] for i in d.json("interfaces")["interfaces"] if i["name"].startswith("a\x1b")], [name],
         "the name in JSON")


@case("C1 controls and broken UTF-8 in a name, in a reply and in an error, do not get to a terminal")
def c1_controls(lab):
    for name, shown in (("c\u009b2J", r"c\xc2\x9b2J"), ("d\udcffe", r"d\xffe")):
        lab.ip("link", "add", name, "type", "veth", "peer", "name", "p" + shown[-3:])
    d = lab.daemon(CONF)
    for words in (("-t", "show", "interfaces"), ("-t", "-d", "show", "interfaces"), ("-j", "show", "interfaces")):
        text = "".join(on_terminal(d, *words))
        check("\u009b" not in text and "\ufffd" not in text and "\udcff" not in text, f"{words}: {text!r}")
    text = "".join(on_terminal(d, "-t", "show", "interfaces"))
    check(r"c\xc2\x9b2J" in text and r"d\xffe" in text, f"the names, escaped: {text!r}")
    text = "".join(on_terminal(d, "add", "c\u009b2J", "10.1.1.1", "10.2.2.2", errors=True))
    check("\u009b" not in text and text, f"an error: {text!r}")


if __name__ == "__main__":
    main()
