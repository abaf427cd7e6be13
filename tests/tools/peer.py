# SPDX-License-Identifier: ISC
#
# Programs of others: SMCRoute 2.x, to compare with, and igmpproxy, to share a host with.  They
# are where they are on this machine, or else unpacked from Debian's package into $B/peer.  None
# is installed: its daemon would start.
#
#	peer.py			prints the directory of SMCRoute's programs, or says why there is none
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAMS = "smcrouted", "smcroutectl"
CACHE = os.path.join(os.environ.get("B", "build"), "peer")
UNPACKED = "usr/sbin"
DONE = "done"


class Missing(Exception):
    """There is no peer here; the text says why."""


def is_peer(directory):
    paths = [shutil.which(p, path=directory) for p in PROGRAMS]
    return all(p and "SMCRoute v2" in subprocess.run([p, "-v"], capture_output=True, text=True).stdout for p in paths)


def fetch(package, what, renew):
    """Needs no root, but lists of packages; these can be renewed by root."""
    for program in ("apt-get", "dpkg-deb"):
        if not shutil.which(program):
            raise Missing(f"no {what} here, and no {program} to get it with")
    os.makedirs(CACHE, exist_ok=True)
    # Tests that begin side by side all want it: the first one gets it, or finds out that it cannot be had.
    with open(os.path.join(CACHE, package + ".lock"), "a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        when, _, why = lock.read().partition(" ")
        if when == DONE:
            return
        if when and not renew and time.time() - float(when) < 600:
            raise Missing(why)
        lock.truncate(0)
        try:
            unpack(package, what, renew)
            lock.write(f"{DONE} ")
        except Missing as e:
            lock.write(f"{time.time():.0f} {e}")
            raise


def unpack(package, what, renew):
    download = f"timeout 20 apt-get download -qq {package}"
    with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
        if renew:
            download += f" || {{ timeout 60 apt-get update -qq && {download}; }}"
        for command in (download, f"dpkg-deb -x {package}_*.deb ."):
            p = subprocess.run(command, shell=True, cwd=tmp, capture_output=True, text=True)
            if p.returncode:
                why = p.stderr.strip().splitlines()
                raise Missing(f"no {what} here, nor its package: {why[-1] if why else 'no answer'}")
        shutil.copytree(os.path.join(tmp, "usr"), os.path.join(CACHE, "usr"), dirs_exist_ok=True, symlinks=True)


def find(renew=False):
    """The directory of the peer's two programs."""
    given = [os.environ["PEER"]] if "PEER" in os.environ else []
    unpacked = os.path.abspath(os.path.join(CACHE, UNPACKED))
    for directory in (*given, unpacked, os.path.abspath(f"build/peer/{UNPACKED}"), "/usr/sbin", "/usr/bin"):
        if is_peer(directory):
            return directory
    fetch("smcroute", "SMCRoute 2.x", renew)
    if not is_peer(unpacked):
        raise Missing("SMCRoute's package is here, but its programs do not run")
    return unpacked


def igmpproxy(renew=False):
    """The path of Debian's igmpproxy."""
    places = [os.path.abspath(os.path.join(where, UNPACKED)) for where in (CACHE, "build/peer")] + ["/usr/sbin"]
    program = shutil.which("igmpproxy", path=":".join(places))
    if not program:
        fetch("igmpproxy", "igmpproxy", renew)
        program = shutil.which("igmpproxy", path=":".join(places))
    if not program:
        raise Missing("igmpproxy's package is here, but its program is not in it")
    return program


if __name__ == "__main__":
    try:
        print(find(renew=True))
        igmpproxy()
    except Missing as e:
        sys.exit(str(e))
