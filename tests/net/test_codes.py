# SPDX-License-Identifier: ISC
#
# Each exit status of smcroutectl for real: one clear line on standard error, and
# nothing is changed.
import os
import resource
import shutil
import subprocess

from cases import case, main
from lab import SMCROUTE, SMCROUTECTL, Skip, check, same, wait_until

CONF = ("mroute from a1 group 225.3.3.3 to a2\nmroute from a1 source 10.1.0.5 group 225.4.4.4 to a2\n"
        "mroute from a1 source fd00:1::5 group ff2e::4 to a2\nmgroup from a2 group 225.8.8.8\n")


def state(lab, d):
    return lab.mroutes(), d.show("show", "config"), d.show("-j", "show", "groups"), d.show("-t", "show", "pending")


def refused(d, words, code, *told, stdin=None):
    """The command ends with code and one line, in which all of told stands."""
    rc, out, err = d.ctl(*words, stdin=stdin)
    same((rc, out, err.count("\n")), (code, "", 1), f"{words}: {err!r}: status, output, lines")
    check(err.startswith("smcroutectl: ") and all(t in err for t in told), f"{words}: {err!r} lacks one of {told}")


ALL = "add replace remove join leave disown flush reload upgrade kill show monitor top ping help version"
WRONG = (
    (64, ("foo",), (ALL,)), (64, ("",), (ALL,)), (64, ("re",), ("ambiguous", "replace", "remove", "reload", "restart")),
    (64, ("shwo",), ('no command "shwo", did you mean "show"?', ALL)),
    (64, ("help", "jion"), ('did you mean "join"?',)), (64, ("jion", "--help"), ('did you mean "join"?',)),
    (64, ("show", "ruotes"), ('did you mean "routes"?',)),
    (64, ("stop",), ('did you mean "kill"?',)), (64, ("status",), ('did you mean "show"?',)),
    (64, ("delete", "a1", "225.1.1.1"), ('did you mean "remove"?',)),
    (64, ("show", "mroute"), ('did you mean "routes"?',)), (64, ("show", "VIFs"), ('did you mean "interfaces"?',)),
    (64, ("show", "xyz"), ('no table "xyz", there are: routes',)),
    (64, ("pending",), ('no command "pending": write smcroutectl show pending',)),
    (64, ("gro",), ("write smcroutectl show groups\n",)),
    (64, ("doctor", "225.1.1.1"), ("write smcroute-check doctor",)),
    (64, ("explain",), ("smcroute-check explain IIF",)), (64, ("start",), ("write smcrouted\n",)),
    (64, ("mroute", "from", "a1", "group", "225.1.1.1", "to", "a2"), ('did you mean "add"?',)),
    (64, ("mgroup", "from", "a1", "group", "225.1.1.1"), ('did you mean "join"?',)),
    (64, ("phyint", "a1"), ("in the config file, then smcroutectl reload",)),
    (64, ("disown", "iptv"), ("usage: smcroutectl disown -o OWNER",)),
    (64, ("show", "groats"), ("routes groups interfaces pending config metrics graph",)),
    (64, ("add", "a1"), ("usage: smcroutectl add IIF",)), (64, ("add",), ("usage",)), (64, ("join", "a1"), ("usage",)),
    (64, ("ping", "pong"), ("many",)), (64, ("help", "foo"), (ALL,)), (64, ("help", "re"), ("ambiguous",)),
    (64, ("join", "a1", "225.1.1.1", "a2"), ("a2",)), (64, ("-Z",), ("-Z",)),
    (64, ("--foo",), ("--foo",)), (64, ("show", "-Z"), ("-Z",)),
    (64, ("top", "0"), ("top 0", "1")), (64, ("top", "x"), ("top x", "86400")),
    (64, ("-w", "soon", "ping"), ("soon",)), (64, ("-w",), ("-w",)), (64, ("-i", "a/b", "ping"), ("a/b",)),
    (64, ("-b", "show"), ("show",)), (64, ("-w", "-1", "ping"), ("-1",)),
    (65, ("add", "a1", "225.1.1.9/abc", "a2"), ("225.1.1.9/abc",)), (65, ("add", "a1", "225.1.1.9/99", "a2"), ("/99",)),
    (65, ("add", "a1", "225.1.1.9/3", "a2"), ("/3", "/4")), (65, ("add", "a1", "225.1.1.9/", "a2"), ("225.1.1.9/",)),
    (65, ("add", "a1", "10.0.0.9", "ff0e::1", "a2"), ("family",)),
    (65, ("add", "a1", "fd00::9", "225.1.1.1"), ("family",)),
    (65, ("add", "a1", "10.0.0.9", "10.0.0.8", "a2"), ("10.0.0.8",)), (65, ("add", "a1", "eth", "a2"), ("eth",)),
    (65, ("add", "a1", "225.1.1.1", "225.1.1.2", "a2"), ("225.1.1.1",)),
    (65, ("add", "a1", "225.1.1.1", "abcdefghijklmnopqr"), ("abcdefghijklmnopqr", "15")),
    (65, ("add", "abcdefghijklmnopqr", "225.1.1.1"), ("15",)), (65, ("add", "", "225.1.1.1"), ("empty",)),
    (65, ("add", "a 1", "225.1.1.1"), ("blank",)), (65, ("replace", "a1", "225.3.3.3", "a2", "a/3"), ("slash",)),
    (65, ("join", "a1", "10.0.0.9"), ("10.0.0.9",)), (65, ("join", "a1", "10.0.0.1", "ff0e::1"), ("family",)),
    (65, ("join", "a1", "225.0.0.0/8"), ("16777216", "65536")), (65, ("join", "a1", "225.1.1.1/33"), ("/33",)),
    (65, ("leave", "a1", "10.0.0.9"), ("10.0.0.9",)), (65, ("remove", "a1", "225.3.3.3/99"), ("/99",)),
    (65, ("add", "a1", "225.1.1.1", "a2", "source", "10.1.0.2"),
     ('"source"', "here write: add a1 10.1.0.2 225.1.1.1 a2")),
    (65, ("add", "from", "a1", "group", "225.1.1.1", "to", "a2", "a3"), ("here write: add a1 225.1.1.1 a2 a3\n",)),
    (65, ("remove", "from", "a1", "source", "fd00::1", "group", "ff2e::1"), ("write: remove a1 fd00::1 ff2e::1\n",)),
    (65, ("join", "from", "a1", "225.1.1.1"), ("write: join a1 225.1.1.1\n",)),
    (65, ("add", "a1", "192.168.1.1", "a2"), ("192.168.1.1 is a source", "add a1 192.168.1.1 GROUP a2")),
    (65, ("add", "a1", "192.168.1.1", "a2.7"), ("192.168.1.1 is a source",)),
    (65, ("add", "225.1.1.1", "a1", "a2"), ("the inbound interface stands first: add a1 225.1.1.1 a2\n",)),
    (65, ("join", "225.1.1.1", "a1"), ("the inbound interface stands first: join a1 225.1.1.1\n",)),
    (65, ("add", "a1", "any", "225.1.1.1", "a2"), ("leave the source out",)),
    (65, ("add", "a1", "225.1.1.1/255.255.255.255", "a2"), ("write 225.1.1.1/32",)),
    (65, ("add", "a1", "192.168.1.1", "225.1.1.300", "a2"), ("225.1.1.300",)),
    (66, ("remove", "a1", "225.3.3.3", "a9"), ("the rule has no output a9",)),
    (66, ("remove", "a1", "10.1.0.9", "225.99.9.9"), ("(10.1.0.9, 225.99.9.9)", "a1")),
    (66, ("remove", "a2", "225.3.3.3"), ("(*, 225.3.3.3)", "a2")), (66, ("remove", "wg9", "225.3.3.3"), ("wg9",)),
    (66, ("remove", "a1", "225.3.3.0/24", "a2"), ("225.3.3.0/24",)), (66, ("remove", "a1", "ff2e::99"), ("ff2e::99",)),
    (66, ("leave", "a1", "225.8.8.8"), ("failed leave (*,225.8.8.8), not a member",)),
    (66, ("leave", "a2", "10.0.0.1", "225.8.8.8"), ("(10.0.0.1,225.8.8.8)",)),
    (66, ("leave", "wg9", "225.8.8.8"), ("not a member",)),
)


