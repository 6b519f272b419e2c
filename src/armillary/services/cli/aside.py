"""What is said beside the answer, on stderr; that nobody reads it ends no work."""

import os
import sys
from typing import Any


def say(text: str) -> None:
    """Print a line on stderr, and nothing more once its reader has gone."""
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the command line
    except BrokenPipeError:
        silence(sys.stderr)


def silence(stream: Any) -> None:
    """Let a stream whose reader has gone lead nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
