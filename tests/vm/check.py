# SPDX-License-Identifier: ISC
#
# make check-vm: boots kernels of Debian's in qemu, without KVM, and runs the cases of this folder in them, from an
# initramfs of busybox, iproute2 and the static program.
#
#	make check-vm [KERNELS="SUITE[:ARCH[:PACKAGE]]..."] [CASES="..."] [VM_MD=tests/vm/README.md]
#
# KERNELS: bookworm:amd64 is linux-image-cloud-amd64 of Debian 12; sid:arm64:arm64 is linux-image-arm64; a path is an
# image for this machine that needs no modules.  CASES: names of cases, or groups of GROUPS.  VM_MD names the page whose
# table is written.  Ends with "N passed, N failed, N skipped"; the log of a guest with a failure stays in $B/vm.
import json
import os
import re
import subprocess
import sys
import threading
import time
from typing import NamedTuple

import guest
from debian import Archive, Missing, configuration, image, modules

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("B", "build")
GROUPS = {
    "smoke": "start routes kernel reload groups mrdisc json upgrade takeover keeper",
    "late": "dummy vlan bridge filtering",
    "tunnels": "wg gre gretap ip6gre ipip vxlan tun",
    "other": "bond macvlan vrf many table cards host bare",
    "boots": "pid1 root noipv6 lacks",
}
GROUPS["all"] = " ".join(GROUPS.values())
# What the case lacks looks for; with the tables of multicast routes those of unicast routes, for rules.
OPTIONS = ("IP_MULTICAST IP_MROUTE IP_MROUTE_MULTIPLE_TABLES IP_PIMSM_V2 IPV6 IPV6_MROUTE IPV6_MROUTE_MULTIPLE_TABLES "
           "IPV6_PIMSM_V2 NET_NS PROC_FS").split()
NEEDED = ("veth dummy 8021q bridge br_netfilter bonding tun ip_gre ip6_gre ipip sit vxlan macvlan vrf wireguard "
          "virtio_pci virtio_net").split()


class Boot(NamedTuple):
    """A start of the guest: its process 1, words for the kernel, and cases for it to run."""
    name: str
    init: str
    append: str


def boots(words, config):
    """What the words of CASES mean for a kernel of that configuration, a path or None."""
    cases = []
    for word in words:
        cases += GROUPS.get(word, word).split()
    plain = [c for c in cases if c not in GROUPS["boots"].split()]
    found = [Boot("cases", "init", f"cases={','.join(plain)}")] if plain else []
    for case in cases:
        if case in ("pid1", "root"):
            found.append(Boot(case, case, ""))
        elif case == "noipv6":
            found.append(Boot(case, "init", "ipv6.disable=1 cases=off,routes,kernel,groups,mrdisc,upgrade"))
        elif case == "lacks" and (config or case in words):
            if not config:
                raise Missing("lacks: the configuration of a kernel IMAGE is to be in IMAGE.config")
            with open(config, encoding="utf-8") as f:
                has = set(re.findall(r"^CONFIG_(\w+)=[ym]$", f.read(), re.M))
            found.append(Boot(case, case, f"lacks={','.join(o for o in OPTIONS if o not in has)}"))
    return found


class Sum:
    """Results of TAP, line by line."""

    def __init__(self):
        self.passed = self.failed = 0
        self.skipped, self.bad, self.plan = [], [], None
        self.first = {}             # milliseconds from an interface's being up to the first packet, by its name

    def __call__(self, text):
        if found := re.match(r"ok \d+ - (.*) # SKIP (.*)", text):
            self.skipped.append(found.groups())
        elif text.startswith("ok "):
            self.passed += 1
        elif text.startswith("not ok "):
            self.fail(text.split(" - ", 1)[-1])
        elif found := re.match(r"1\.\.(\d+)$", text):
            self.plan = int(found.group(1))
        elif found := re.match(r"# measured: (\S+) up: first packet after (-?\d+) ms", text):
            self.first.setdefault(found.group(1), []).append(found.group(2))
        elif text.startswith("JSON "):
            _, name, contents = text.split(" ", 2)
            try:
                json.loads(contents)
            except ValueError as e:
                self.fail(f"JSON of {name}: {e}: {contents[:200]}")

    def fail(self, what):
        self.failed += 1
        self.bad.append(what)

    def add(self, other):
        self.passed, self.failed = self.passed + other.passed, self.failed + other.failed
        self.skipped, self.bad = self.skipped + other.skipped, self.bad + other.bad
        self.first.update(other.first)


def initramfs(machine, arch, files, program, packets, tree):
    """What a guest has, with the modules below TREE, if any."""
    archive = Archive(f"{BUILD}/vm/debian", machine.tools, arch)
    root = archive.unpack("tools", "busybox-static", "iproute2", "libbpf1", "libbsd0", "libmd0", "libc6", "libcap2",
                          "libelf1|libelf1t64", "libmnl0", "zlib1g", "libzstd1", "wireguard-tools")
    made = guest.Initramfs()
    made.file("bin/busybox", next(p for p in (f"{root}/bin/busybox", f"{root}/usr/bin/busybox") if os.path.exists(p)))
    made.file("sbin/smcroute", program)
    made.file("sbin/packets", packets)
    for applet in ("smcrouted", "smcroutectl", "smcroute-check"):
        made.link(f"sbin/{applet}", "smcroute")
    for tool in ("ip", "bridge", "wg"):
        places = (f"{root}/{part}{tool}" for part in ("bin/", "sbin/", "usr/bin/", "usr/sbin/"))
        made.program(f"sbin/{tool}", os.path.realpath(next(p for p in places if os.path.isfile(p))), [root])
    for name in files:
        made.file(f"vm/{name}", f"{HERE}/{name}")
    for name in ("init", "pid1", "root", "lacks"):
        made.link(name, f"vm/{name}.sh")
    if tree:
        made.modules(tree, NEEDED)
    else:
        made.data("modules/order", b"")
    made.write(f"{BUILD}/vm/{arch}/initramfs.gz")
    return f"{BUILD}/vm/{arch}/initramfs.gz"