@case("64, 65, 66: wrong words, wrong values, nothing there")
def wrong(lab):
    d = lab.daemon(CONF)
    before = state(lab, d)
    for code, words, told in WRONG:
        refused(d, words, code, *told)
    for code, words, told in WRONG:
        if not any(w.startswith("-") or " " in w or not w for w in words):
            rc, out, err = d.ctl("-b", stdin="\n" + " ".join(words) + "\n")
            check(rc == code and (words[0] == "help" or "line 2: " in err) and not out,
                  f"in a batch: {words}: {rc} {err!r}")
    same(state(lab, d), before, "rules, groups and entries")


@case("69: no daemon; the sockets that were tried, and any other")
def nobody(lab):
    rc, out, err = lab.run(*SMCROUTECTL, "-i", "nobody", "show")
    same((rc, out, err.count("\n")), (69, "", 1), f"no daemon: {err!r}")
    check("/run/nobody.sock (not there); smcrouted -i nobody starts one\n" in err, f"{err!r}")
    d = lab.daemon(CONF, "-u", "/run/some.sock", "-P", "/run/some.pid", ready=False)
    d.pid_file, d.sock = "/run/some.pid", "/run/some.sock"
    wait_until(lambda: os.path.exists(d.pid_file), "the PID file")
    d.do("ping")
    # What is no daemon of ours, or a dead one's, is not named; nobody connects to it to see.
    stranger = subprocess.Popen(["python3", "-c", "import socket, time; s = socket.socket(socket.AF_UNIX);"
                                 "s.bind('/run/strange.sock'); s.listen(); print(flush=True); s.accept();"
                                 "print('met', flush=True); time.sleep(60)"],
                                stdout=subprocess.PIPE)
    stranger.stdout.readline()
    for words in (("-i", "nobody"), ("-u", "/run/nobody.sock"), ("-u", lab.path("nobody.sock"))):
        rc, out, err = lab.run(*SMCROUTECTL, *words, "show")
        same((rc, out, err.count("\n")), (69, "", 1), f"{words}: {err!r}")
        check("nobody.sock (not there); others answer at" in err and "/run/some.sock" in err, f"{err!r}")
        check("strange" not in err and "starts one" not in err, f"{err!r}")
    stranger.kill()
    stranger.wait()
    same(stranger.stdout.read(), b"", "connections to a stranger")
    stranger.stdout.close()
    rc, out, err = lab.run(*SMCROUTECTL, "-u", "/run/strange.sock", "show")
    same((rc, "/run/strange.sock (nobody listens)" in err), (69, True), f"a dead one: {err!r}")
    same(lab.run(*SMCROUTECTL, "-i", "nobody", "-w", "1", "ping")[0], 69, "nobody comes")


