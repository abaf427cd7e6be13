# SPDX-License-Identifier: ISC
#
# What goes on while it is shown: monitor, top, doctor, logs, metrics and JSON, with the names of names.py; what a
# hostile daemon has its client print; and what the environment asks for.
import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import threading

import openmetrics
import sick
from cases import case, main
from lab import SMCROUTE, SMCROUTECTL, SMCROUTED, Daemon, Skip, check, note, same, wait_until
from names import GROUP, NAMES, harmless, name, on_terminal, run_shell, set_up
from screen import open_terminal

PLAIN = [raw for raw in NAMES if not re.search(rb"[\x00-\x1f\x7f]", raw)]		# what a client may write
EVIL = b"x\x1b[2J\x07\xc2\x9b\xff'\"$(>pwn)`;\x1b]0;t\x07"


class Terminal:
    """A program on a terminal, and all that it has printed so far."""

    def __init__(self, argv):
        self.text = b""
        self.master, slave = open_terminal()
        self.proc = subprocess.Popen([os.fsencode(a) for a in argv], stdin=slave, stdout=slave, stderr=slave,
                                     start_new_session=True)
        os.close(slave)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        with contextlib.suppress(OSError):		# EIO: the other side has gone
            while chunk := os.read(self.master, 4096):
                self.text += chunk

    def end(self):
        self.proc.terminate()
        self.proc.wait(60)
        self.thread.join(60)
        os.close(self.master)
        return self.text


