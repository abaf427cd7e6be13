# SPDX-License-Identifier: ISC
#
# smcroute-check doctor beside a daemon of SMCRoute 2.x that has no time, or no socket: it takes two connections that
# wait, no more, and then connect(2) says EAGAIN.
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess

from cases import case, main
from doctor.table import Setup, judge, waits
from lab import check, child_setup, naps, note, same, wait_until
from peerd import SOCK, Peer
from sick import blind, doctors, is_watching, look, path


def stopped(t):
    """SMCRoute's daemon that does not run any more, and connections that wait for it, as many as it takes."""
    p = Peer(t.lab)
    t.words = (p.conf,)
    t.stream()
    wait_until(lambda: t.lab.route(t.src, t.group) and not waits(t), "an entry that blocks it")
    p.proc.send_signal(signal.SIGSTOP)
    t.callback(p.proc.send_signal, signal.SIGCONT)
    with contextlib.suppress(BlockingIOError):
        while True:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as s:
                s.connect(SOCK)		# it is in the queue, also when it is closed
    return p


@case("it is stopped, and others wait for it", "IPv4")
@case("it is stopped, and others wait for it, IPv6", "IPv6")
def no_answer(lab, family):
    path(lab)
    with Setup(lab, family) as t:
        stopped(t)
        judge(t, ["no_answer"], None)
        look(lab, sum((*t.commands, *t.blind_commands), []))


def behind(lab, wrap):
    """What a doctor finds that meets a daemon which goes on a little later; after so many naps of the doctor."""
    with Setup(lab, "IPv4") as t:
        p, s = stopped(t), t.flow
        d = subprocess.Popen([*wrap, path(lab)["CHECK"], "-j", "doctor", t.group, "3000", *t.words], text=True,
                             stdout=subprocess.PIPE, preexec_fn=child_setup)
        t.callback(d.kill)
        wait_until(lambda: is_watching(d), "the watch to begin")
        wait_until(lambda sent=s.sent: s.sent > sent + 20, "packets")
        d.send_signal(signal.SIGINT)
        wait_until(lambda: d.poll() is not None or not is_watching(d), "the watch to end")
        if d.poll() is None:
            before = naps(d.pid)
            wait_until(lambda: d.poll() is not None or naps(d.pid) > before + 20, "naps of the doctor")
        p.proc.send_signal(signal.SIGCONT)
        out = d.communicate(timeout=60)[0]
        note(out)
        p.proc.kill()
        p.proc.wait()
        os.unlink(SOCK)
    return [f["what"] for f in json.loads(out)["findings"] if f["severity"] in ("error", "good")]


@case("it is behind for a moment")
def late(lab):
    for wrap in (), blind():
        same(behind(lab, wrap), ["no_rule"], f"verdict {wrap}")


@case("its socket is gone, and one elsewhere has ended, not waited for")
def alone(lab):
    path(lab)
    with Setup(lab, "IPv4") as t:
        t.words = (Peer(lab).conf,)
        name = shutil.copy(shutil.which("true"), lab.path("smcrouted"))
        with lab.at("ha"):
            ended = subprocess.Popen([name])
        t.callback(ended.wait)
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        with open(f"/proc/{ended.pid}/comm") as f:
            same(f.read(), "smcrouted\n", "name of the one that has ended")
        os.rename(SOCK, SOCK + ".old")
        t.stream()
        judge(t, ["no_rule"], None)
        check("old" not in json.dumps(lab.found_blind), "it answered")


@case("a socket beside it is of another program, and left alone")
def others(lab):
    path(lab)
    with Setup(lab, "IPv4") as t, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.bind("/run/another.sock")
        s.listen()
        with open("/run/another.pid", "w") as f:
            f.write(f"{os.getpid()}\n")
        for _ in range(2):
            doctors(lab, t.group)		# nobody is there, and then SMCRoute, whose socket comes later
            same(select.select([s], [], [], 0)[0], [], "connections to the other program")
            if not os.path.exists(SOCK):
                Peer(lab)
        s.close()
        os.unlink("/run/another.sock")


if __name__ == "__main__":
    main()
