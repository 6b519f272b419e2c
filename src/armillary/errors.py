"""The one tree of errors. Every message says what is wrong and what to do next.

::

    ArmillaryError
    ├── Unknown              the thing named does not exist (also a LookupError)
    │   ├── UnknownProduct
    │   ├── UnknownArchive
    │   ├── UnknownCatalogue
    │   └── UnknownJob
    ├── BadRequest           the question cannot be asked like this (also a ValueError)
    │   ├── BadTime
    │   ├── BadExtent
    │   ├── BadParameter
    │   └── BadPredicate
    ├── NoData               the question is fine, nothing lies inside its extent
    ├── SourceFailed         an archive did not do its part
    │   ├── SourceDown       no connection, or no answer in time
    │   └── BadAnswer        an answer that is wrong, cut short or not understood
    ├── DamagedFile          a file that cannot be read
    ├── BadData              data that do not keep the promise of their kind
    ├── CannotWrite          the result could not be saved; nothing was left half-written (also an OSError)
    ├── Conflict             somebody else changed the same thing first
    ├── MissingExtra         an optional package is needed (also an ImportError)
    ├── BrokenPlugin         a mission plugin that cannot be used
    ├── JobFailed            a job ended without a result
    └── Cancelled            the user asked to stop
"""

from typing import Final


class ArmillaryError(Exception):
    """Something the user can act on.

    Parameters
    ----------
    problem : str
        What is wrong, naming the thing, on one line.
    next_step : str
        What to do about it, on one line.
    """

    def __init__(self, problem: str, next_step: str) -> None:
        super().__init__(problem, next_step)
        self.problem = one_line(problem)
        self.next_step = one_line(next_step)

    def __str__(self) -> str:
        return f"{self.problem.rstrip('.')}. Next step: {self.next_step}"


class Unknown(ArmillaryError, LookupError):
    """The thing named does not exist."""


class UnknownProduct(Unknown):
    """No leaf of the tree has this path."""


class UnknownArchive(Unknown):
    """No archive has this name."""


class UnknownCatalogue(Unknown):
    """No catalogue, or no row of one, has this name."""


class UnknownJob(Unknown):
    """No job has this number."""


class BadRequest(ArmillaryError, ValueError):
    """The question cannot be asked like this."""


class BadTime(BadRequest):
    """A text that is not a time."""


class BadExtent(BadRequest):
    """An extent that is empty, reversed or does not fit the product."""


class BadParameter(BadRequest):
    """A parameter that the product does not have, or a value it cannot take."""


class BadPredicate(BadRequest):
    """A ``where`` text that is not understood or names an unknown column."""


class NoData(ArmillaryError):
    """The question is fine, but nothing lies inside its extent."""


class SourceFailed(ArmillaryError):
    """An archive did not do its part."""


class SourceDown(SourceFailed):
    """No connection to the archive, or no answer in time."""


class BadAnswer(SourceFailed):
    """The archive answered with something wrong, cut short or not understood."""


class DamagedFile(ArmillaryError):
    """A file that cannot be read."""


class BadData(ArmillaryError):
    """Data that do not keep the promise of their kind."""


class CannotWrite(ArmillaryError, OSError):
    """The result could not be saved; nothing was left half-written."""


class Conflict(ArmillaryError):
    """Somebody else changed the same thing first."""


class MissingExtra(ArmillaryError, ImportError):
    """An optional package is needed and not installed."""


class BrokenPlugin(ArmillaryError):
    """A mission plugin that cannot be used."""


class JobFailed(ArmillaryError):
    """A job ended without a result."""


class Cancelled(ArmillaryError):
    """The user asked to stop."""


#: The HTTP status of each error; a subclass that is not listed has its parent's.
HTTP_STATUS: Final[dict[type[ArmillaryError], int]] = {
    Unknown: 404,
    BadRequest: 400,
    NoData: 404,
    SourceFailed: 502,
    SourceDown: 504,
    DamagedFile: 422,
    BadData: 502,
    CannotWrite: 507,
    Conflict: 409,
    MissingExtra: 501,
    BrokenPlugin: 500,
    JobFailed: 500,
    Cancelled: 499,
}


def one_line(text: str) -> str:
    """Fold white space and line ends, so that an error stays one line in a terminal and a log."""
    return " ".join(text.split())


def http_status(error: ArmillaryError) -> int:
    """Give the HTTP status for an error, by the nearest listed class.

    Examples
    --------
    >>> http_status(UnknownProduct("no product 'x'", "look in the tree"))
    404
    """
    return next((HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS), 500)


def to_record(error: BaseException) -> dict[str, str]:
    """Turn an error into plain strings, for a job row or an HTTP answer."""
    if isinstance(error, ArmillaryError):
        return {"error": type(error).__name__, "problem": error.problem, "next_step": error.next_step}
    problem = one_line(f"unexpected {type(error).__name__}: {error}")
    return {"error": "ArmillaryError", "problem": problem, "next_step": "report this with the log of the job"}


def from_record(record: dict[str, str]) -> ArmillaryError:
    """Rebuild the error that :func:`to_record` wrote; an unknown class becomes an `ArmillaryError`."""
    kind = globals().get(record.get("error", ""), ArmillaryError)
    known = isinstance(kind, type) and issubclass(kind, ArmillaryError)
    return (kind if known else ArmillaryError)(record.get("problem", "unknown"), record.get("next_step", "see the log"))
