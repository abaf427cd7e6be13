# SPDX-License-Identifier: ISC
#
# A start where something is missing or in the way: it goes on with what it can
# have, or ends and names what that was.
import os

from cases import case, main
from lab import CAP_NET_RAW, MS_BIND, SMCROUTED, Daemon, check, same, sys_call

ROUTE = "mroute from a1 source 10.1.0.9 group 225.1.1.1 to a2\n"


def files(lab):
    return ("-f", lab.write("x.conf", ROUTE), "-P", lab.path("x.pid"), "-u", lab.path("x.sock"))


def said(lab, want, *options, **kw):
    """What a start says that ends with this status."""
    rc, out, err = lab.run(*SMCROUTED, *options, **kw)
    same((rc, out), (want, ""), f"exit status, said {err!r}")
    return err


@case("78: -f FILE that is not there", "-n")
@case("78: the same in the background", "-s")
def no_file(lab, option):
    err = said(lab, 78, *files(lab), option, "-f", lab.path("nothing.conf"))
    check("nothing.conf: error: cannot read it: No such file" in err, err)
    err = said(lab, 78, *files(lab), option, "-f", lab.dir)
    check(lab.dir in err, err)
    same([os.path.exists(p) for p in files(lab)[3::2]], [False, False], "files that it left")


@case("the file of no option cannot be read: an error at the start and at each reload, and it runs")
def unreadable(lab):
    sys_call("mount", "lab", "/etc", "tmpfs", 0, None)
    os.mkdir("/etc/smcroute.conf")
    # Without the -i and -f of the lab.
    d = Daemon(lab, ROUTE, wrap=("sh", "-c", 'shift 7; exec "$0" smcrouted -n "$@"', SMCROUTED[0]))
    same(d.ctl("reload")[0], 78, "reload")
    same(d.log().count("/etc/smcroute.conf: error: cannot read it"), 2, d.log())


@case("without rights the capability is named, not the place of the socket")
def no_rights(lab):
    err = said(lab, 77, "-n", "-f", lab.write("x.conf", ROUTE), "-u", "/proc/no/x.sock", drop=CAP_NET_RAW)
    check("CAP_NET_RAW" in err and "x.sock" not in err, err)


@case("a plain file in the place of the socket is named, and left")
def plain_file(lab):
    options = files(lab)
    lab.write("x.sock", "precious")
    err = said(lab, 71, "-n", *options)
    check("x.sock: a file that is no socket is in its place" in err, err)
    same(open(lab.path("x.sock")).read(), "precious", "the file")


@case("a missing /dev/null is named")
def no_null(lab):
    os.mkdir("/run/dev")
    sys_call("mount", "/run/dev", "/dev", None, MS_BIND, None)
    check("/dev/null: No such file" in said(lab, 71, "-n", *files(lab)), "not named")


if __name__ == "__main__":
    main()
