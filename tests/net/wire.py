# SPDX-License-Identifier: ISC
#
# The bytes of the control socket, for tests that speak with the daemon themselves.
import socket
import struct

WORD = struct.calcsize("P")


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.settimeout(20)
    return s


def request(command, *words):
    """A frame as SMCRoute 2.4 to 2.6 sends it; W: as ours does."""
    args = b"".join(w.encode() + b"\0" for w in words) + b"\0"
    head = struct.pack("NHH", 0, ord(command), len(words))
    head += b"\0" * (-len(head) % WORD)
    return struct.pack("N", len(head) + len(args)) + head[WORD:] + args


def records(data):
    """(type, text) of each whole record of a reply to W."""
    at = 0
    while at + 8 <= len(data):
        kind, length = data[at:at + 1].decode(), struct.unpack_from("I", data, at + 4)[0]
        if at + 8 + length > len(data):
            break
        yield kind, data[at + 8:at + 8 + length]
        at += 8 + length
