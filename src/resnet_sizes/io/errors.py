"""The one exception that the command line shows without a traceback."""


class UserError(Exception):
    """A problem that the person at the keyboard can solve.

    The message says what was found and where, what is allowed, and ends with what to do
    next: the key to change, the command to run, or the file to put in place.
    """


class WriteError(UserError):
    """A file cannot be written: the disk is full, or refuses."""


class Stopped(Exception):
    """A run was asked to stop before its end; what it had done is kept where it could be."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        """Exit status of the process."""
