# SPDX-License-Identifier: ISC
#
# The scripts of init/ without the init systems that they are for: what they call of those is made up here, what they
# do with the daemon is real.  tests/init has the init systems themselves.
import os
import subprocess

from cases import case, main
from lab import SMCROUTE, Skip, check, same, sys_call, wait_until

INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../init")
ROUTE = "10.1.0.9", "225.1.1.1"
MORE = "10.1.0.9", "225.1.1.2"
LSB = """
log_daemon_msg() { echo "$*"; }
log_progress_msg() { echo "$*"; }
log_end_msg() { return "$1"; }
log_success_msg() { echo "$*"; }
log_failure_msg() { echo "$*"; }
"""
# openrc-run(8): sets variables, reads the script, calls the function of the command.
OPENRC = """
ebegin() { echo "$*"; }
eend() { return "$1"; }
RC_SVCNAME=smcroute RC_CMD=$2
. "$1"
[ "$2" != restart ] || { stop && start; exit; }
"$2"
"""
START_STOP = """#!/bin/sh
echo "$*" >>"$LOG"
command=$3
[ "$1" != --stop ] || { kill "$(cat "$5")"; exit; }
shift 6
"$command" "$@"
"""
# What OpenWrt has in /etc/rc.common.
PROCD = """
procd_open_instance() { :; }
procd_close_instance() { :; }
procd_set_param() { echo "$*" >>"$LOG"; }
. "$1"
"$2"
"""


class Host:
    """A daemon of the scripts, with all files of its own."""

    def __init__(self, lab, name):
        sys_call("mount", "lab", "/etc", "tmpfs", 0, None)
        self.lab, self.sbin = lab, lab.path("sbin")
        for path in (self.sbin, "/etc/default"):
            os.mkdir(path)
        for applet in ("smcroute", "smcrouted", "smcroutectl"):
            os.symlink(os.path.abspath(SMCROUTE), f"{self.sbin}/{applet}")
        with open("/etc/smcroute.conf", "w") as f:
            f.write(lab.MARKS + f"mroute from a1 source {ROUTE[0]} group {ROUTE[1]} to a2\n")
        self.script = self.install(name)

    def install(self, name):
        with open(os.path.join(INIT, name)) as f:
            return self.lab.write("script", f.read().replace("/usr/local/sbin", self.sbin)
                                  .replace("/lib/lsb/init-functions", self.lab.write("lsb", LSB)))

    def run(self, *argv, status=0):
        env = {**os.environ, "LOG": self.lab.path("log"), "PATH": f"{self.sbin}:{os.environ['PATH']}"}
        p = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        same(p.returncode, status, f"{argv[1:]}: {p.stdout}{p.stderr}")
        return p.stdout + p.stderr

    def ctl(self, *words):
        return self.lab.run(f"{self.sbin}/smcroutectl", *words)[0]

    def pid(self):
        with open("/run/smcroute.pid") as f:
            return int(f.read())

    def life(self, *command):
        """All that a script does; nothing is left behind."""
        self.run(*command, "start")
        try:
            check(self.lab.route(*ROUTE), "no route when it has started")
            with open("/etc/smcroute.conf", "a") as f:
                f.write(f"mroute from a1 source {MORE[0]} group {MORE[1]} to a2\n")
            self.run(*command, "reload")
            check(self.lab.route(*MORE), "no new route after a reload")
            before = self.pid()
            self.run(*command, "restart")
            check(self.pid() != before and self.lab.route(*ROUTE), "no new daemon after a restart")
            self.run(*command, "stop")
            wait_until(lambda: self.ctl("ping") == 69 and not self.lab.mroutes(), "its end")
        finally:
            self.ctl("kill")


def need_run():
    if not os.path.islink("/var/run") and os.path.isdir("/var/run"):
        raise Skip("/var/run is not /run")


@case("SysV: all words, what Debian's defaults say, a second start, status")
def sysv(lab):
    need_run()
    h = Host(lab, "sysv/smcroute")
    with open("/etc/default/smcroute", "w") as f:
        f.write("DAEMON_OPTS='-l info'\nSMCROUTED_OPTS='-c 100'\n")
    h.life("sh", h.script)
    h.run("sh", h.script, "status", status=3)
    h.run("sh", h.script, "restart")
    h.run("sh", h.script, "start")
    h.run("sh", h.script, "status")
    with open(f"/proc/{h.pid()}/cmdline") as f:
        words = f.read().split("\0")
    same([words[words.index(o) + 1] for o in ("-l", "-c")], ["info", "100"], "options")
    with open("/etc/smcroute.conf", "a") as f:
        f.write("nonsense\n")
    check("nonsense" in h.run("sh", h.script, "reload", status=78), "a reload with an error says nothing of it")
    h.run("sh", h.script, "force-reload", status=0)
    h.run("sh", h.script, "stop")
    h.run("sh", h.script, "stop")
    h.run("sh", h.script, "nonsense", status=2)


@case("OpenRC: a restart is a takeover, stop is left to start-stop-daemon")
def openrc(lab):
    need_run()
    h = Host(lab, "openrc/smcroute.initd")
    os.chmod(lab.write("sbin/start-stop-daemon", START_STOP), 0o755)
    h.life("sh", lab.write("openrc-run", OPENRC), h.script)
    with open(lab.path("log")) as f:
        same([line.split()[0] for line in f], ["--start", "--stop"], "calls of start-stop-daemon")
    h.run("sh", lab.path("openrc-run"), h.script, "checkconfig")


@case("procd: the daemon that it is told of")
def procd(lab):
    h = Host(lab, "procd/smcroute.init")
    h.run("sh", lab.write("rc.common", PROCD), h.script, "start_service")
    with open(lab.path("log")) as f:
        params = dict(line.strip().split(" ", 1) for line in f if " " in line)
    same(params["command"].split(), [f"{h.sbin}/smcrouted", "-n", "-s", "-k", "-T"], "command")
    same((params["file"], params["reload_signal"]), ("/etc/smcroute.conf", "HUP"), "what asks for a reload")


@case("an initramfs: the hooks take program and configuration along, the scripts start it, -T goes on")
def initramfs(lab):
    h = Host(lab, "initramfs-tools/hook")
    functions = lab.write("functions", 'copy_exec() { echo "$1 $2" >>"$LOG"; }\n'
                          'copy_file() { echo "$2" >>"$LOG"; }\n')
    text = open(h.script).read().replace("/usr/share/initramfs-tools/hook-functions", functions)
    h.run("sh", lab.write("hook", text))
    with open(lab.path("log")) as f:
        same(sorted(line.split()[-1] for line in f),
             ["/etc/smcroute.conf", "/sbin/smcroutectl", "/sbin/smcrouted"], "files")
    same(h.run("sh", h.script, "prereqs"), "", "prereqs")
    for name in ("initramfs-tools/script", "dracut/90smcroute/smcroute.sh"):
        text = open(h.install(name)).read().replace("/sbin/smcrouted", h.sbin + "/smcrouted")
        h.run("sh", lab.write("start", text))
        try:
            check(lab.route(*ROUTE), f"no route after {name}")
            paths = "-u", "/run/smcroute/smcroute.sock", "-P", "/run/smcroute/smcroute.pid"
            h.run(f"{h.sbin}/smcrouted", "-T", *paths)
            check(lab.route(*ROUTE), f"no route after -T behind {name}")
        finally:
            same(h.ctl(*paths[:2], "kill"), 0, "kill")


if __name__ == "__main__":
    main()
