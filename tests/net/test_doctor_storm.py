# SPDX-License-Identifier: ISC
#
# smcroute-check doctor on flows that multiply, or would: an output that is the input while this host
# is a member there, and packets that come round again.
from cases import case, main
from lab import check, same
from member import member
from packet import frame
from sick import V4, V6, Stream, daemon, doctor, findings, paste


def file(group):
    return f"mroute from a1 group {group} to a1 a2\nmgroup from a1 group {group}\n"


@case("an output that is held back, IPv4", *V4)
@case("an output that is held back, IPv6", *V6)
def held(lab, src, group):
    d = daemon(lab, file(group))
    with Stream(lab, "a1", src, group, ttl=64) as s:
        s.flows("a2")
        rc, found = findings(lab, "doctor", group, "1", d.conf)
        same(rc, 1, "exit status")
        storm, = [f for f in found if f["what"] == "storm"]
        same(storm["severity"], "error", "severity")
        for words in ("held back", f"{d.conf}:1", f"{d.conf}:2", "drop a1"):
            check(words in storm["text"], storm["text"])
        same((storm["fix"], storm["or"]), ([f"smcroutectl remove a1 {group} a1"], [f"smcroutectl leave a1 {group}"]),
             "commands")
        paste(lab, storm["or"])
        s.flows("a1", "a2")
        same(doctor(lab, group, d.conf)[:2], (0, ["fine"]), "verdict without the membership")


@case("another program is the member, IPv4", *V4)
@case("another program is the member, IPv6", *V6)
def of_others(lab, src, group):
    d = daemon(lab, f"mroute from a1 group {group} to a1 a2\n")
    with Stream(lab, "a1", src, group, ttl=64) as s, member("a1", group):
        s.flows("a2")
        rc, found = findings(lab, "doctor", group, "1", d.conf)
        storm, = [f for f in found if f["what"] == "storm"]
        same((rc, storm["or"]), (1, ["ip maddr show dev a1"]), "exit status and command")


class Rounds(Stream):
    """Packets as they come from a ring of three: each comes again and again, its TTL less by three."""

    def __init__(self, lab, iface, src, group):
        super().__init__(lab, iface, src, group, ttl=64)
        self.make = lambda i: frame(src, group, 64 - i % 20 * 3, i)


@case("packets that come round are told, IPv4", *V4)
@case("packets that come round are told, IPv6", *V6)
def rounds(lab, src, group):
    d = daemon(lab, "".join(f"mroute from {i} group {group} to {o}\n"
                            for i, o in (("a1", "a2"), ("a2", "a3"), ("a3", "a1"))))
    with Rounds(lab, "a1", src, group) as s:
        s.flows("a2")
        _, found = findings(lab, "doctor", group, "2", d.conf)
        told, = [f for f in found if f["what"] == "round"]
        for words in ("packets go round", "3 less each time", f"{d.conf}:1", f"{d.conf}:3"):
            check(words in told["text"], told["text"])
        same(told["fix"][0], f"smcroute-check {d.conf}", "command")


@case("a sender with two TTLs sends nothing round")
def two(lab):
    src, group = V4
    d = daemon(lab, f"mroute from a1 group {group} to a2\n")
    with Stream(lab, "a1", src, group, ttl=16) as s, Stream(lab, "a1", src, group, ttl=64), \
            Stream(lab, "a1", src, group, ttl=32), Stream(lab, "a1", src, group, ttl=9):
        s.flows("a2")
        same([f["what"] for f in findings(lab, "doctor", group, "1", d.conf)[1] if f["what"] in ("round", "storm")],
             [], "findings")


if __name__ == "__main__":
    main()
