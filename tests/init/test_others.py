# SPDX-License-Identifier: ISC
#
# The other init systems as process 1, each with the files of init/: start, reload, restart, crash, stop.
from machine import Machine
from cases import case, main
from flows import ENTRIES, rules
from lab import check, same, wait_until

IDLE = "#!/bin/sh\nwhile :; do sleep 1000 & wait; done\n"


def stopped(m):
    wait_until(lambda: m.run("smcroutectl", "ping")[0] == 69, "the end of the daemon")
    wait_until(lambda: not m.lab.mroutes(), "no entry left")


def life(m, reload, restart, stop=None, more=()):
    """Started: reload, restart and a crash under packets, and the end.  All are commands; more: others that lose
    nothing, functions."""
    m.lossless("all flows", lambda: wait_until(lambda: len(m.lab.mroutes()) >= ENTRIES - 4, "the entries", 60))
    m.lossless("reload", lambda: m.reload(*reload))
    for _ in range(2):
        m.lossless("restart", lambda: m.follow(lambda: m.do(*restart)))
        m.lossless("kill -9", lambda: m.follow(m.kill))
    for act in more:
        m.lossless("kill -9 of the keeper", act)
    if stop:
        m.do(*stop)
        stopped(m)


def kill_keeper(m):
    """Whoever starts it again takes over from the daemon, which is an orphan."""
    parent = m.do("sh", "-c", "awk '/^PPid/ { print $2 }' /proc/$(cat /run/smcroute.pid)/status").strip()
    check(parent != "1", "no keeper")
    m.follow(lambda: m.do("kill", "-9", parent))


SYSV = {"/etc/init.d/smcroute": ("sysv/smcroute", 0o755), "/etc/idle": (IDLE, 0o755),
        "/etc/inittab": ("id:2:initdefault:\nx:2:respawn:/etc/idle\nl2:2:wait:/etc/init.d/smcroute start\n"
                         "l0:0:wait:/etc/init.d/smcroute stop\n", 0o644)}


@case("SysV: the script of init.d, by sysvinit")
def sysv(lab):
    script = "/etc/init.d/smcroute"
    startup = {"/etc/smcroute/startup.sh": ("#!/bin/sh\nsmcroute -a a1 10.1.0.77 225.7.7.7 a2\n", 0o755),
    }
    m = Machine(lab, rules(), ["/sbin/init", "2"], {**SYSV, **startup})
    m.ready()
    wait_until(lambda: lab.route("10.1.0.77", "225.7.7.7"), "what startup.sh adds")
    m.do(script, "status")
    m.do(script, "start")
    life(m, (script, "reload"), (script, "restart"), (script, "stop"))
    m.do(script, "stop")
    m.do(script, "status", status=3)
    # What the daemon says is on lines of its own.
    conf, away = "/etc/smcroute.conf", "/etc/smcroute.away"
    out = m.do("sh", "-c", f"mv {conf} {away}; {script} start; {script} stop; mv {away} {conf}")
    same([line for line in out.splitlines() if "multicast router: " in line],
         ["Starting static multicast router: smcrouted.", "Stopping static multicast router: smcrouted."], out)
    m.do(script, "restart")
    m.ready()
    m.run("sh", "-c", "echo nonsense >>/etc/smcroute.conf")
    check(m.run(script, "reload")[0] == 78, "a reload with an error")
    m.run("init", "0")
    stopped(m)


@case("OpenRC: the service, by openrc-run; an instance")
def openrc(lab):
    script = "/etc/init.d/smcroute"
    service = ("rc-service", "smcroute")
    m = Machine(lab, rules(), ["/sbin/init", "2"],
                {**SYSV, script: ("openrc/smcroute.initd", 0o755), script + ".tv": ("openrc/smcroute.initd", 0o755),
                 "/etc/conf.d/smcroute": ('SMCROUTED_OPTS="-c 600 -m 180"\n', 0o644),
                 "/etc/conf.d/smcroute.tv": ('SMCROUTED_OPTS="-t 100"\n', 0o644),
                 "/etc/tv.conf": ("mroute from a3 source 10.3.0.9 group 239.7.7.8 to a4\n", 0o644),
                 "/etc/inittab": ("id:2:initdefault:\nadd:2:wait:/sbin/rc-update add smcroute default\n"
                                  "l2:2:wait:/sbin/openrc default\nx:2:respawn:/etc/idle\n", 0o644)},
                needs="/sbin/openrc-run")
    m.ready()
    wait_until(lambda: "started" in m.run(*service, "status")[1], "its state")
    m.do(*service, "checkconfig")
    life(m, (*service, "reload"), (*service, "restart"), (*service, "stop"))
    m.do(*service, "status", status=3)
    m.do(*service, "start")
    m.ready()
    m.do("rc-service", "smcroute.tv", "start")
    m.do("smcroutectl", "-i", "tv", "ping")
    for word in ("reload", "restart", "stop"):
        m.do("rc-service", "smcroute.tv", word)
    m.ready()


