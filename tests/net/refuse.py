# SPDX-License-Identifier: ISC
#
# A kernel that lacks something, as this process and its children see it: a
# filter of system calls (seccomp(2)) that answers with an error.
import ctypes
import platform
import struct

from lab import Skip, libc

NUMBERS = {"x86_64": {"socket": 41, "setsockopt": 54, "setgroups": 116, "setresuid": 117, "capset": 126,
                      "recvmmsg": 299, "recvmsg": 47, "accept4": 288},
           "aarch64": {"socket": 198, "setsockopt": 208, "setgroups": 159, "setresuid": 147, "capset": 91,
                       "recvmmsg": 243, "recvmsg": 212, "accept4": 242}}
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06		# linux/bpf_common.h
ALLOW, ERRNO = 0x7FFF0000, 0x00050000		# linux/seccomp.h


def number(call):
    """That of a system call on this machine."""
    n = NUMBERS.get(platform.machine(), {}).get(call)
    if n is None:
        raise Skip(f"the number of {call} on {platform.machine()} is not known here")
    return n


def refuse(call, err, args):
    """From now on the call fails with err where each argument of {index: value} has that value."""
    # struct seccomp_data: the number at 0, the lower half of argument i at 16 + 8 * i.
    tests = [(0, number(call))] + [(16 + 8 * i, value) for i, value in args.items()]
    code = []
    for left, (at, value) in zip(reversed(range(len(tests))), tests):
        code += [(LOAD, 0, 0, at), (EQUAL, 0, 2 * left + 1, value)]
    code += [(RETURN, 0, 0, ERRNO | err), (RETURN, 0, 0, ALLOW)]
    text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
    prog = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(text)))
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 or
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(prog), 0, 0) < 0):
        raise Skip("no seccomp filter here")
