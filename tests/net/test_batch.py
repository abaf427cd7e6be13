# SPDX-License-Identifier: ISC
#
# Commands on standard input: any number over one connection, answers in order,
# errors by their line.
import os
import resource
import socket
import subprocess
import time

from cases import case, main
from lab import SMCROUTECTL, Skip, check, note, same

MANY = "".join(f"mroute from a1 source 10.9.{i // 250}.{i % 250 + 1} group 225.2.2.2 to a2\n" for i in range(5000))


@case("batch: comments, blanks, CRLF, NUL, a line without end, errors with their line")
def batch(lab):
    d = lab.daemon()
    text = ("# comment\n\n\tadd  a1 10.1.0.9\t225.7.7.7 a2 # more\r\nfoo\nadd a1\nremove a1 225.99.9.9\n"
            "pi\0ng\n" + "add a1 " + "x" * 70000 + "\nmonitor\n"
            "add a1 10.1.0.9 225.7.7.8" + " a2 a3" * 6 + "\nshow groats\nadd a1 225.1.1.1/99\nping")
    rc, out, err = d.ctl("-b", stdin=text)
    same((rc, out), (64, ""), "status of the first failure")
    want = [4, 5, 6, 7, 8, 9, 11, 12]
    same([int(line.split("line ")[1].split(":")[0]) for line in err.splitlines()], want, f"lines of\n{err}")
    same(lab.route("10.1.0.9", "225.7.7.7"), ("a1", ["a2"]), "line 3")
    same(lab.route("10.1.0.9", "225.7.7.8"), ("a1", ["a2", "a3"]), "line 10")
    same(d.ctl("-b", stdin="remove a1 225.99.9.9\nfoo\n")[0], 66, "status of the first failure")
    same(d.ctl("-b", stdin=""), (0, "", ""), "nothing to do")
    same(d.ctl("-b", stdin="\ufeffping\r\n"), (0, "", ""), "a byte order mark")


