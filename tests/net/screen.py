# SPDX-License-Identifier: ISC
#
# Terminals for programs that are tested.
import os

from lab import Skip


def open_terminal():
    """(our end, the program's end).  A plain chroot has no /dev/pts to make one of."""
    try:
        return os.openpty()
    except OSError as e:
        raise Skip(f"no terminal can be had here: {e.strerror}") from None
