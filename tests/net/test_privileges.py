# SPDX-License-Identifier: ISC
#
# Rights: what the daemon keeps after the start with and without -p, what its
# hook gets, and that one capability is enough to start.
import contextlib
import errno
import grp
import os
import pwd
import re
import signal
import stat
import struct

from cases import case, main
from heirs import next_pid, pid_of, program
from lab import (CAP_NET_ADMIN, CAP_NET_RAW, SMCROUTECTL, SMCROUTED, Daemon, Skip, check, gone, libc, need_users,
                 same, wait_until)
from refuse import number, refuse

ROUTE = ("mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\nmroute from a1 group ff2e::11 to a2\n"
         "mgroup from a1 group 225.1.1.3\n")
MORE = ("mroute from a2 source 10.2.0.9 group 225.1.1.2 to a3\nmroute from a1 group 225.1.2.0/24 to a2\n"
        "mgroup from a2 group ff2e::13\n")
SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 47, 2
CAP_VERSION_3 = 0x20080522		# linux/capability.h


def nobody():
    user = pwd.getpwnam("nobody")
    return user.pw_uid, user.pw_gid


def status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def caps(pid):
    s = status(pid)
    return [int(s[name], 16) for name in SETS]


def wait_caps(pid, want, sets=slice(0, 4)):
    """What it keeps is not settled before the PID file is there, and more is raised for a moment."""
    wait_until(lambda: caps(pid)[sets] == want, lambda: f"capabilities {SETS[sets]} {want}: {caps(pid)}")


def all_works(lab, d):
    """A reload that adds routes, commands, learning, joins and a new interface."""
    # After -p the time of the PID file tells nothing.
    d.write(ROUTE + MORE)
    d.proc.send_signal(signal.SIGHUP)
    wait_until(lambda: "\nreloaded: " in d.log(), d.log)
    lab.passes("a2", "10.2.0.9", "225.1.1.2", "a3")
    lab.passes("a1", "10.1.0.9", "225.1.2.3", "a2")
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2")
    same(d.ctl("add", "a1", "225.1.3.0/24", "a2", "a5")[0], 0, "add")
    d.do("join", "a1", "10.1.0.9", "225.1.1.4")
    lab.links("a5")
    wait_until(lambda: not d.json("pending")["pending"], "nothing pending")
    lab.passes("a1", "10.1.0.9", "225.1.3.4", "a2", "a5")
    for dev, group in (("a1", "225.1.1.3"), ("a1", "225.1.1.4"), ("a2", "ff2e::13")):
        check(group in lab.ip("maddr", "show", "dev", dev), f"{group} not joined on {dev}")


