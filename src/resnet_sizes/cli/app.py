"""`resnet-sizes`: the command that the rules of the workflow call, and people too."""

import errno
import inspect
import logging
import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes import __version__
from resnet_sizes.cli import study
from resnet_sizes.cli.audit import audit
from resnet_sizes.cli.check_device import LIST, check_device
from resnet_sizes.cli.console import log, result, say, start_logging
from resnet_sizes.cli.data import data, fetch
from resnet_sizes.cli.doctor import doctor
from resnet_sizes.cli.evidence import evidence
from resnet_sizes.cli.forecast import forecast
from resnet_sizes.cli.init import init
from resnet_sizes.cli.report import report
from resnet_sizes.cli.sharing import archive, certificate, compare, trace, verify
from resnet_sizes.cli.status import status
from resnet_sizes.cli.train import train
from resnet_sizes.io.errors import Stopped, UserError

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors of a disk that is full or refuses."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Repeat a published comparison of networks, and print the article from fresh results.",
)
app.add_typer(study.app, name="study")
for command in (
    init, doctor, fetch, data, forecast, train, status, evidence, report, audit,
    trace, archive, verify, compare, certificate,
):  # fmt: skip
    # typer would keep the docstring's ends of lines, whatever the terminal's width.
    help_text = re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.getdoc(command) or "")
    app.command(help=help_text)(command)
app.command(epilog=LIST)(check_device)


def _version(asked: bool) -> None:
    if asked:
        result(__version__)
        raise typer.Exit


@app.callback()
def options(
    log: Annotated[
        Path | None, typer.Option(help="Also write messages and tracebacks to this file.")
    ] = None,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Options of every command stand before its name."""
    start_logging(log)


def main() -> None:
    """Run the command line; a UserError is shown without a traceback. Exit status 1.

    A run that was asked to stop says so and exits with the status of what asked."""
    if sys.getfilesystemencoding() != "utf-8":
        # Such a locale reads names of files, and what other programs say, as other letters. The
        # process stays the same; the mode can only be set before Python starts.
        environment = os.environ | {"PYTHONUTF8": "1"}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
    start_logging(None)
    try:
        app()
    except UserError as error:
        log.error("error: %s", error)
    except Stopped as stopped:
        say(str(stopped))
        logging.shutdown()
        sys.stdout.flush()
        # Without the interpreter's cleanup, which takes seconds once torch is there: whatever
        # asked the run to stop may not wait for it.
        os._exit(stopped.status)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            log.error(
                "error: %s: cannot be used (%s). Free some space or fix the permissions, then run "
                "the same command again.",
                error.filename or "a file",
                error.strerror,
            )
        else:
            log.exception(
                "error: this should not have happened; please report it with these lines:"
            )
    sys.exit(1)
