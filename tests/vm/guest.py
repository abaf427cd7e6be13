# SPDX-License-Identifier: ISC
#
# A machine in qemu whose only disk is memory: what its initramfs is made of, and how each architecture is started.
# Needs no root: the archive is written here, device nodes too.
import glob
import gzip
import lzma
import os
import re
import shutil
import stat
import subprocess
import tempfile
from typing import NamedTuple

from debian import Missing


class Machine(NamedTuple):
    """An architecture by Debian's name for it."""
    qemu: str                   # what is behind qemu-system-
    options: str                # of qemu
    package: str                # of Debian, that has this qemu
    console: str
    triplet: str                # of a compiler that makes its programs: TRIPLET-gcc
    kernel: str                 # the package linux-image-KERNEL depends on Debian's newest one
    tools: str = "bookworm"     # the suite of busybox and iproute2
    memory: int = 512           # MB


MACHINES = {
    # qemu 7.2 spoils the flags at cmpxchg16b, and newer kernels fall over that.
    "amd64": Machine("x86_64", "-cpu Nehalem,-cx16", "qemu-system-x86", "ttyS0", "x86_64-linux-gnu", "cloud-amd64"),
    "i386": Machine("i386", "-cpu max", "qemu-system-x86", "ttyS0", "i686-linux-gnu", "686"),
    "arm64": Machine("aarch64", "-M virt -cpu cortex-a53", "qemu-system-arm", "ttyAMA0", "aarch64-linux-gnu",
                     "cloud-arm64"),
    "armhf": Machine("arm", "-M virt -cpu cortex-a15", "qemu-system-arm", "ttyAMA0", "arm-linux-gnueabihf", "armmp"),
    "mipsel": Machine("mipsel", "-M malta -cpu 24Kc", "qemu-system-mips", "ttyS0", "mipsel-linux-gnu", "4kc-malta"),
    "ppc64el": Machine("ppc64", "-M pseries -cpu power9", "qemu-system-ppc", "hvc0", "powerpc64le-linux-gnu",
                       "powerpc64le", memory=1024),
    "s390x": Machine("s390x", "-cpu max", "qemu-system-misc", "ttysclp0", "s390x-linux-gnu", "s390x"),
    "riscv64": Machine("riscv64", "-M virt", "qemu-system-misc", "ttyS0", "riscv64-linux-gnu", "riscv64", "trixie"),
}


def line(machine, kernel, initramfs, append=""):
    """The command that starts it: its console is the command's output, a restart its end."""
    qemu = os.environ.get("QEMU", f"qemu-system-{machine.qemu}")
    if not shutil.which(qemu):
        raise Missing(f"no {qemu} here (Debian's {machine.package})")
    options = os.environ.get("VM_OPTIONS", f"{machine.options} -accel tcg").split()
    memory = os.environ.get("MEMORY", f"{machine.memory}M")
    # Two cards on one cable.
    cards = [word for n in (0, 1) for word in ("-netdev", f"hubport,id=n{n},hubid=0", "-device",
                                               f"virtio-net,netdev=n{n},mac=52:54:00:00:00:0{n}")]
    return [qemu, *options, "-m", memory, "-nographic", "-no-reboot", "-net", "none", *cards, "-kernel", kernel,
            "-initrd", initramfs, "-append", f"console={machine.console} quiet loglevel=1 oops=panic panic=-1 {append}"]