def supervised(m, hup, usr2, stop, start):
    m.ready()
    life(m, hup, usr2, None, more=[lambda: kill_keeper(m)] * 2)
    m.do(*stop)
    stopped(m)
    m.do(*start)
    m.ready()


@case("runit: the service directory, by runsvdir as process 1's child and runsv")
def runit(lab):
    files = {f"/etc/sv/smcroute/{name}": (f"runit/{name}", 0o755) for name in ("run", "finish", "check", "log/run")}
    files["/etc/runit/2"] = ("#!/bin/sh\nexec runsvdir -P /etc/service\n", 0o755)
    files["/etc/runit/1"] = files["/etc/runit/3"] = ("#!/bin/sh\nmkdir -p /etc/service; "
                                                     "ln -sfn /etc/sv/smcroute /etc/service/smcroute\n", 0o755)
    m = Machine(lab, rules(), ["/sbin/runit"], files)
    supervised(m, ("sv", "hup", "/etc/service/smcroute"), ("sv", "2", "/etc/service/smcroute"),
               ("sv", "stop", "/etc/service/smcroute"), ("sv", "start", "/etc/service/smcroute"))
    check("started" in m.do("cat", "/var/log/smcroute/current"), "nothing in the log")
    m.do("sh", "-c", "echo 'SMCROUTED_OPTS=-Z' >/etc/default/smcroute")
    m.do("sv", "stop", "/etc/service/smcroute")
    m.run("sv", "start", "/etc/service/smcroute")
    wait_until(lambda: "down:" in m.run("sv", "status", "/etc/service/smcroute")[1], "that it is not tried again")


@case("s6: the service directory, by s6-svscan as process 1; it is ready when it is")
def s6(lab):
    files = {f"/run.s6/smcroute/{name}": (f"s6/{name}", 0o755)
             for name in ("run", "finish", "notification-fd", "data/check", "log/run")}
    m = Machine(lab, rules(), ["/usr/bin/s6-svscan", "/run.s6"], files)
    d = "/run.s6/smcroute"
    wait_until(lambda: m.run("s6-svwait", "-U", "-t", "100", d)[0] == 0, "ready", 60)
    same(m.do("s6-svstat", "-o", "ready", d).strip(), "true", "readiness")
    check(lab.route(*lab.MARK), "no route when it is ready")
    supervised(m, ("s6-svc", "-h", d), ("s6-svc", "-2", d), ("s6-svc", "-wD", "-d", d), ("s6-svc", "-wU", "-u", d))
    check("started" in m.do("cat", "/var/log/smcroute/current"), "nothing in the log")
    m.do("sh", "-c", "echo 'SMCROUTED_OPTS=-Z' >/etc/default/smcroute")
    m.do("s6-svc", "-wD", "-d", d)
    m.do("s6-svc", "-u", d)
    wait_until(lambda: "down" in m.run("s6-svstat", d)[1] and "want" not in m.run("s6-svstat", d)[1],
               "that it is not tried again")


@case("busybox init: the line of inittab")
def busybox(lab):
    m = Machine(lab, rules(), ["/bin/busybox", "init"], {"/etc/inittab": ("busybox/inittab", 0o644)})
    m.ready()
    life(m, ("smcroutectl", "reload"), ("smcroutectl", "upgrade"), None, more=[lambda: kill_keeper(m)] * 2)


INITCTL = "/lib/finit/initctl"


@case("Finit: the service; it ends what its child, the keeper, has started when that dies")
def finit(lab):
    m = Machine(lab, rules(), ["/sbin/finit"], {"/etc/finit.d/smcroute.conf": ("finit/smcroute.conf", 0o644),
                                                "/etc/finit.conf": ("runlevel 2\nhost x\n", 0o644)})
    m.ready()
    life(m, (INITCTL, "reload", "smcroute"), ("smcroutectl", "upgrade"))
    m.do(INITCTL, "stop", "smcroute")
    stopped(m)
    m.do(INITCTL, "start", "smcroute")
    m.ready()


if __name__ == "__main__":
    main()
