# SPDX-License-Identifier: ISC
#
# Packages of any suite and architecture of Debian, by an apt of its own that installs nothing: what the archive's index
# says, and what a package unpacks to.  What was fetched once stays below the folder of the archive.
#
#	debian.py DIR SUITE ARCH WORD		prints image and modules of the newest linux-image-WORD: cloud-amd64
import glob
import os
import re
import shutil
import subprocess
import sys

MIRROR = os.environ.get("MIRROR", "http://deb.debian.org/debian")
KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Missing(Exception):
    """What cannot be had here; the text says why."""


class Archive:
    """One suite for one architecture, with its state and what was unpacked below FOLDER."""

    def __init__(self, folder, suite, arch):
        self.root = os.path.abspath(os.path.join(folder, f"{suite}-{arch}"))
        self.suite, self.arch = suite, arch
        for program in ("apt-get", "apt-cache", "dpkg-deb"):
            if not shutil.which(program):
                raise Missing(f"no {program} here to have Debian's packages with")
        if os.path.exists(self.path("updated")):
            return
        for part in ("etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d", "state/lists/partial",
                     "cache/archives/partial", "debs"):
            os.makedirs(self.path(part), exist_ok=True)
        with open(self.path("state/status"), "a", encoding="ascii"):
            pass
        with open(self.path("etc/sources.list"), "w", encoding="ascii") as f:
            f.write(f"deb [signed-by={KEY}] {MIRROR} {suite} main\n")
        self.apt("apt-get", "update", "-o", "APT::Update::Error-Mode=any", limit=300)
        with open(self.path("updated"), "w", encoding="ascii"):
            pass

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def apt(self, tool, *words, limit=900):
        options = {"Dir::Etc": "etc", "Dir::State": "state", "Dir::State::status": "state/status",
                   "Dir::Cache": "cache"}
        command = [tool, "-q", *(f"-o{key}={self.path(value)}" for key, value in options.items()),
                   f"-oAPT::Architecture={self.arch}", f"-oAPT::Architectures::={self.arch}",
                   "-oAPT::Sandbox::User=root", *words]
        try:
            p = subprocess.run(command, capture_output=True, text=True, timeout=limit, cwd=self.path("debs"),
                               check=False)
        except subprocess.TimeoutExpired:
            raise Missing(f"Debian's {self.suite} for {self.arch}: no answer from {MIRROR}") from None
        if p.returncode:
            why = [line for line in p.stderr.splitlines() if line.strip()] or ["no answer"]
            raise Missing(f"Debian's {self.suite} for {self.arch}: {why[0]}")
        return p.stdout

    def depends(self, package):
        """The packages that the newest PACKAGE depends on."""
        text = self.apt("apt-cache", "show", "--no-all-versions", package)
        found = re.search(r"^Depends: (.*)$", text, re.M)
        return re.findall(r"(?:^|, )([^ ,(:]+)", found.group(1)) if found else []

    def unpack(self, into, *packages):
        """The folder INTO of this archive, with the packages in it; "a|b" is the first of them that there is."""
        folder = self.path(into)
        os.makedirs(folder, exist_ok=True)
        for names in packages:
            stamp = os.path.join(folder, f".have-{names.replace('|', '-')}")
            if os.path.exists(stamp):
                continue
            for i, package in enumerate(names.split("|"), 1):
                try:
                    self.apt("apt-get", "download", package)
                    break
                except Missing:
                    if i == len(names.split("|")):
                        raise
            for deb in glob.glob(self.path("debs", f"{package}_*.deb")):
                subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
                os.unlink(deb)
            with open(stamp, "w", encoding="ascii"):
                pass
        return folder

    def kernel(self, meta):
        """The folder with the kernel that the package META stands for, and its modules."""
        newest = [p for p in self.depends(meta) if p.startswith("linux-image-")]
        if not newest:
            raise Missing(f"Debian's {self.suite} for {self.arch}: {meta} names no kernel")
        folder = self.unpack(newest[0], newest[0])
        if not (image(folder) and modules(folder)):
            # Newer releases have kernel and modules in packages of their own.
            self.unpack(newest[0], *(p for p in self.depends(newest[0])
                                     if p.startswith(("linux-binary", "linux-modules"))))
        return folder


def image(folder):
    """The kernel below a folder of kernel(), or None."""
    found = glob.glob(f"{folder}/boot/vmlinu[xz]*") + glob.glob(f"{folder}/**/lib/modules/*/vmlinu[xz]", recursive=True)
    return found[0] if found else None


def configuration(folder):
    """What that kernel was built with, or None."""
    found = glob.glob(f"{folder}/boot/config-*") + glob.glob(f"{folder}/**/lib/modules/*/config", recursive=True)
    return found[0] if found else None


def modules(folder):
    """lib/modules/VERSION below a folder of kernel(), or None."""
    found = [at for part in ("", "usr/") for at in glob.glob(f"{folder}/{part}lib/modules/*/kernel")]
    return os.path.dirname(found[0]) if found else None


if __name__ == "__main__":
    try:
        at = Archive(*sys.argv[1:4]).kernel(f"linux-image-{sys.argv[4]}")
        print(image(at), modules(at))
    except Missing as e:
        sys.exit(str(e))
