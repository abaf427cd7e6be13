# SPDX-License-Identifier: ISC
#
# Many flows, of entries of all kinds, and the rules for them.
import os
import subprocess

TRAFFIC = os.path.join(os.environ.get("B", "build"), "tests/traffic")
# As traffic has it: in turn three groups, to each in turn so many sources, in both families.
SOURCES = 167
FLOWS = 2 * 3 * SOURCES
OTHERS = [f"mroute from a3 source 10.3.0.9 group 225.77.0.{i} to a4\n" for i in range(1, 11)]
# All that there are, with two for the lab's marks: learned later, the last of them would be what differs.
ENTRIES = 2 * (SOURCES + SOURCES + 1) + len(OTHERS) + 2


def rules(others=()):
    """For each flow a rule, a template, or an entry of the kernel; ten others, and memberships."""
    static = "".join(f"mroute from a1 source 10.16.0.{i} group 225.1.1.1 to a2\n"
                     f"mroute from a1 source fd00:16::{i:x} group ff2e::1 to a2\n" for i in range(1, SOURCES + 1))
    members = "".join(f"mgroup from a1 group 225.64.0.{i}\nmgroup from a1 source fd00:1::2 group ff3e::64:{i}\n"
                      for i in range(1, 60))
    return (static + members + "".join(others or OTHERS) + "phyint a1 mrdisc\nphyint a2 mrdisc ttl-threshold 2\n"
            "mroute from a1 group 225.2.1.0/24 to a2\nmroute from a1 group ff2e::2/128 to a2\n"
            "mroute from a1 group 225.3.1.1 kernel to a2\nmroute from a1 group ff2e::3 kernel to a2\n")


class Streams:
    """Both families, each by a process of its own with half of the packets."""

    def __init__(self, pps):
        self.procs = {f: subprocess.Popen([TRAFFIC, "flows", f, str(pps // 2), "1", "/run/netns/ha", "/run/netns/hb"],
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          text=True) for f in "46"}

    def end(self):
        """{family: (sent, arrived, doubles, what is said of those that are lost)}"""
        return {f: (*map(int, out.split()[:3]), err) for f, p in self.procs.items() for out, err in [p.communicate()]}
