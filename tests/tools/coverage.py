#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# coverage.py FOLDER CORPUS "FUZZER..." TEST...: how many lines of each room are reached, first by the fuzzers with what
# they have collected so far in CORPUS and the seeds of tests/data, then by these and the unit and scenario programs
# together; `make coverage` builds what is in FOLDER.  Files that both reach less than 90 % of are named.
import collections
import glob
import json
import os
import subprocess
import sys

ROOMS = ["router", "conf", "applets/control", "lib"]


def tool(name):
    return subprocess.check_output(["clang", f"-print-prog-name={name}"], text=True).strip()


def run(name, profiles, command):
    """Runs a program that leaves a profile, which its children count in as well, and keep when they are killed: the
    counters are in the file (%c)."""
    try:
        done = subprocess.run(command, env={**os.environ, "LLVM_PROFILE_FILE": f"{profiles}/{name}-%p%c.profraw"},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    except subprocess.TimeoutExpired:
        print(f"{name} does not end", file=sys.stderr)
        return
    if done.returncode:
        print(f"{name} fails: {done.stdout[-500:].decode(errors='replace')}", file=sys.stderr)


def merge(folder, name, profiles):
    """One profile of all that the programs left."""
    out = f"{folder}/{name}.profdata"
    subprocess.check_call([tool("llvm-profdata"), "merge", "--failure-mode=all", "-o", out, *profiles])
    return out


def count_lines(profile, programs):
    """(lines reached, lines) of each file."""
    objects = [word for p in programs for word in ("-object", p)][1:]
    report = json.loads(subprocess.check_output([tool("llvm-cov"), "export", "-summary-only", "-instr-profile",
                                                 profile, *objects], text=True))
    return {os.path.relpath(f["filename"]): (f["summary"]["lines"]["covered"], f["summary"]["lines"]["count"])
            for f in report["data"][0]["files"]}


def percent(covered, count):
    return f"{100 * covered / max(count, 1):5.1f} %"


def main():
    folder, corpus, fuzzers, *tests = sys.argv[1:]
    fuzzers = fuzzers.split()
    profiles = f"{folder}/profiles"
    os.makedirs(profiles, exist_ok=True)
    for old in glob.glob(f"{profiles}/*.profraw"):
        os.unlink(old)
    for f in fuzzers:
        inputs = [d for d in (f"{corpus}/{f}", f"tests/data/{f}") if os.path.isdir(d)]
        run(f, profiles, [f"{folder}/{f}", "-runs=0", *inputs])
    programs = [f"{folder}/{f}" for f in fuzzers]
    columns = [count_lines(merge(folder, "fuzzers", glob.glob(f"{profiles}/*.profraw")), programs)]
    for t in tests:
        scenarios = sorted(glob.glob("tests/scenario/*.scn")) if t.endswith("/play") else []
        run(os.path.basename(t), profiles, [t, *scenarios])
    columns.append(count_lines(merge(folder, "all", glob.glob(f"{profiles}/*.profraw")), programs + tests))
    print("fuzzers  with tests   lines")
    for room in ROOMS:
        sums = collections.Counter()
        for file in sorted(glob.glob(f"{room}/*.c")):
            covered, count = columns[1].get(file, (0, 0))
            few = columns[0].get(file, (0, 0))[0]
            sums += collections.Counter(few=few, covered=covered, count=count)
            if not count:
                print(f"{'-':>7}  {'-':>10}  {'-':>6}  {file}: in no program")
            elif covered < 0.9 * count:
                print(f"{percent(few, count)}  {percent(covered, count):>10}  {count:6}  {file}")
        print(f"{percent(sums['few'], sums['count'])}  {percent(sums['covered'], sums['count']):>10}  "
              f"{sums['count']:6}  {room}: all")


if __name__ == "__main__":
    main()