class Initramfs:
    """What a guest finds at its start, by path; an archive of the form that Linux' early-userspace/buffer-format.rst
    has: a header of hexadecimal numbers, the name and the contents, each filled up to four bytes."""

    def __init__(self):
        self.paths = {}
        for folder in ("bin", "dev", "etc", "lib", "modules", "proc", "run", "sbin", "sys", "tmp"):
            self.folder(folder)
        self.paths["dev/console"] = stat.S_IFCHR | 0o600, b"", (5, 1)
        self.paths["dev/null"] = stat.S_IFCHR | 0o666, b"", (1, 3)

    def folder(self, path):
        if path and path not in self.paths:
            self.folder(os.path.dirname(path))
            self.paths[path] = stat.S_IFDIR | 0o755, b"", (0, 0)

    def data(self, path, contents, mode=0o644):
        self.folder(os.path.dirname(path))
        self.paths[path] = stat.S_IFREG | mode, contents, (0, 0)

    def link(self, path, to):
        self.folder(os.path.dirname(path))
        self.paths[path] = stat.S_IFLNK | 0o777, os.fsencode(to), (0, 0)

    def file(self, path, source, mode=0o755):
        with open(source, "rb") as f:
            self.data(path, f.read(), mode)

    def program(self, path, source, roots):
        """A program with the libraries that it names and its loader, as they are below the folders ROOTS."""
        self.file(path, source)
        text = subprocess.run(["readelf", "-ld", source], capture_output=True, text=True, check=True,
                              env={**os.environ, "LC_ALL": "C"}).stdout
        names = [f"lib/{name}" for name in re.findall(r"\(NEEDED\).*\[(.*)\]", text)]
        names += [name.lstrip("/") for name in re.findall(r"interpreter: /(.*)\]", text)]
        for name in names:
            if name in self.paths:
                continue
            found = [at for root in roots for part in ("lib", "lib64", "usr/lib", "usr/lib64")
                     for at in glob.glob(f"{root}/{part}/**/{os.path.basename(name)}", recursive=True)]
            if not found:
                raise Missing(f"no library {name} for {path}")
            self.program(name, os.path.realpath(found[0]), roots)

    def modules(self, tree, wanted):
        """Modules with those that they need, from the folder TREE; modules/order has the order in which they load.
        What the kernel does not have is left out."""
        files = {}
        for at in glob.glob(f"{tree}/**/*.ko*", recursive=True):
            files[os.path.basename(at).split(".ko")[0].replace("-", "_")] = at
        order = []

        def take(name):
            if name not in files or f"modules/{name}.ko" in self.paths:
                return
            contents = unpacked(files[name])
            self.data(f"modules/{name}.ko", contents)
            needs = re.search(rb"\0depends=([^\0]*)\0", contents)
            for need in (needs.group(1).decode().split(",") if needs else ()):
                take(need.replace("-", "_"))
            order.append(name)
        for name in wanted:
            take(name)
        self.data("modules/order", "".join(f"{name}\n" for name in order).encode())

    def write(self, path):
        with gzip.open(path, "wb", compresslevel=1) as out:
            entries = [*sorted(self.paths.items()), ("TRAILER!!!", (0, b"", (0, 0)))]
            for number, (name, (mode, contents, device)) in enumerate(entries, 1):
                name = os.fsencode(name) + b"\0"
                fields = number, mode, 0, 0, 1, 0, len(contents), 0, 0, *device, len(name), 0
                head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
                out.write(head + b"\0" * (-len(head) % 4) + contents + b"\0" * (-len(contents) % 4))


def unpacked(path):
    """The contents of a module, compressed or not."""
    if path.endswith(".zst"):
        if not shutil.which("zstd"):
            raise Missing("no zstd here, with which the modules of this kernel are compressed")
        return subprocess.run(["zstd", "-qdc", path], capture_output=True, check=True).stdout
    with (lzma.open(path) if path.endswith(".xz") else open(path, "rb")) as f:
        return f.read()


def compiler(arch):
    """The words of make for static programs of that architecture: CC=... STRIP=..."""
    triplet = MACHINES[arch].triplet
    own = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=False).stdout.strip()
    if arch == own:
        return [f"CC={'musl-gcc' if shutil.which('musl-gcc') else os.environ.get('CC', 'cc')}"]
    if shutil.which(f"{triplet}-gcc"):
        return [f"CC={triplet}-gcc"]
    raise Missing(f"no {triplet}-gcc here")


def built(arch, folder):
    """The static program for that architecture and packets.c, built below FOLDER: two paths.  STATIC is the first."""
    words = compiler(arch)
    os.makedirs(folder, exist_ok=True)
    program = os.environ.get("STATIC")
    with tempfile.TemporaryFile() as log:
        commands = [[*words[0][3:].split(), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-O2", "-static", "-o",
                     f"{folder}/packets", "tests/vm/packets.c"]]
        if words == ["CC=musl-gcc"]:
            # musl has no headers of the kernel.
            subprocess.run(["make", "-s", f"B={folder}", *words, f"{folder}/linux-headers/linux"], check=True)
            commands[0][1:1] = ["-isystem", f"{folder}/linux-headers"]
        if not program:
            commands.append(["make", "-s", "static", f"B={folder}", *words])
        env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE") and key != "MFLAGS"}
        for command in commands:
            if subprocess.run(command, stdout=log, stderr=log, env=env, check=False).returncode:
                log.seek(0)
                raise Missing(f"{' '.join(command)}: {log.read().decode(errors='replace')[-2000:]}")
    return program or f"{folder}/smcroute-static", f"{folder}/packets"
