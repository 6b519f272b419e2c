"""The command ``armillary``: one module a family of commands, put together here."""

import logging
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from armillary.errors import ArmillaryError, one_line


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: errors are one line on stderr and exit status 1, an interrupt is 130."""
    warnings.showwarning = _one_line_warning
    logging.basicConfig(level=logging.WARNING, format="armillary: %(message)s")
    from armillary.services.cli.app import build

    try:
        build()(args=_archives_first(list(sys.argv[1:] if arguments is None else arguments)))
    except ArmillaryError as error:
        print(f"armillary: error: {error}", file=sys.stderr)  # noqa: T201 - this is the command line
        raise SystemExit(1) from None
    except (KeyboardInterrupt, EOFError):
        print("armillary: stopped; what was finished is kept", file=sys.stderr)  # noqa: T201
        raise SystemExit(130) from None
    except BrokenPipeError:
        # The reader of a pipe (head, less) has gone: that is no error of ours.
        sys.stderr.close()
        raise SystemExit(0) from None


def _archives_first(arguments: list[str]) -> list[str]:
    """Move ``--archive FOLDER`` before the command, so that it may stand anywhere."""
    first: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--archive":
            first += [word, next(words, "")]
        elif word.startswith("--archive="):
            first.append(word)
        else:
            rest.append(word)
    return first + rest


def _one_line_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, UserWarning):
        print(f"armillary: warning: {one_line(str(message))}", file=sys.stderr)  # noqa: T201