@case("71: the kernel refuses, and with what limit")
def kernel(lab):
    d = lab.daemon(CONF)
    d.do("ping")
    limit = max(map(int, os.listdir(f"/proc/{d.proc.pid}/fd"))) + 4
    resource.prlimit(d.proc.pid, resource.RLIMIT_NOFILE, (limit, limit))
    refused(d, ("join", "a1", "225.1.0.0/24"), 71, "of 256 memberships", f"(RLIMIT_NOFILE = {limit})")
    check("failed" in d.show("show", "groups"), "show groups")
    d.do("leave", "a1", "225.1.0.0/24")
    d.do("join", "a1", "225.1.1.1")


@case("77: a socket that is not for us")
def denied(lab):
    d = lab.daemon(CONF)
    os.chmod(lab.dir, 0o711)
    program = shutil.copy(SMCROUTE, lab.path("smcroute"))
    try:
        p = subprocess.run([program, "smcroutectl", "-u", d.sock, "show"], user=65534, group=65534, extra_groups=[],
                           text=True, capture_output=True)
    except PermissionError:
        raise Skip("cannot become another user") from None
    same((p.returncode, p.stdout, p.stderr.count("\n")), (77, "", 1), f"{p.stderr!r}")
    check(d.sock in p.stderr and "ermission" in p.stderr and "; it is for root" in p.stderr, f"{p.stderr!r}")


