# SPDX-License-Identifier: ISC
#
# Somebody who holds the sockets of a daemon beyond its end and hands them to the next one, by hand: descriptors are
# copied out of the running process, and given on as LISTEN_FDS (sd_listen_fds(3)).
import ctypes
import fcntl
import os
import socket

from lab import Daemon, Failed, libc

SYS_PIDFD_GETFD = 438
SO_PROTOCOL, SO_DOMAIN = 38, 39
HIGH = 500		# descriptors of ours are moved here, beyond those that are given on


def kinds(fds):
    """Names for sockets in the order in which a daemon opens them."""
    names, members = [], 0
    order = {(socket.AF_INET, socket.IPPROTO_IGMP): ["mroute4", "mrdisc4", "report4"],
             (socket.AF_INET6, socket.IPPROTO_ICMPV6): ["mroute6", "mrdisc6", "report6"]}
    for fd in fds:
        with socket.socket(fileno=os.dup(fd)) as s:
            key = s.getsockopt(socket.SOL_SOCKET, SO_DOMAIN), s.getsockopt(socket.SOL_SOCKET, SO_PROTOCOL)
            if key in order and s.type & socket.SOCK_RAW == socket.SOCK_RAW and order[key]:
                names.append((order[key].pop(0), fd))
            elif key[0] in (socket.AF_INET, socket.AF_INET6) and s.type == socket.SOCK_DGRAM:
                members += 1
                names.append((f"member.{members}", fd))
            else:
                os.close(fd)
    return names


def copy(pid):
    """Copies of all sockets of a process, with names: [(name, descriptor)]."""
    proc = os.pidfd_open(pid)
    fds = []
    for number in sorted(int(n) for n in os.listdir(f"/proc/{pid}/fd")):
        if not os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:"):
            continue
        fd = libc.syscall(SYS_PIDFD_GETFD, proc, number, 0)
        if fd < 0:
            raise Failed(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
        fds.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGH))
        os.close(fd)
    os.close(proc)
    return kinds(fds)


def close(held):
    for _, fd in held:
        os.close(fd)


def give(held, names=None, count=None, pid=None):
    """For a child before exec: puts descriptors in the place of LISTEN_FDS."""
    def setup():
        for i, (_, fd) in enumerate(held):
            os.dup2(fd, 3 + i)
        os.environ["LISTEN_FDS"] = str(len(held) if count is None else count)
        os.environ["LISTEN_FDNAMES"] = ":".join(n for n, _ in held) if names is None else names
        os.environ["LISTEN_PID"] = str(os.getpid() if pid is None else pid)
    return setup


def heir(lab, held, conf, *options, **kw):
    """A daemon that gets them."""
    return Daemon(lab, conf, options, setup=give(held), **kw)
