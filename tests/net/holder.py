# SPDX-License-Identifier: ISC
#
# Somebody who holds the descriptors of a daemon beyond its end and hands them to the next one, as systemd does for a
# service with FileDescriptorStoreMax=: sd_pid_notify_with_fds(3), sd_listen_fds(3).
import fcntl
import os
import signal
import socket
import threading

from lab import PR_CAPBSET_DROP, Daemon, same, sys_call, wait_until

HIGH = 1000		# descriptors are moved here, beyond those that are given on
SOME = 64		# as many in one message


def give(held, notify, drop=()):
    """For a child before exec: puts [(name, descriptor)] in the place of LISTEN_FDS, and gives up capabilities."""
    def setup():
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGH) for _, fd in held]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
        os.environ.update(LISTEN_FDS=str(len(held)), LISTEN_FDNAMES=":".join(n for n, _ in held),
                          LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=notify, FDSTORE="4096")
        for cap in drop:
            sys_call("prctl", PR_CAPBSET_DROP, cap, 0, 0, 0)
    return setup


def stolen(fd):
    """A descriptor that is out of the way."""
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(fd)
    return high


class Holder:
    """A store, filled and emptied by what daemons say."""

    def __init__(self, lab):
        self.lab, self.held, self.said, self.lock = lab, [], [], threading.Lock()
        self.wrong = []			# what no daemon should have said
        self.path = "/run/notify"
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o777)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            text, fds, _, _ = socket.recv_fds(self.sock, 8192, SOME)
            lines = dict(line.split("=", 1) for line in text.decode().split("\n") if "=" in line)
            with self.lock:
                for fd in fds:
                    self.add(lines.get("FDNAME", "stored"), stolen(fd))
                if "FDSTORE" in lines and (len(fds), lines.get("FDPOLL")) != (1, "0"):
                    self.wrong.append((lines, len(fds)))
                if "FDSTOREREMOVE" in lines:
                    self.forget(lines["FDNAME"])
                self.said.append(lines)

    def add(self, name, fd):
        """One that is there already is not taken twice, as systemd has it.  One name, one file: who takes one back
        means no other."""
        for n, other in self.held:
            if os.path.samestat(os.fstat(fd), os.fstat(other)):
                os.close(fd)
                return
            if n == name:
                self.wrong.append(f"{name} twice")
        self.held.append((name, fd))

    def forget(self, *names):
        for name, fd in self.held:
            if name in names:
                os.close(fd)
        self.held = [(name, fd) for name, fd in self.held if name not in names]

    def names(self):
        with self.lock:
            return sorted(name for name, _ in self.held)

    def ready(self):
        """How often somebody has been ready."""
        with self.lock:
            return sum("READY" in lines for lines in self.said)

    def start(self, conf, *options, held=None, ready=True, drop=(), **kw):
        """A daemon that gets what is held, or this, and tells us what it has."""
        times = self.ready()
        with self.lock:
            setup = give(self.held if held is None else held, self.path, drop)
        d = Daemon(self.lab, conf, options, setup=setup, ready=ready, **kw)
        if ready:
            wait_until(lambda: self.ready() > times or d.proc.poll() is not None, "READY=1")
            same((d.proc.poll(), self.wrong), (None, []), "the daemon's exit status, and what it said")
        return d

    def kill(self, d):
        self.end(d, signal.SIGKILL)

    def end(self, d, sig):
        d.proc.send_signal(sig)
        same(d.wait(), 0 if sig == signal.SIGTERM else -sig, "exit status")
        if os.path.exists(d.pid_file):
            os.unlink(d.pid_file)		# by which Daemon sees the next one
        self.lab.procs.remove(d)

    def close(self):
        """Lets go of all."""
        with self.lock:
            self.forget(*(name for name, _ in self.held))
