"""What engines say where the disk is full or refuses, as the system's own error."""

import errno
import os

_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def raise_refusal(said: str) -> None:
    """Raise OSError, as a write of our own would, where a program that failed says that its disk
    is full or refuses: that is no fault of the templates or of the program."""
    for number in _REFUSALS:
        # Pandoc puts "resource exhausted" in front, which it also says of memory and open files.
        if os.strerror(number) in said:
            raise OSError(number, os.strerror(number))
