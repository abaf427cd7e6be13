#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# mutants.py FOLDER [WORD...]: decisions made wrong, one after the other, in a copy of the source in that folder: all,
# or those whose words hold one of these.  The scenarios and the comparison with the model (tests/unit/test_router.c)
# have to find each, or the unit test that is named beside it.
import os
import shutil
import subprocess
import sys

# What is wrong then; the file; what becomes what; the unit test that finds what the others do not meet.
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
    ("a flow whose counter cannot be read gives way", "router/budget.c",
     "return errno != ENOENT;", "return false;", "test_budget"),
    ("a number is free though an entry that was refused has it", "router/vif.c",
     "r->ifs.held[fam] &= used;", "r->ifs.held[fam] = 0;", "test_entry_refused"),
    ("a VIF is removed before the entries that have it", "router/vif.c",
     "vifs = leaving & ~used;", "vifs = leaving;", "test_router"),
    ("on FreeBSD an entry has its inbound interface as output", "router/reflect.c",
     "if (i && r->reflect.always)", "if (!i)", "test_router"),
    ("an interface for which memory lacked is forgotten", "router/link.c",
     "\t\tr->links_lost = true;\n", "", "test_link"),
    ("nobody asks for it again", "applets/watch.c",
     "\twatch_lost(d);\n\trouter_sync", "\trouter_sync", "test_watch"),
    ("of several owners the one who takes its last output back stops the flow", "router/change.c",
     "e.is_wanted = e.oifs || t->v[id].owner != OWNER_SEVERAL;", "e.is_wanted = true;"),
    ("a file that is read again takes what owners with names ask for", "router/apply.c",
     "claims_is_named(t->live, id) ? apply_keep_named(a, t, id) : 0", "0"),
    ("rules that move lose the claims to them", "router/claims.c", "\t\tc->v[at].rule = to;", "\t\t;"),
    ("what a client does again and again fills the log", "router/table.c",
     "log_limited(&r->lim_wait, r->now, LOG_LVL_NOTICE, ", "log_at(LOG_LVL_NOTICE, ", "test_table"),
    ("a family that is lost is not tried again", "applets/families.c",
     "\tlog_err(\"%s\", text);\n\ttimer_set(d->loop, &d->families, FAMILIES_RETRY_MS);", ";", "test_families"),
]


def run(tree, *argv):
    return subprocess.run(argv, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)


def build(tree, *tests):
    done = run(tree, "make", f"-j{os.cpu_count()}", *(f"build/tests/{t}" for t in tests or ("play", "test_router")))
    if done.returncode:
        sys.exit(f"it does not build:\n{done.stdout[-2000:]}")


def found(tree, test=None):
    """The test that fails, or None."""
    if test:
        done = run(tree, f"build/tests/{test}")
        return f"{test}, exit {done.returncode}" if done.returncode else None
    scenarios = sorted(f"tests/scenario/{f}" for f in os.listdir(f"{tree}/tests/scenario") if f.endswith(".scn"))
    for line in run(tree, "build/tests/play", *scenarios).stdout.splitlines():
        if line.startswith("not ok"):
            return line.split(" - ")[1]
    done = run(tree, "build/tests/test_router")
    if done.returncode:
        return "the model: " + (done.stdout.splitlines() + ["?"])[1].lstrip("# ")
    return None


def main():
    tree, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    mutants = [m for m in MUTANTS if not words or any(w in m[0] for w in words)]
    shutil.rmtree(tree, ignore_errors=True)
    for room in ("applets", "conf", "kernel", "lib", "router", "tests"):
        shutil.copytree(room, f"{tree}/{room}")
    for file in ("Makefile", "smcroute.c"):
        shutil.copy(file, tree)
    for file in ("VERSION", "CHANGES.md"):
        if os.path.exists(file):
            shutil.copy(file, tree)
    for test in sorted({tuple(m[4:]) for m in mutants}):
        build(tree, *test)
        if found(tree, *test):
            sys.exit(f"without a mutation it fails: {found(tree, *test)}")
    missed = 0
    for what, file, old, new, *test in mutants:
        path = f"{tree}/{file}"
        with open(path) as f:
            text = f.read()
        if text.count(old) != 1:
            sys.exit(f"{file} has no longer, or more than once: {old}")
        with open(path, "w") as f:
            f.write(text.replace(old, new))
        build(tree, *test)
        by = found(tree, *test)
        missed += not by
        print(f"{'caught' if by else 'NOT CAUGHT'}: {what}{' (' + by + ')' if by else ''}", flush=True)
        with open(path, "w") as f:
            f.write(text)
    print(f"{len(mutants) - missed} of {len(mutants)} caught")
    return missed != 0


if __name__ == "__main__":
    sys.exit(main())
