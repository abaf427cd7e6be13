# SPDX-License-Identifier: ISC
#
# An init system that is told by sd_notify(3).
import socket
import threading

from lab import wait_until


class Manager:
    """The socket of a service manager, and the messages so far."""

    def __init__(self, lab, name, **environ):
        self.lab, self.got = lab, []
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("\0" + name[1:] if name[0] == "@" else name)
        threading.Thread(target=self.read, daemon=True).start()
        self.environ = {"NOTIFY_SOCKET": name, **environ}

    def daemon(self, conf, *options, **kw):
        return self.lab.daemon(conf, *options, wrap=("env", *(f"{k}={v}" for k, v in self.environ.items())), **kw)

    def read(self):
        """All the time, as a daemon does not wait long for one who is behind; what is stored is left out, that is the
        business of test_store.py."""
        while True:
            got = dict(line.split("=", 1) for line in self.sock.recv(4096).decode().splitlines())
            if "FDNAME" not in got:
                self.got.append(got)

    def messages(self):
        return self.got

    def wait(self, key):
        """Until a message with that key came; it and what is before it are taken off."""
        def there():
            return next((i for i, m in enumerate(self.messages()) if key in m), None) is not None
        wait_until(there, lambda: f"{key} among {self.got}")
        i = next(i for i, m in enumerate(self.got) if key in m)
        taken, self.got = self.got[:i + 1], self.got[i + 1:]
        return taken
