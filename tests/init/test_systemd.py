# SPDX-License-Identifier: ISC
#
# systemd as process 1 with the units of init/.
import glob
import os

from machine import Machine
from cases import case, main
from flows import ENTRIES, rules
from lab import Skip, check, same, wait_until

SYSTEMD = "/lib/systemd/systemd"
UNITS = "/etc/systemd/system"
FILES = {f"{UNITS}/smcroute.service": ("smcroute.service", 0o644),
         f"{UNITS}/smcroute@.service": ("smcroute@.service", 0o644)}
NOTIFY_RELOAD = {f"{UNITS}/smcroute.service.d/notify-reload.conf": ("systemd/notify-reload.conf", 0o644)}


def boot(lab, conf="", files=None, programs=True):
    m = Machine(lab, conf, [SYSTEMD, "--log-target=console", "--log-level=notice"],
                {**(FILES if programs else {}), **(files or {})}, programs=programs)
    wait_until(lambda: m.run("systemctl", "is-system-running")[1].strip() in ("running", "degraded"), "the boot", 60)
    return m


def version(m):
    return int(m.do("systemctl", "--version").split()[1])


def entries(m):
    return m.do("smcroutectl", "-t", "show", "routes").count("\n")


@case("it starts hardened and routes; an error in the file fails the reload; stop leaves nothing")
def life(lab):
    m = boot(lab, "mroute from a1 group 225.1.1.0/24 to a2\nmroute from a1 group ff2e::11 to a2\n")
    m.do("systemctl", "start", "smcroute")
    m.ready()
    lab.wait(lab.send("a1", *lab.MARK), "a2", "a3", "a4")
    # New sources, of which the kernel tells the daemon.
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2")
    out = m.do("sh", "-c", "cat /proc/$(systemctl show -P MainPID smcroute)/status")
    status = dict(line.split(":\t", 1) for line in out.splitlines() if ":\t" in line)
    check("0" not in status["Uid"].split(), f"uid {status['Uid']}")
    same((status["CapEff"], status["CapPrm"], status["NoNewPrivs"], status["Seccomp"]),
         ("0" * 16, "0" * 16, "1", "2"), "rights")
    m.reload("systemctl", "reload", "smcroute")
    m.run("sh", "-c", "echo nonsense >>/etc/smcroute.conf")
    check(m.run("systemctl", "reload", "smcroute")[0], "a reload with an error is well")
    check("nonsense" in m.run("journalctl", "-u", "smcroute")[1], "the error is not in the journal")
    m.ready()
    m.do("systemctl", "stop", "smcroute")
    same(lab.mroutes(), {}, "entries that are left")
    check("smcroute." not in m.run("sh", "-c", "ls /run/smcroute* /run/private")[1], "files are left")


@case("reload, restart and kill -9 under traffic: nothing is lost")
def traffic(lab):
    m = boot(lab, rules())
    m.do("systemctl", "start", "smcroute")
    m.ready()
    m.lossless("warm-up of flows", lambda: wait_until(lambda: len(lab.mroutes()) >= ENTRIES - 4, "the entries", 60))
    m.lossless("systemctl reload", lambda: m.reload("systemctl", "reload", "smcroute"))
    for _ in range(2):
        m.lossless("systemctl restart", lambda: m.follow(lambda: m.do("systemctl", "restart", "smcroute")))
    for _ in range(2):
        m.lossless("kill -9", lambda: m.follow(m.kill))
    m.lossless("smcroutectl upgrade", lambda: m.follow(lambda: m.do("smcroutectl", "upgrade")))
    same(m.do("systemctl", "is-active", "smcroute").strip(), "active", "state")


@case("`systemd-analyze security` gives the unit 1.5 or less")
def score(lab):
    m = boot(lab)
    rc, out = m.run("systemd-analyze", "security", "--offline=true", "--threshold=15", f"{UNITS}/smcroute.service")
    same(rc, 0, out.strip().splitlines()[-1:])


