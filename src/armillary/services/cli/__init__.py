"""The command ``armillary``: one module a family of commands, put together here."""

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any, Final

from armillary.errors import ArmillaryError, BadRequest, one_line
from armillary.services.cli.aside import say, silence

INTERRUPTED: Final = 130
#: What shells tell of a command whose reader has gone.
PIPE_CLOSED: Final = 141


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status.

    0 is success. 1 is an error, 2 a command line that is not understood, 130 an interrupt; each is told in one line on
    stderr. 141 says that the reader of stdout (``head``) has gone; a closed stderr alone stops nothing. With
    ``ARMILLARY_DEBUG`` set, an error that nobody foresaw shows its traceback too.
    """
    logging.basicConfig(level=logging.WARNING, format="armillary: warning: %(message)s")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = _one_line_warning
            status = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe (head, less) has gone: that is no error of ours, and nobody hears more from us.
        for stream in (sys.stdout, sys.stderr):
            silence(stream)
        status = PIPE_CLOSED
    raise SystemExit(status)


def _run(arguments: list[str]) -> int:
    try:
        from armillary.services.cli.app import build

        words = _archives_first(arguments)
        asked = next((word for word in words if not word.startswith("-")), "")
        status = build(asked)(args=words, prog_name="armillary", standalone_mode=False)
    except ArmillaryError as error:
        return _tell(f"error: {error}", 1)
    except (KeyboardInterrupt, EOFError):
        status = INTERRUPTED
    except SystemExit as end:  # how the parser ends when the reader of a pipe has gone
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        raise
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the user gets one line whatever happened
        return _tell_other(error)
    if status == INTERRUPTED:
        return _tell("stopped; what was finished is kept", INTERRUPTED)
    return int(status or 0)


def _tell_other(error: Exception) -> int:
    """Tell what the parser of the command line says, or an error that nobody foresaw."""
    message = getattr(error, "format_message", None)
    if message is not None:
        place = getattr(getattr(error, "ctx", None), "command_path", "armillary")
        return _tell_usage(str(message()), place)
    if type(error).__name__ == "Abort":
        return _tell("stopped: nothing was done", 1)
    if os.environ.get("ARMILLARY_DEBUG"):
        traceback.print_exception(error)
    what = one_line(f"unexpected {type(error).__name__}: {error}").rstrip(".")
    return _tell(f"error: {what}. Next step: report this with what ARMILLARY_DEBUG=1 shows", 1)


def _tell_usage(message: str, place: str) -> int:
    if not message.strip():  # a group of commands without a command has shown its help
        return 2
    return _tell(f"error: {one_line(message).rstrip('.?')}. Next step: see `{place} --help`", 2)


def _tell(text: str, status: int) -> int:
    say(f"armillary: {text}")
    return status


def _archives_first(arguments: list[str]) -> list[str]:
    """Move ``--archive FOLDER`` before the command, so that it may stand anywhere."""
    first: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--archive":
            first.append(f"--archive={_folder(next(words, ''))}")
        elif word.startswith("--archive="):
            first.append(f"--archive={_folder(word.partition('=')[2])}")
        else:
            rest.append(word)
    return first + rest


def _folder(text: str) -> str:
    if not text or text.startswith("--"):
        raise BadRequest("--archive has no folder", "write --archive FOLDER")
    return text


def _one_line_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, UserWarning):
        say(f"armillary: warning: {one_line(str(message))}")
