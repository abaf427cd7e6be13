# SPDX-License-Identifier: ISC
#
# The daemon under valgrind: start, traffic, commands, reload, links, stop, and
# every block freed, not merely reachable.
import os
import shutil

from cases import case, main
from lab import SMCROUTECTL, Skip, check, same, wait_until

CONF = ("mroute from a1 group 225.1.1.1 to a2 a5\nmroute from a1 source 10.1.0.9 group 225.1.1.2 to a2\n"
        "mroute from a1 group ff2e::/112 to a2\nmgroup from a2 group 225.3.3.3\nphyint a4 ttl-threshold 3\n")


@case("no leak and no fault")
def valgrind(lab):
    if os.environ.get("SANITIZE"):
        raise Skip("a sanitizer build checks this itself")
    if not shutil.which("valgrind"):
        raise Skip("no valgrind here")
    with open(os.environ["SMCROUTE"], "rb") as f:
        if b"/ld-musl-" in f.read():
            raise Skip("valgrind sees half of the pieces of memory of musl: it has no reallocarray()")
    # What the options say may stay: all else is freed, or lost.
    d = lab.daemon(CONF, seconds=60, wrap=("valgrind", "-q", "--leak-check=full", "--show-leak-kinds=all",
                                           "--errors-for-leak-kinds=definite,indirect,possible",
                                           "--error-exitcode=99", "--track-fds=no"))
    d.show("show")
    lab.passes("a1", "10.1.0.9", "225.1.1.1", "a2")
    lab.passes("a1", "fd00:1::9", "ff2e::11", "a2")
    lab.passes("a1", "10.1.0.9", "225.9.9.9")
    d.do("add", "a1", "225.2.0.0/16", "a2", "a3")
    d.do("add", "a1", "10.1.0.9", "225.2.2.2", "a4")
    for words in (["show"], ["-d", "show"], ["-j", "show"], ["show", "interfaces"], ["show", "pending"], ["help"]):
        d.show(*words)
    for words in (["add", "a1", "nonsense"], ["remove", "a1", "225.77.7.7"], ["foo"]):
        check(d.ctl(*words)[0] != 0, f"{words} worked")
    d.do("remove", "a1", "10.1.0.9", "225.2.2.2")
    lab.links("a5")
    wait_until(lambda: not d.json("pending")["pending"], "nothing pending")
    lab.ip("link", "del", "a5")
    d.write("this is wrong\n" * 30)
    same(d.ctl("reload")[0], 78, "reload of a bad file")
    d.write(CONF.replace("a5", "a3"))
    same(d.ctl("reload")[0], 0, "reload")
    d.do("flush")
    same(lab.run(*SMCROUTECTL, "-u", d.sock, "kill")[0], 0, "kill")
    same(d.proc.wait(60), 0, "exit status (99: valgrind found something)")


if __name__ == "__main__":
    main()
