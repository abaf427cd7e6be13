# SPDX-License-Identifier: ISC
#
# Cases of a network test and the TAP they print.  Each runs in a child with a
# lab of its own, whose end takes everything with it.
import os
import signal
import sys
import time
import traceback

from lab import Lab, PR_SET_CHILD_SUBREAPER, Skip, note, sys_call


def run_case(fn, args):
    """In a child: 0 passed, 1 failed, 2 skipped; what it prints is TAP comment."""
    lab = None
    try:
        lab = Lab()
        fn(lab, *args)
        for d in lab.procs:
            d.leave()
        return 0
    except Skip as e:
        print(f"#SKIP {e}")
        return 2
    except Exception:		# a failure of any kind is a failed case
        note(traceback.format_exc())
        for d in lab.procs if lab else ():
            note(f"exit {d.proc.poll()}, log of {d.name}:\n{d.log()[-4000:]}")
        return 1
    finally:
        if lab:
            lab.end()


def run_child(fn, args):
    """(result of run_case, its output)."""
    r, w = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(w, 1)
        sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
        signal.alarm(max(200, int(os.environ.get("DEADLINE", 0))))
        rc = 1
        try:
            rc = run_case(fn, args)
            sys.stdout.flush()
        finally:
            os._exit(rc)
    os.close(w)
    with os.fdopen(r, errors="replace") as f:
        out = f.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out


def end_orphans():
    """What a case left running, a daemon in the background say, has become a child of this process."""
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat") as f:
                if name.isdigit() and int(f.read().rpartition(")")[2].split()[1]) == os.getpid():
                    os.kill(int(name), signal.SIGKILL)
                    os.waitpid(int(name), 0)
        except (OSError, ValueError):	# no process, or gone meanwhile
            pass


CASES = []


def case(name, *args):
    """Decorator: a case with a name, and arguments for the function after the lab."""
    def add(fn):
        CASES.append((name, fn, args))
        return fn
    return add


def main(step=1):
    """Runs the cases whose names hold one of the words on the command line; without words, and without
    DOCTOR in the environment, each step-th of all.  PART=2/3 in the environment: of these each third, from the second
    on."""
    words = sys.argv[1:]
    cases = [c for c in CASES if not words or any(w in c[0] for w in words)]
    if not words and "DOCTOR" not in os.environ:
        cases = cases[::step]
    part, parts = map(int, os.environ.get("PART", "1/1").split("/"))
    cases = cases[part - 1::parts]
    print(f"1..{len(cases)}" + ("" if cases else " # SKIP no such case"), flush=True)
    bad = 0
    sys_call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for i, (name, fn, args) in enumerate(cases, 1):
        start = time.monotonic()
        rc, out = run_child(fn, args)
        end_orphans()
        skip = [line[6:] for line in out.splitlines() if line.startswith("#SKIP ")]
        print("".join(line + "\n" for line in out.splitlines() if not line.startswith("#SKIP ")), end="")
        if rc == 2 and skip:
            print(f"ok {i} - {name} # SKIP {skip[0]}", flush=True)
        else:
            bad += rc != 0
            print(f"{'not ' if rc else ''}ok {i} - {name}"
                  + (f" # {time.monotonic() - start:.2f} s" if "LAB_TIMES" in os.environ else ""), flush=True)
    sys.exit(bad != 0)
