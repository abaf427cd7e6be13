#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# coverage.py FOLDER CORPUS FUZZER...: how many lines of each room the fuzzers reach with what they have collected so
# far in CORPUS and with the seeds of tests/data; `make coverage` builds what is in FOLDER.  Files under 90 % are named,
# and those that are in no fuzzer.
import collections
import glob
import json
import os
import subprocess
import sys

ROOMS = ["router", "conf", "applets/control", "lib"]


def tool(name):
    return subprocess.check_output(["clang", f"-print-prog-name={name}"], text=True).strip()


def main():
    folder, corpus, *fuzzers = sys.argv[1:]
    raw = []
    for f in fuzzers:
        raw.append(f"{folder}/{f}.profraw")
        inputs = [d for d in (f"{corpus}/{f}", f"tests/data/{f}") if os.path.isdir(d)]
        done = subprocess.run([f"{folder}/{f}", "-runs=0", *inputs], env={**os.environ, "LLVM_PROFILE_FILE": raw[-1]},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            print(f"{f} fails: {done.stdout[-500:]}", file=sys.stderr)
    raw = [r for r in raw if os.path.exists(r)]
    subprocess.check_call([tool("llvm-profdata"), "merge", "-o", f"{folder}/all.profdata", *raw])
    objects = [word for f in fuzzers for word in ("-object", f"{folder}/{f}")][1:]
    report = json.loads(subprocess.check_output([tool("llvm-cov"), "export", "-summary-only", "-instr-profile",
                                                 f"{folder}/all.profdata", *objects], text=True))
    lines = {os.path.relpath(f["filename"]): f["summary"]["lines"] for f in report["data"][0]["files"]}
    sums = collections.defaultdict(lambda: [0, 0])
    for room in ROOMS:
        for file in sorted(glob.glob(f"{room}/*.c")):
            count = lines.get(file)
            if not count:
                print(f"{file}: in no fuzzer")
                continue
            sums[room][0] += count["covered"]
            sums[room][1] += count["count"]
            if count["covered"] < 0.9 * count["count"]:
                print(f"{file}: {count['covered']} of {count['count']} lines")
    for room in ROOMS:
        covered, count = sums[room]
        print(f"{room}: {100 * covered / max(count, 1):.1f} % of {count} lines")


if __name__ == "__main__":
    main()