def run(command, log, limit):
    """The guest, as it goes on; what it said is in LOG, its results come back."""
    found, start, cut = Sum(), time.monotonic(), "the guest ended early"
    with open(log, "w", encoding="utf-8") as out, subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        timer = threading.Timer(limit, qemu.kill)
        timer.start()
        for raw in qemu.stdout:
            text = re.sub(r"\x1b(\[[?]*[0-9;]*[a-zA-Z]|c)", "", raw.decode(errors="replace")).strip("\r\n")
            out.write(f"{text}\n")
            out.flush()
            found(text)
            if re.match("(not )?ok |# |1\\.\\.", text):
                print(f"  {text}" if not text.startswith("# ") else f"    {text}", flush=True)
            if text.startswith("1.."):
                # Some machines cannot switch off.
                timer.cancel()
                timer = threading.Timer(20, qemu.kill)
                timer.start()
        timer.cancel()
    if time.monotonic() - start >= limit:
        cut = f"no end within {limit} s"
    if found.plan is None or found.passed + len(found.skipped) + len(found.bad) < found.plan:
        found.fail(cut)
    return found


def check(name, words):
    """One kernel: its results and the cells of its row, or Missing."""
    suite, arch, package = (name.split(":") + ["", ""])[:3]
    own = os.path.sep in name
    arch = "amd64" if own else arch or "amd64"
    if arch not in guest.MACHINES:
        raise Missing(f"no such architecture: {arch}")
    machine = guest.MACHINES[arch]
    guest.line(machine, "", "")
    work = f"{BUILD}/vm/{arch}"
    program, packets = guest.built(arch, work)
    if own:
        kernel, tree = name, None
        config = f"{name}.config" if os.path.exists(f"{name}.config") else None
    else:
        folder = Archive(f"{BUILD}/vm/debian", suite, arch).kernel(f"linux-image-{package or machine.kernel}")
        kernel, tree, config = image(folder), modules(folder), configuration(folder)
        if not (kernel and tree):
            raise Missing(f"no kernel in {folder}")
    files = sorted(f for f in os.listdir(HERE) if f.endswith(".sh"))
    start, total, uname = time.monotonic(), Sum(), name
    packed = initramfs(machine, arch, files, program, packets, tree)
    for boot in boots(words, config):
        log = f"{BUILD}/vm/{name.replace(':', '-').replace('/', '_')}-{boot.name}.log"
        print(f"== {name}, {boot.name}: {kernel}", flush=True)
        got = run(guest.line(machine, kernel, packed, f"rdinit=/{boot.init} {boot.append}"), log,
                  int(os.environ.get("DEADLINE", "3600")))
        total.add(got)
        with open(log, encoding="utf-8") as f:
            said = re.search(r"^# (Linux \S+ [^\s,]+)", f.read(), re.M)
        uname = said.group(1) if said else uname
        if got.failed:
            print(f"== {name}, {boot.name}: {got.failed} failed, all that the guest said is in {log}")
        else:
            os.unlink(log)
    seconds = int(time.monotonic() - start)
    why = "; ".join(sorted({f"{case} ({reason.strip()})" for case, reason in total.skipped})) or "-"
    print(f"== {name}: {total.passed} passed, {total.failed} failed, {len(total.skipped)} skipped, {seconds} s")
    first = "; ".join(f"{iface} {' '.join(times)}" for iface, times in total.first.items()) or "-"
    return total, [os.path.basename(name), uname, " ".join(words), total.passed, total.failed, len(total.skipped), why,
                   first, seconds]


def write(page, row):
    """The table of the page, in which the row takes the place of that of the same kernel and cases."""
    begin, end = "<!-- make check-vm writes this table -->\n", "<!-- its end -->\n"
    with open(page, encoding="utf-8") as f:
        before, rest = f.read().split(begin)
    old, after = rest.split(end)
    table = {}
    for line in [line for line in old.splitlines() if line.startswith("| ")][1:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        table[cells[0], cells[2]] = cells
    table[row[0], row[2]] = [str(cell).replace("|", "/") for cell in row]
    head = "\n| KERNELS | kernel | CASES | passed | failed | skipped | what was skipped | first, ms | seconds |\n"
    head += "|---" * 9 + "|\n"
    with open(page, "w", encoding="utf-8") as f:
        f.write(before + begin + head + "".join(f"| {' | '.join(cells)} |\n" for cells in table.values()) + "\n" + end
                + after)


def main():
    names, words = os.environ.get("KERNELS", "").split(), os.environ.get("CASES", "").split()
    total = Sum()
    for name in names or ["bookworm:amd64"]:
        try:
            got, row = check(name, words or ["all"])
            total.add(got)
            if os.environ.get("VM_MD"):
                write(os.environ["VM_MD"], row)
        except Missing as e:
            print(f"skipped: {name}: {e}")
            total.skipped.append((name, str(e)))
    for what in total.bad:
        print(f"failed: {what}")
    print(f"{total.passed} passed, {total.failed} failed, {len(total.skipped)} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