@case("a daemon in another network namespace: a note says so, once")
def elsewhere(lab):
    d = lab.daemon(CONF)
    for words in (("show",), ("top", "1"), ("-b",)):
        rc, out, err = lab.run("unshare", "-n", *SMCROUTECTL, "-u", d.sock, *words, stdin="show\nping\n")
        same((rc, "225." in out, err.count("\n")), (0, True, 1), f"{words}: {err!r}")
        check(f"another network namespace, with other interfaces: nsenter -t {d.proc.pid} " in err, f"{err!r}")
    same(d.ctl("ping"), (0, "", ""), "in the same one")


@case("78: a config with errors, each of them told")
def config(lab):
    d = lab.daemon(CONF)
    before = state(lab, d)
    d.write(CONF + "mroute from a1 group 10.0.0.1 to a2\nmroute from a1 group 225.9.9.9 to a2\nrubbish\n")
    for word in ("reload", "restart", "rest"):
        rc, out, err = d.ctl(word)
        lines = err.splitlines()
        same((rc, out, len(lines)), (78, "", 3), f"{word}: {err!r}")
        check(lines[0].startswith("smcroutectl: ") and "2 errors, nothing was changed" in lines[0], f"{lines[0]!r}")
        check(d.conf + ":7:" in lines[1] and d.conf + ":9:1:" in lines[2], f"{lines[1:]}")
        same(state(lab, d), before, "rules, groups and entries")
    rc, out, err = d.ctl("-b", stdin="reload\nping\n")
    same((rc, out, "line 1: " in err), (78, "", True), "in a batch")


@case("0: silence, but for what was asked for and notes")
def fine(lab):
    d = lab.daemon(CONF)
    for words in ("add a1 225.7.7.7 a2", "add a1 225.7.7.7 a2", "replace a1 225.7.7.7 a3 a4", "del a1 225.7.7.7 a4",
                  "rem a1 225.7.7.7", "join a1 225.7.7.7", "join a1 225.7.7.7", "leave a1 225.7.7.7", "flush", "ping",
                  "fl", "-j add a1 225.7.7.7 a2", "-d -p -t remove a1 225.7.7.7", "add a1:1 225.7.7.7 a2:7",
                  "remove a1 225.7.7.7"):
        d.do(*words.split())
    for words in ("show", "help", "help add", "add --help", "version", "-v", "-h", "--help", "--version", "reload",
                  "show config"):
        rc, out, err = d.ctl(*words.split())
        check(rc == 0 and out and not err, f"{words}: {rc} {out!r} {err!r}")
    # An example for each command, and each is one that the table takes.
    for line in d.show("help").splitlines():
        if not line.startswith(" "):
            text = d.show("help", line.split()[0])
            check(f"Usage: smcroutectl {line}\n" in text and "\nExample: smcroutectl " in text,
                  f"help of {line}: {text!r}")
            example = text.split("Example: smcroutectl ")[1].split()
            if line.split()[0] not in ("monitor", "kill", "top"):
                check(d.ctl(*example)[0] in (0, 66), f"example {example}: {d.ctl(*example)}")


if __name__ == "__main__":
    main()