@case("notify-reload, from 253 on; before that it is not installed")
def notify_reload(lab):
    m = boot(lab, files=NOTIFY_RELOAD)
    if version(m) < 253:
        return
    m.do("systemctl", "start", "smcroute")
    m.ready()
    same(m.do("systemctl", "show", "-P", "Type", "smcroute").strip(), "notify-reload", "type")
    m.reload("systemctl", "reload", "smcroute")


@case("sysusers and tmpfiles: the service is the user of that number, the client finds the socket")
def users_and_files(lab):
    m = boot(lab, files={"/usr/lib/sysusers.d/smcroute.conf": ("systemd/sysusers.conf", 0o644),
                         "/usr/lib/tmpfiles.d/smcroute.conf": ("systemd/tmpfiles.conf", 0o644)})
    m.do("systemd-sysusers", "smcroute.conf")
    uid = m.do("id", "-u", "smcroute").strip()
    m.do("rm", "-f", "/run/smcroute.sock")
    m.do("systemd-tmpfiles", "--create", "smcroute.conf")
    same(m.do("readlink", "/run/smcroute.sock").strip(), "smcroute/smcroute.sock", "the link")
    m.do("systemctl", "start", "smcroute")
    m.ready()
    same(m.do("sh", "-c", "stat -c %u /proc/$(systemctl show -P MainPID smcroute)").strip(), uid, "the user")


@case("two instances, one in a table of its own by smcroute@.service")
def instances(lab):
    tv = {"/etc/tv.conf": ("mroute from a3 source 10.3.0.9 group 239.7.7.8 to a4\n", 0o644),
          "/etc/default/smcroute-tv": ("SMCROUTED_OPTS='-t 100'\n", 0o644)}
    m = boot(lab, files=tv)
    m.do("ip", "mrule", "add", "iif", "a3", "lookup", "100")
    m.do("systemctl", "start", "smcroute", "smcroute@tv")
    m.ready()
    m.do("smcroutectl", "-i", "tv", "ping")
    lab.wait(lab.send("a3", "10.3.0.9", "239.7.7.8"), "a4")
    m.do("systemctl", "reload", "smcroute@tv")
    m.do("systemctl", "restart", "smcroute@tv")
    lab.wait(lab.send("a3", "10.3.0.9", "239.7.7.8"), "a4")


def all_files(m):
    """But for what dpkg, systemd and a runit that starts beside us write about all that happens.  Of a directory in
    /run for a DynamicUser systemd leaves the link, which leads nowhere."""
    aside = ("/var/lib/dpkg", "/var/log", "/var/cache", "/run/systemd", "/run/log", "/run/private", "/run/runit",
             "/etc/runit", "/etc/sv")
    words = [word for path in aside for word in ("-path", path, "-prune", "-o")]
    left = ("-path", "/run/smcroute", "-xtype", "l", "-o")
    return set(m.do("find", "/", "/run", "-xdev", *words, *left, "-print").splitlines())


@case("Debian's package: it installs, its unit runs, another one takes its place without loss, it leaves no trace")
def package(lab):
    found = glob.glob(f"{os.environ.get('B', 'build')}/deb/smcrouted_*.deb")
    if not found:
        raise Skip("no package: make deb")
    m = boot(lab, rules(), {"/root/smcrouted.deb": (os.path.abspath(found[0]), 0o644)}, programs=False)
    before = all_files(m)
    rc, out = m.run("dpkg", "-i", "/root/smcrouted.deb")
    if rc and "dependency problems" in out:
        raise Skip("the package is for another Debian than the root")
    same(rc, 0, out)
    m.ready()
    same(m.do("systemctl", "is-enabled", "smcroute").strip(), "enabled", "at the next boot")
    m.lossless("warm-up of flows", lambda: wait_until(lambda: len(lab.mroutes()) >= ENTRIES - 4, "the entries", 60))
    m.lossless("an upgrade of the package", lambda: m.follow(lambda: m.do("dpkg", "-i", "/root/smcrouted.deb")))
    m.do("dpkg", "--purge", "smcrouted")
    same(lab.mroutes(), {}, "entries that are left")
    same(all_files(m) ^ before, set(), "files that are left or gone")
    same(m.do("systemctl", "show", "-P", "LoadState", "smcroute").strip(), "not-found", "unit")


if __name__ == "__main__":
    main()