def json_names(value, found):
    """All strings of a JSON value, as the bytes that \\u00XX and UTF-8 stand for."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for v in value:
            json_names(v, found)
    elif isinstance(value, str):
        found.add(value.encode("latin-1") if all(ord(c) < 256 for c in value) else value.encode())
        found.add(value.encode())
    return found


@case("monitor: no byte that a terminal obeys, valid JSON, and each interface under its name")
def monitor(lab):
    conf = set_up(lab)
    with open(conf, "a") as f:
        f.write(lab.MARKS + "mroute from a1 group 225.5.5.5 to a2\n")
    d = lab.daemon("", "-f", conf)
    shown, told = (Terminal([*SMCROUTECTL, "-u", d.sock, *words]) for words in (["monitor"], ["-j", "monitor"]))

    def both(*words):
        return all(all(w in t.text for w in words) for t in (shown, told))
    lab.ip("link", "add", "zz0", "type", "veth", "peer", "name", "zz1")
    wait_until(lambda: lab.ip("link", "set", "zz0", "up") or lab.ip("link", "set", "zz0", "down") or both(b"zz0"),
               "the first event")
    for i, raw in enumerate(PLAIN):
        words = ["--"] if raw.startswith(b"-") else []
        d.do(*words, "add", "a1", f"225.3.3.{i + 1}", name(raw))
        d.do(*words, "join", name(raw), f"225.4.4.{i + 1}")
        d.do(*words, "leave", name(raw), f"225.4.4.{i + 1}")
        d.do(*words, "remove", "a1", f"225.3.3.{i + 1}")
    for raw in NAMES:
        lab.ip("link", "set", "dev", name(raw), "up")
        lab.ip("link", "set", "dev", name(raw), "down")
    lab.passes("a1", "10.1.0.9", "225.5.5.5", "a2")
    lab.ip("link", "del", "zz0")
    wait_until(lambda: both(b"zz0 gone") or both(b"zz0") and b'"gone"' in told.text and b"zz0 gone" in shown.text,
               lambda: f"the last event: {shown.text[-300:]} {told.text[-300:]}")
    harmless(shown.end(), "monitor")
    lines = told.end().replace(b"\r\n", b"\n").decode().splitlines()
    found = set()
    for line in lines[:-1]:
        json_names(json.loads(line), found)
    same([raw for raw in NAMES if raw not in found], [], "names that no event has")


@case("metrics and JSON are valid and have each name")
def machines(lab):
    conf = set_up(lab)
    d = lab.daemon("", "-f", conf)
    for table in ("routes", "groups", "interfaces", "pending", "config"):
        for options in (("-j",), ("-j", "-d")):
            out = subprocess.run([*SMCROUTECTL, "-u", d.sock, *options, "show", table], capture_output=True,
                                 check=True).stdout
            found = json_names(json.loads(out.decode()), set())
            if table in ("routes", "interfaces"):
                same([raw for raw in PLAIN if raw not in found], [], f"names that are not in {table} {options}")
    text = subprocess.run([*SMCROUTECTL, "-u", d.sock, "show", "metrics"], capture_output=True, check=True).stdout
    openmetrics.parse(text.decode())
    for i, raw in enumerate(NAMES):
        p = subprocess.run([SMCROUTE, "smcroute-check", "-j", "--", "explain", raw, "10.1.0.9", f"225.1.2.{i + 1}",
                            conf], capture_output=True)
        check(p.returncode == 65 if raw not in PLAIN else raw in json_names(json.loads(p.stdout.decode()), set()),
              f"{raw}: {p}")


@case("the log: what syslog gets, and standard error with each level")
def logs(lab):
    conf = set_up(lab)
    with open(conf, "ab") as f:
        f.write(b"".join(b"%s\nmroute from %s group 225.9.9.9 to nil %s\n" % (EVIL, EVIL, EVIL) for _ in range(2)))
    with contextlib.suppress(FileNotFoundError):
        os.unlink("/dev/log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        try:
            s.bind("/dev/log")
        except PermissionError:
            raise Skip("/dev is of somebody who is not root here") from None
        got = []

        def read():
            while not got or b"leaving" not in got[-1]:
                got.append(s.recv(65536))
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        d = lab.daemon("", "-f", conf, "-s", "-e", name(b"/none/" + EVIL.replace(b"/", b"")))
        for raw in NAMES:
            lab.ip("link", "set", "dev", name(raw), "up")
            lab.ip("link", "del", "dev", name(raw))
        d.ctl("reload")
        d.stop()
        reader.join(60)
        check(not reader.is_alive(), f"the end of the log: {got[-1:]}")
    for line in got:
        harmless(line.rstrip(b"\0\n"), "a line to syslog")
        check(b"\n" not in line.rstrip(b"\n\0"), f"lines in a line: {line}")
    d = Daemon(lab, "", ("-f", conf, "-e", name(b"/none/" + EVIL.replace(b"/", b""))), name="err")
    d.stop()
    with open(d.log_file, "rb") as f:
        text = harmless(f.read(), "standard error")
    check("without effect" in text or "error" in text, text[:300])


@case("options of the daemon and of the client that nobody can use are shown as they are")
def options_shown(lab):
    evil = name(EVIL.replace(b"/", b""))
    conf = lab.write("one.conf", "")
    for words in (("-f", lab.path(evil)), ("-F", lab.path(evil)), ("-p", evil), ("-p", f"root:{evil}"), ("-i", evil),
                  ("-l", evil), ("-c", evil), ("-t", evil), ("-P", f"/none/{evil}"), ("-" + evil[:1],),
                  ("-u", f"/none/{evil}"), ("-e", f"/none/{evil}"), (evil,), ("--" + evil,)):
        rest = () if words[0] in ("-f", "-F") else ("-f", conf)
        text = on_terminal([*SMCROUTED, "-n", "-D", "1", *rest, "-P", lab.path("x.pid"), "-u", lab.path("x.sock"),
                            *words])
        harmless(text, f"smcrouted {words}")
    for words in (("-u", f"/none/{evil}"), ("-i", evil), ("-o", evil, "add", "a1", GROUP), ("-w", evil), (evil,),
                  ("show", evil), ("top", evil), ("help", evil), ("-b", evil), ("add", "a1", evil), ("--" + evil,)):
        harmless(on_terminal([*SMCROUTECTL, *words]), f"smcroutectl {words}")
    for words in ((evil,), ("-H", evil), ("doctor", evil), ("doctor", GROUP, evil), ("explain", evil, evil, evil),
                  ("explain", "a1", "10.1.0.9", GROUP, evil), ("--" + evil,)):
        harmless(on_terminal([SMCROUTE, "smcroute-check", *words]), f"smcroute-check {words}")
    for words in ((evil,), ("-a", evil), ("--install", f"/none/{evil}")):
        harmless(on_terminal([SMCROUTE, *words]), f"smcroute {words}")


@case("the command to start a daemon that the client prints is one for that socket, in dash and in bash")
def start_command(lab):
    sick.need("dash", "bash")
    for raw in NAMES:
        for option, word in (("-u", lab.path(name(raw))), ("-i", name(raw))):
            err = subprocess.run([*SMCROUTECTL, option, word, "ping"], capture_output=True).stderr
            found = re.search(rb"; (smcrouted -[ui] .*) starts one", err)
            if not found:
                check(option == "-i", err)
                continue
            for shell in ("dash", "bash"):
                same(run_shell(shell, found.group(1), lab), [option.encode(), os.fsencode(word)], f"{found.group(1)}")
    check(not os.path.exists(lab.path("pwn")), "a command of a name was run")


class Liar:
    """A daemon that says what it wants to whoever comes."""

    def __init__(self, path, reply):
        self.reply = reply
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        self.sock.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.sock.accept()
                with s, contextlib.suppress(OSError):
                    s.settimeout(5)
                    s.recv(65536)
                    s.sendall(self.reply)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def record(kind, text):
    return kind.encode() + bytes(3) + struct.pack("I", len(text)) + text


@case("whatever a daemon answers, in our protocol or in the old one, no terminal obeys it")
def liar(lab):
    ours = [b"".join(record(kind, EVIL + b"\n\r\t" + EVIL) for kind in "THREND") + record("X", b"\0"),
            b"".join(record(kind, b"\x9b31m\x90\x1b\\" * 20 + b"\n") for kind in "RDTH") + record("X", bytes([99])),
            record("R", b'{"a":"\x1b[2J\xc2\x9b"}\n') + record("X", b"\0"), EVIL * 30, EVIL + b"\0",
            b"Error: " + EVIL + b"\0", EVIL + b"_\n" + EVIL + b"=\n" + EVIL + b"\n\0", b"\0" + EVIL]
    for i, reply in enumerate(ours):
        with Liar(lab.path(f"liar{i}"), reply):
            for words in (("ping",), ("show",), ("-d", "show"), ("-j", "show"), ("show", "config"), ("reload",),
                          ("add", "a1", GROUP, "a2"), ("show", "interfaces"), ("version",), ("-w", "5", "kill")):
                text = on_terminal([*SMCROUTECTL, "-u", lab.path(f"liar{i}"), *words])
                harmless(text, f"{words} and {reply[:60]}")


@case("TERM, COLUMNS and NO_COLOR: whatever they say, the tables are whole and plain")
def environment(lab):
    d = lab.daemon(set_up_rules())
    want = d.show("-p", "show", "routes")
    for env in ({"COLUMNS": "0"}, {"COLUMNS": "-1"}, {"COLUMNS": "1"}, {"COLUMNS": "99999999999999999999"},
                {"COLUMNS": "\x1b[31m"}, {"COLUMNS": ""}, {"TERM": "\x1b[31m"}, {"TERM": ""}, {"TERM": "dumb"},
                {"NO_COLOR": "\x1b[31m"}, {"LC_ALL": "xx_XX.\x1b[31m"}):
        p = subprocess.run([*SMCROUTECTL, "-u", d.sock, "show", "routes"], capture_output=True,
                           env={**os.environ, **env})
        same((p.returncode, p.stderr), (0, b""), f"{env}")
        if "COLUMNS" not in env:
            same(p.stdout.decode(), want, f"{env}")
        harmless(p.stdout, f"{env}")
        text = harmless(on_terminal(["env", *(f"{k}={v}" for k, v in env.items()), *SMCROUTECTL, "-u", d.sock, "show"]),
                        f"{env} on a terminal")
        check("225.1.1.1" in text or env.get("COLUMNS") == "1", f"{env}: {text!r}")


def set_up_rules():
    return "mroute from a1 group 225.1.1.1 to a2\nmroute from a1 source 10.1.0.9 group 225.1.1.2 to a2 a3\n"


def sysctl_path(word):
    """The file that sysctl(8) of procps takes a key for: its first separator is the one that parts it."""
    key = word.split(b"=")[0]
    if re.search(rb"[./]", key).group() == b".":
        key = key.translate(bytes.maketrans(b"./", b"/."))
    return b"/proc/sys/" + key


def means(words, raw):
    """Whether a command names that interface, or a setting of it; it must not name one that is not there."""
    links = [os.fsencode(link) for _, link in socket.if_nameindex()]
    for i, word in enumerate(words):
        if word.startswith((b"net.ip", b"net/ip")):
            check(os.path.exists(sysctl_path(word)), f"{words}: there is no {sysctl_path(word)}")
        if word == b"dev":
            check(words[i + 1] in links, f"{words}: no such interface")
    return any(raw in (w, w.split(b"=")[0]) or b"/" + raw + b"/" in sysctl_path(w) + b"/"
               for w in words if re.search(rb"[./]", w) or w == raw)


def fault_down(lab, now):
    lab.ip("link", "set", "dev", now, "down")


def fault_rp(lab, now):
    lab.ip("addr", "flush", "dev", now)
    lab.sysctl(f"ipv4/conf/{now}/rp_filter", 1)


def fault_v6(lab, now):
    lab.sysctl(f"ipv6/conf/{now}/disable_ipv6", 1)


def fault_mtu(lab, now):
    lab.ip("link", "set", "dev", now, "mtu", "1000")


# What is wrong, with which link of the router, and the flow that it is wrong for.
FAULTS = [(fault_down, "a2", sick.V4), (fault_rp, "a1", sick.V4), (fault_v6, "a1", sick.V6), (fault_mtu, "a1", sick.V6)]


def judged(lab, raw, conf, group):
    """What doctor and -H print for people is harmless; their commands mean that interface in dash and in bash.  Those
    that mend it."""
    fixes, named = [], 0
    for wrap in ((), sick.blind()):
        for words in (("doctor", group, "1", conf), ("-H", conf)):
            _, found = sick.findings(lab, *words, wrap=wrap)
            for c in [c for f in found for kind in ("fix", "or", "keep", "look") for c in f.get(kind, ())]:
                both = [run_shell(shell, c.encode("latin-1") if "\\u" in c else c.encode(), lab)
                        for shell in ("dash", "bash")]
                same(both[0], both[1], f"words of {c!r} in dash and bash")
                named += means(both[0], raw)
            if not wrap and words[0] == "doctor":
                fixes = [c for f in found for c in f["fix"]]
        text = on_terminal([*wrap, sick.path(lab)["CHECK"], "doctor", group, "1", conf])
        # Its own, in front of what replaces the line before.
        harmless(re.sub(rb"\r(watching|\x1b\[K)", rb"\1", text), f"doctor {group}, {raw}")
    check(named, f"no command names {raw}")
    check(not os.path.exists(lab.path("pwn")), "a command of a name was run")
    return fixes


@case("doctor and -H with each name, with rights and without: harmless, and the commands mend that interface")
def doctor(lab):
    sick.path(lab)
    sick.need("dash", "bash")
    now = {"a1": "a1", "a2": "a2"}
    d = sick.daemon(lab, "")
    # Each third name with each fault in turn; all names are for the patient.
    for i, raw in list(enumerate(PLAIN))[::1 if os.environ.get("DOCTOR") else 3]:
        fault, link, flow = FAULTS[i % len(FAULTS)]
        lab.ip("link", "set", "dev", now[link], "down")
        lab.ip("link", "set", "dev", now[link], "name", name(raw))
        lab.ip("link", "set", "dev", name(raw), "up")
        # The route that mended it before has gone with the link.
        lab.sysctl(f"ipv4/conf/{name(raw)}/rp_filter", 0)
        now[link] = name(raw)
        with open(d.conf, "wb") as f:
            f.write(os.fsencode(f"mroute from {now['a1']} group {flow[1]} to {now['a2']}\n"))
        same(d.ctl("reload")[0], 0, "reload")
        with sick.Stream(lab, "a1", *flow) as stream:
            stream.flows("a2")
            fault(lab, name(raw))
            fixes = judged(lab, raw, d.conf, flow[1])
            sick.paste(lab, fixes)
            stream.flows("a2")
        note(f"measured: {raw}: {fault.__name__}")


if __name__ == "__main__":
    main()