@case("-p nobody: no uid, no group, no capability of root; everything works on", "nobody")
@case("-p with a group", "nobody:daemon")
def drop(lab, spec):
    need_users()
    uid, gid = nobody()
    if ":" in spec:
        gid = grp.getgrnam(spec.split(":")[1]).gr_gid
    os.chmod(lab.dir, 0o755)
    d = lab.daemon(ROUTE, "-p", spec)
    wait_caps(d.proc.pid, [0, 0, 0, 0])
    s = status(d.proc.pid)
    same([s["Uid"].split(), s["Gid"].split(), s["Groups"].split()], [[str(uid)] * 4, [str(gid)] * 4, []], "ids")
    same((s["NoNewPrivs"], int(s["CapBnd"], 16)), ("1", 0), "no_new_privs and the bounding set")
    st = os.stat(d.sock)
    same((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (0o660, uid, gid), "mode and owner of the socket")
    all_works(lab, d)
    d.write("nonsense\n")
    same(d.ctl("reload")[0], 78, "reload of a bad file")
    same(d.stop(), 0, "exit status")
    d = Daemon(lab, ROUTE, name="next")
    d.do("ping")


@case("a client of the socket's group learns no word of a file that it may not read by the errors in it")
def quotes(lab):
    need_users()
    gid = grp.getgrnam("daemon").gr_gid
    os.chmod(lab.dir, 0o755)
    d = lab.daemon(ROUTE, "-p", "nobody:daemon")
    part = lab.write("part.conf", "secret word\n")
    d.write(f"include {part}\nmroute from a1 group 225.1.1.1 to a2 a2\n")
    os.chown(part, *nobody())
    member = ("setpriv", "--reuid=1", f"--regid={gid}", "--clear-groups", *SMCROUTECTL, "-u", d.sock, "reload")
    for mode, who, is_told in ((0o644, member, True), (0o600, member, False), (0o600, member[4:], True)):
        os.chmod(part, mode)
        rc, out, err = lab.run(*who)
        same((rc, "secret" in out + err, "1 error, nothing" in err), (78, is_told, True), f"{mode:o}: {err}")
        same("the log has the lines" in err, not is_told, f"{mode:o}: {err}")
    check('"secret"' in d.log(), d.log())


def ways_to_write(pid, path):
    """Of each descriptor that a process has of the file at path: whether it is one to write by (proc(5), fdinfo)."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/fdinfo/{fd}") as f:
            flags = int(re.search(r"^flags:\s*(\d+)", f.read(), re.M)[1], 8)
            if os.path.samefile(f"/proc/{pid}/fd/{fd}", path):
                found.append(flags & os.O_ACCMODE != os.O_RDONLY)
    return found


def by_keeper(lab, d):
    old = int(open(d.pid_file).read())
    os.kill(old, signal.SIGKILL)
    return next_pid(d, old)


def by_takeover(lab, d):
    return next_pid(Daemon(lab, lab.MARKS + ROUTE, ("-p", "nobody", "-T"), ready=False), d.proc.pid)


def by_upgrade(lab, d):
    same(d.ctl("upgrade")[0], 0, "upgrade")
    d.do("ping")
    return d.proc.pid


def in_background(lab, d):
    same(d.stop(), 0, "exit status")
    rc, _, err = lab.run(*SMCROUTED, "-i", d.name, "-f", d.conf, "-P", d.pid_file, "-u", d.sock, "-p", "nobody")
    same((rc, err), (0, ""), "start in the background")
    return next_pid(d, d.proc.pid)


@case("-p leaves nothing, however the daemon came to be: after a delay", "-d", "1", None)
@case("the same in the background", "-N", "", in_background)
@case("the same of the next one that a keeper starts", "-k", "", by_keeper)
@case("the same of one that takes over", "-N", "", by_takeover)
@case("the same of the program of an upgrade", "-N", "", by_upgrade)
def ways(lab, option, value, how):
    need_users()
    uid, gid = nobody()
    program(lab)		# where the user nobody can run it
    os.chmod(lab.dir, 0o777)
    mine = os.open("/etc/passwd", os.O_RDONLY)
    d = lab.daemon(ROUTE, "-p", "nobody", option, *filter(None, [value]),
                   setup=lambda: os.dup2(mine, 70, inheritable=True))
    os.close(mine)
    pid = how(lab, d) if how else d.proc.pid
    wait_caps(pid, [0, 0, 0, 0])
    s = status(pid)
    same([s["Uid"].split(), s["Gid"].split(), s["Groups"].split(), s["NoNewPrivs"], int(s["CapBnd"], 16)],
         [[str(uid)] * 4, [str(gid)] * 4, [], "1", 0], "ids, groups, no_new_privs, bounding set")

    def files():
        return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    wait_until(lambda: "/etc/passwd" not in files(), lambda: f"open: {files()}")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    same(d.ctl("reload")[0], 0, "reload")
    same(ways_to_write(pid, d.pid_file), [False], "ways to write the PID file")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: gone(pid), "its end")


FOR_HOOK = 1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW


def hook_file(lab, name="hook"):
    """A hook that needs a right of root, and leaves in the file `seen` whether it had it, and which it has."""
    path = lab.write(name, "#!/bin/sh\n"
                     "ip link set a4 mtu 1400; "
                     f"{{ echo $1 $?; grep '^Cap\\|^Uid' /proc/self/status; }} >{lab.path('seen.tmp')}\n"
                     f"mv {lab.path('seen.tmp')} {lab.path('seen')}\n")
    os.chmod(path, 0o755)
    return path


def hook_saw(lab):
    """(capabilities, uids) of the hook."""
    wait_until(lambda: os.path.exists(lab.path("seen")), "the hook")
    seen = open(lab.path("seen")).read().split("\n")
    same(seen[0], "reload 0", "ip link set in the hook")
    got = dict(line.split(":\t") for line in seen[1:] if line)
    return [int(got[name], 16) for name in SETS], got["Uid"].split()


@case("-p with -e: CAP_NET_ADMIN and CAP_NET_RAW alone are kept, and the hook has them")
@case("the same where nobody may gain a right", "setpriv", "--no-new-privs")
def hook_of_user(lab, *wrap):
    need_users()
    os.chmod(lab.dir, 0o777)
    d = lab.daemon(ROUTE, "-e", hook_file(lab), "-p", "nobody", wrap=wrap)
    wait_caps(d.proc.pid, [FOR_HOOK] * 4)
    same(hook_saw(lab), ([FOR_HOOK] * 4, [str(nobody()[0])] * 4), "capabilities and uid of the hook")
    s = status(d.proc.pid)
    same((s["NoNewPrivs"], int(s["CapBnd"], 16)), ("1", FOR_HOOK), "no_new_privs and the bounding set")
    all_works(lab, d)


@case("root with -e: what root runs has what root has")
@case("the same where nobody may gain a right", "setpriv", "--no-new-privs")
def hook_of_root(lab, *wrap):
    mine = caps("self")
    d = lab.daemon(ROUTE, "-e", hook_file(lab), wrap=wrap)
    wait_caps(d.proc.pid, [mine[1], 0], slice(1, 3))
    have, uid = hook_saw(lab)
    same((have[1], have[2], uid), (mine[1], mine[1], ["0"] * 4), "permitted, effective, uid of the hook")
    all_works(lab, d)


@case("root without -p: no capability is in effect, those permitted stay")
def rest(lab):
    mine = caps("self")
    d = lab.daemon(ROUTE)
    wait_caps(d.proc.pid, [mine[1], 0], slice(1, 3))
    same(status(d.proc.pid)["Uid"].split(), ["0"] * 4, "uid")
    all_works(lab, d)
    wait_caps(d.proc.pid, [0], slice(2, 3))
    same(d.stop(), 0, "exit status")
    same([os.path.exists(p) for p in (d.pid_file, d.sock)], [False, False], "PID file and socket")


@case("what whoever started it has left open is closed")
@case("the same with a keeper", "-k")
def left_open(lab, *options):
    mine = os.open("/etc/passwd", os.O_RDONLY)

    def inherit():
        for fd in (7, 70, 700):
            os.dup2(mine, fd, inheritable=True)
    d = lab.daemon(ROUTE, *options, setup=inherit)
    os.close(mine)
    pids = {d.proc.pid, int(open(d.pid_file).read())}
    same(len(pids), 1 + len(options), "processes")

    def open_files():
        return [os.readlink(f"/proc/{pid}/fd/{fd}") for pid in pids for fd in os.listdir(f"/proc/{pid}/fd")]
    wait_until(lambda: "/etc/passwd" not in open_files(), lambda: f"open: {open_files()}")
    same(d.stop(), 0, "exit status")


def give_away(path, mode):
    os.chown(path, *nobody())
    os.chmod(path, mode)


@case("root: config, hook, socket and PID file in folders of others, at the start, at a reload and at the end")
def others_files(lab):
    need_users()
    os.mkdir(lab.path("theirs"))
    hook_path = hook_file(lab, "theirs/hook")
    part = lab.write("theirs/part.conf", "mroute from a1 group ff2e::11 to a2\n")
    give_away(lab.path("theirs"), 0o700)
    give_away(part, 0o600)
    d = lab.daemon(f"include {lab.path('theirs')}/*.conf\n", "-e", hook_path, "-P", lab.path("theirs/x.pid"),
                   "-u", lab.path("theirs/x.sock"), ready=False)
    d.pid_file, d.sock = lab.path("theirs/x.pid"), lab.path("theirs/x.sock")
    wait_until(lambda: os.path.exists(d.pid_file), "the PID file")
    hook_saw(lab)
    os.unlink(lab.path("seen"))
    with open(part, "a") as f:
        f.write("mroute from a1 group 225.1.1.1 to a3\n")
    give_away(d.conf, 0o600)
    d.do("add", "a1", "225.1.1.2", "a3")
    same(d.ctl("reload")[0], 0, "reload")
    hook_saw(lab)
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a3")
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2")
    same(d.stop(), 0, "exit status")
    same(sorted(os.listdir(lab.path("theirs"))), ["hook", "part.conf"], "files in the folder")


@case("77: a drop that fails ends the daemon", "capset", ())
@case("the same of the user", "setresuid", ("-p", "nobody"))
@case("the same of the capabilities of a user", "capset", ("-p", "nobody", "-e", "/bin/true"))
def cannot_drop(lab, call, options):
    if options:
        need_users()
    os.chmod(lab.dir, 0o777)
    refuse(call, errno.EPERM, {})
    d = Daemon(lab, ROUTE, options, ready=False)
    same(d.wait(), 77, "exit status")
    check("cannot give up privileges: Operation not permitted" in d.log(), d.log())
    same([os.path.exists(p) for p in (d.pid_file, d.sock)], [False, False], "PID file and socket")


class AsNobody(Daemon):
    """Started by a user that has only the capabilities given, in its ambient set."""

    def __init__(self, lab, conf, keep, *options, **kw):
        uid, gid = nobody()
        os.chmod(lab.dir, 0o777)
        setpriv = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups",
                   f"--inh-caps=-all,{keep}", f"--ambient-caps=-all,{keep}", f"--bounding-set=-all,{keep}")
        super().__init__(lab, conf, options, wrap=setpriv, **kw)


@case("a user with CAP_NET_RAW alone can start it")
def user(lab):
    need_users()
    d = AsNobody(lab, lab.MARKS + ROUTE, "+net_raw")
    wait_caps(d.proc.pid, [0, 0, 0, 0])
    all_works(lab, d)
    same(d.stop(), 0, "exit status")
    same([os.path.exists(p) for p in (d.pid_file, d.sock)], [False, False], "PID file and socket")


class Filtered(Daemon):
    """Started by a user that has CAP_NET_RAW in its ambient set, under a filter that refuses capset(2)."""

    def __init__(self, lab, conf, *options, **kw):
        os.chmod(lab.dir, 0o777)
        uid, gid = nobody()
        head, raw = struct.pack("Ii", CAP_VERSION_3, 0), 1 << CAP_NET_RAW
        sets = struct.pack("6I", raw, raw, raw, 0, 0, 0)

        def setup():
            libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            libc.syscall(number("capset"), head, sets)
            libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0)
            refuse("capset", errno.EPERM, {})
        super().__init__(lab, conf, options, setup=setup, **kw)


@case("a user with CAP_NET_RAW where capset(2) is refused: the program is run again without it")
@case("the same below a keeper, also after a kill -9", "-k")
def refused(lab, *options):
    need_users()
    d = Filtered(lab, lab.MARKS + ROUTE, *options)
    all_works(lab, d)
    pid = pid_of(d)
    same(caps(pid)[1:], [0, 0, 0], "capabilities")
    same([d.log().count(line) for line in ("give up capabilities: ", "\nstarted: ")], [1, 1], d.log())
    if options:
        os.kill(pid, signal.SIGKILL)
        wait_caps(next_pid(d, pid), [0, 0, 0], slice(1, 4))
        lab.passes("a1", "10.1.0.9", "225.1.2.4", "a2")
    same(d.stop(), 0, "exit status")
    same([os.path.exists(p) for p in (d.pid_file, d.sock)], [False, False], "PID file and socket")


@case("the same with a hook, which keeps it: the daemon stays the one it is")
def refused_hook(lab):
    need_users()
    d = Filtered(lab, ROUTE, "-e", "/bin/true")
    wait_until(lambda: "\nstarted: " in d.log(), d.log)
    same(caps(d.proc.pid), [1 << CAP_NET_RAW] * 4, "capabilities")
    same(d.log().count(" goes on in this process"), 0, d.log())
    same(d.stop(), 0, "exit status")


@case("77: CAP_NET_RAW is missing, or CAP_NET_ADMIN for -t; each is named")
def denied(lab):
    need_users()
    for keep, options, name in (("+net_admin", (), "CAP_NET_RAW"), ("+net_raw", ("-t", "100"), "CAP_NET_ADMIN")):
        d = AsNobody(lab, ROUTE, keep, *options, ready=False)
        same(d.wait(), 77, f"exit status with {keep}")
        check(name in d.log(), f"{name} not named in {d.log()}")
        other = "CAP_NET_RAW" if name == "CAP_NET_ADMIN" else "CAP_NET_ADMIN"
        check(other not in d.log(), f"{other} named in {d.log()}")
    d = AsNobody(lab, ROUTE, "+net_raw,+net_admin", "-t", "100")
    same(d.stop(), 0, "exit status with both")


@case("in a user namespace without any right outside")
def container(lab):
    need_users()
    rc, out, err = lab.run("unshare", "-Urn", *SMCROUTED, "-n", "-D", "1", "-f", lab.write("x.conf", ROUTE),
                           "-P", lab.path("x.pid"), "-u", lab.path("x.sock"))
    if rc == 1 and "unshare" in err:
        raise Skip(err.strip())
    same(rc, 0, f"exit status ({out}{err})")


@case("a wrong user, group or spelling of -p is 64 and changes nothing")
def wrong(lab):
    for spec in ("no-such-user", "root:no-such-group", "", ":", "root:", ":root", "x" * 300, "-1", "4294967295"):
        rc, _, err = lab.run(*SMCROUTED, "-n", "-p", spec, "-f", lab.write("x.conf", ROUTE), "-P", lab.path("x.pid"),
                             "-u", lab.path("x.sock"))
        same(rc, 64, f"-p {spec[:30]!r} ({err.strip()[:200]}): exit status")
        check("-p" in err, f"{err!r} does not name the option")
        same([os.path.exists(lab.path(p)) for p in ("x.pid", "x.sock")], [False, False], "files left")


if __name__ == "__main__":
    main()