@case("a line that there is no memory for is not run by half")
def no_memory(lab):
    if os.environ.get("SANITIZE"):
        raise Skip("the sanitizer wants more address space as it goes")
    d = lab.daemon()
    client = subprocess.Popen([*SMCROUTECTL, "-u", d.sock, "-b"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    # The answer shows that the buffers are there; from here on no page is added.
    client.stdin.write("show config\n")
    client.stdin.flush()
    client.stdout.readline()
    size = int(open(f"/proc/{client.pid}/statm").read().split()[0]) * resource.getpagesize()
    resource.prlimit(client.pid, resource.RLIMIT_AS, (size, size))
    _, err = client.communicate("add a1 225.1.1.1" + " " * 60000 + "a2\n")
    same((client.returncode, err), (71, "smcroutectl: out of memory\n"), "status, stderr")
    check("group 225.1.1.1" not in d.show("show", "config"), "half a line is in force")


@case("5,000 adds in one batch, a bad one in the middle")
def long_batch(lab):
    d = lab.daemon()
    lines = [f"add a1 10.9.{i // 250}.{i % 250 + 1} 225.2.2.2 a2" for i in range(5000)]
    lines[2500] = "add a1 10.9.1.1 225.2.2.2.2 a2"
    start = time.monotonic()
    rc, out, err = d.ctl("-b", stdin="\n".join(lines) + "\n")
    note(f"measured: 5,000 adds in a batch: {time.monotonic() - start:.3f} s")
    same((rc, out), (65, ""), "status")
    check(err.count("\n") == 1 and "line 2501:" in err, f"{err!r}")
    same(len([r for r in d.json()["routes"]["ssm"] if r["group"] == "225.2.2.2"]), 4999, "rules")


@case("a batch whose output is much more than the buffers between")
def wide_batch(lab):
    d = lab.daemon(MANY)
    rc, out, err = d.ctl("-b", "-t", stdin="show\n" * 100)
    same((rc, err), (0, ""), "status")
    check(out.count("225.2.2.2") >= 100 * 10000, f"{out.count('225.2.2.2')} rows")


@case("answers, errors and what the client knows itself come in the order of the lines")
def order(lab):
    d = lab.daemon()
    # One stream for both, as a terminal is.
    p = subprocess.run([*SMCROUTECTL, "-b", "-t", "-u", d.sock], text=True, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT,
                       input="show pending\nhelp ping\nfoo\nversion\nadd a1 225.1.1.1/99 a2\n"
                             "show pending\nhelp foo\nshow p\n")
    words = ["No pending", "Usage: smcroutectl ping", "  succeed", "Example:", "smcroutectl: line 3: no command",
             "smcroutectl ", "smcroutectl: line 5: bad prefix", "No pending", "smcroutectl: no command", "No pending"]
    got = p.stdout.splitlines()
    same([g[:len(w)] for g, w in zip(got, words)], words, f"order of\n{p.stdout}")
    same((p.returncode, len(got)), (64, len(words)), "status and lines")


@case("a line with many outputs, one with more than the kernel has, and one with too many words")
def long_lines(lab):
    d = lab.daemon()
    rc, out, err = d.ctl("-b", stdin="add a1 10.1.0.9 225.7.7.7" + " a2 a3 a4" * 10 + "\n"
                         "add a1 10.1.0.9 225.7.7.8" + " a2 a3 a4" * 1000 + "\n"
                         "add a1 10.1.0.9 225.7.7.8" + " a2" * 5000 + "\nadd a1 10.1.0.9 225.7.7.9 a2\n")
    same((rc, out), (64, ""), "status")
    check(err.count("\n") == 2 and "line 2: add: a rule can have 32 outputs" in err and
          "line 3: too many words" in err, f"{err!r}")
    same(lab.mroutes("225.7.7.7"), {("10.1.0.9", "225.7.7.7"): ("a1", ["a2", "a3", "a4"])}, "line 1")
    same((lab.mroutes("225.7.7.8"), len(lab.mroutes("225.7.7.9"))), ({}, 1), "lines 2 to 4")


@case("a batch that ends the daemon")
def suicide(lab):
    d = lab.daemon()
    rc, out, err = d.ctl("-b", stdin="ping\nkill\n")
    same((rc, out, err, d.wait()), (0, "", "", 0), "kill as the last line")
    d = lab.daemon(name="other")
    # What was sent along is still answered, or is told to have no answer.
    rc, out, err = d.ctl("-b", stdin="kill\n" + "ping\n" * 1000)
    check((rc, out, err) == (0, "", "") or (rc == 69 and err.count("\n") == 1 and "line " in err),
          f"{rc} {out!r} {err!r}")
    same(d.wait(), 0, "exit status of the daemon")


@case("typed line by line: each is answered at once")
def typed(lab):
    d = lab.daemon()
    p = subprocess.Popen([*SMCROUTECTL, "-b", "-u", d.sock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for i in range(3):
        p.stdin.write(f"add a1 10.1.0.{i + 2} 225.7.7.7 a2\nshow pending\n")
        p.stdin.flush()
        same(p.stdout.readline(), "No pending routes or groups\n", "answer")
        same(lab.route(f"10.1.0.{i + 2}", "225.7.7.7"), ("a1", ["a2"]), "route")
    p.stdin.close()
    same(p.wait(20), 0, "status")
    p.stdout.close()


@case("no daemon, and one that never answers: only what may take long is waited for")
def patience(lab):
    rc, out, err = lab.run(*SMCROUTECTL, "-b", "-u", lab.path("nobody.sock"), stdin="ping\n")
    same((rc, out, err.count("\n")), (69, "", 1), "no daemon")
    path = lab.path("mute.sock")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        s.listen(20)
        served = []
        def run(words):
            p = subprocess.Popen([*SMCROUTECTL, "-u", path, *words.split()], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
            served.append(s.accept()[0])
            check(served[-1].recv(4096), f"no request: {words}")
            return p
        # Those that are patient have waited longer than all the others when these give up.
        long = [run(w) for w in ("reload", "join a1 225.0.0.0/16", "leave a1 225.0.0.0/16", "kill")]
        start = time.monotonic()
        short = [run(w) for w in ("ping", "show", "add a1 225.1.1.1 a2", "flush")]
        for p in short:
            out, err = p.communicate(timeout=60)
            same((p.returncode, out, err.count("\n")), (69, "", 1), f"a mute daemon: {err!r}")
        note(f"measured: patience with a mute daemon: {time.monotonic() - start:.1f} s")
        same([p.poll() for p in long], [None] * 4, "those that may take long")
        for p in long:
            p.kill()
            p.communicate()
        for c in served:
            c.close()


if __name__ == "__main__":
    main()
