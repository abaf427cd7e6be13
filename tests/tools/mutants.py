#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# mutants.py FOLDER: decisions of the router made wrong, one after the other, in a copy of the source in that folder;
# the scenarios and the comparison with the model (tests/unit/test_router.c) have to find each.
import os
import shutil
import subprocess
import sys

# What is wrong then; the file; what becomes what.
MUTANTS = [
    ("a blocked rule among those that decide stops nothing", "router/ruleset.c",
     "sum.is_stopped ? 0 : sum.oifs", "sum.oifs"),
    ("what a member here would get back goes out where it came in", "router/entry.c",
     "w.oifs &= ~reflect_held(r, at, w.iif, w.oifs);", ";"),
    ("packets of sources that no router forwards are forwarded", "router/entry.c",
     "bool may_pass = !match_stays_here(&e->flow.source);", "bool may_pass = true;"),
    ("of two (S,G) rules the one that was written last decides", "router/entry.c",
     "t->v[id].rank < rank)", "(rank == UINT32_MAX || t->v[id].rank > rank))"),
    ("a flow moves to an interface that has no rule for it", "router/learn.c",
     "!ruleset_covers(&r->rules, &up->flow, up->vif) || !learn_yields", "!learn_yields"),
    ("a flow goes after half of its time", "router/expire.c",
     ">= r->expire_sec * (1000 / MFC_TICK)", ">= r->expire_sec * (1000 / MFC_TICK) / 2"),
    ("a change of a threshold does not reach the kernel", "router/link.c",
     "r->ttl[i->vif[FAM_4]] = i->ttl;", ";"),
    ("a rule that goes leaves its entry", "router/entry.c",
     "w.iif >= 0 && e->state != MFC_STATIC ? MFC_BLOCKED : MFC_FREE", "w.iif >= 0 ? MFC_BLOCKED : MFC_FREE"),
]


def run(tree, *argv):
    return subprocess.run(argv, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)


def build(tree):
    done = run(tree, "make", f"-j{os.cpu_count()}", "build/tests/play", "build/tests/test_router")
    if done.returncode:
        sys.exit(f"it does not build:\n{done.stdout[-2000:]}")


def found(tree):
    """The test that fails, or None."""
    scenarios = sorted(f"tests/scenario/{f}" for f in os.listdir(f"{tree}/tests/scenario") if f.endswith(".scn"))
    for line in run(tree, "build/tests/play", *scenarios).stdout.splitlines():
        if line.startswith("not ok"):
            return line.split(" - ")[1]
    done = run(tree, "build/tests/test_router")
    if done.returncode:
        return "the model: " + (done.stdout.splitlines() + ["?"])[1].lstrip("# ")
    return None


def main():
    tree = os.path.abspath(sys.argv[1])
    shutil.rmtree(tree, ignore_errors=True)
    for room in ("applets", "conf", "kernel", "lib", "router", "tests"):
        shutil.copytree(room, f"{tree}/{room}")
    for file in ("Makefile", "smcroute.c"):
        shutil.copy(file, tree)
    for file in ("VERSION", "CHANGES.md"):
        if os.path.exists(file):
            shutil.copy(file, tree)
    build(tree)
    if found(tree):
        sys.exit(f"without a mutation it fails: {found(tree)}")
    missed = 0
    for what, file, old, new in MUTANTS:
        path = f"{tree}/{file}"
        with open(path) as f:
            text = f.read()
        if text.count(old) != 1:
            sys.exit(f"{file} has no longer, or more than once: {old}")
        with open(path, "w") as f:
            f.write(text.replace(old, new))
        build(tree)
        by = found(tree)
        missed += not by
        print(f"{'caught' if by else 'NOT CAUGHT'}: {what}{' (' + by + ')' if by else ''}", flush=True)
        with open(path, "w") as f:
            f.write(text)
    print(f"{len(MUTANTS) - missed} of {len(MUTANTS)} caught")
    return missed != 0


if __name__ == "__main__":
    sys.exit(main())
