"""Tests that count themselves: a battery of which a part was skipped, lost or looked at nothing is not green."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, TypeVar

B = TypeVar("B", bound="Battery")


class Battery:
    """A class of tests, each of which says how many cases it looked at.

    Attributes
    ----------
    lacks : frozenset of str
        What there is none of, said by the author, so that no test passes unnoticed by looking at nothing.
    promises : int
        How many tests the battery has.
    ran : dict of str to int
        The tests that were passed in this process, and how many cases each looked at.
    """

    lacks: ClassVar[frozenset[str]] = frozenset()
    promises: ClassVar[int] = 0
    ran: ClassVar[dict[str, int]] = {}
    _open: ClassVar[ExitStack]

    @classmethod
    def setup_class(cls) -> None:
        """Open what the tests look at."""
        cls.ran = {}
        with ExitStack() as stack:
            state = Path(stack.enter_context(TemporaryDirectory(prefix="armillary-contract-")))
            stack.enter_context(cls.prepared(state))
            cls._open = stack.pop_all()

    @classmethod
    def teardown_class(cls) -> None:
        """Close it again."""
        cls._open.close()

    @classmethod
    @contextmanager
    def prepared(cls, state: Path) -> Iterator[None]:
        """Have what the tests look at ready while they run; `state` is an empty folder."""
        del state
        yield

    def count(self) -> None:
        """Count: every test of the battery was passed, here and now, and looked at something."""
        kept = [name for name in dir(type(self)) if hasattr(getattr(type(self), name), "promise")]
        assert len(kept) == self.promises, (
            f"{type(self).__name__} has {len(kept)} of {self.promises} tests of its contract: do not replace them"
        )
        for name in kept:
            if name not in self.ran:  # not asked for, or run by another worker: it is made up for
                _make_up(self, name)
        assert set(kept) <= set(self.ran)


def promise(needs: str = "") -> Callable[[Callable[[B], int]], Callable[[B], None]]:
    """Turn a method that gives the number of cases it looked at into a test.

    Parameters
    ----------
    needs : str
        What must be there for it; where there is none the author says so in `Battery.lacks`.
    """

    def build(method: Callable[[B], int]) -> Callable[[B], None]:
        @wraps(method)
        def test(self: B) -> None:
            looked_at = method(self)
            _judge(looked_at, needs, self.lacks)
            type(self).ran[method.__name__] = looked_at

        test.promise = needs  # type: ignore[attr-defined]
        return test

    return build


def _judge(looked_at: int, needs: str, lacks: frozenset[str]) -> None:
    if looked_at:
        assert needs not in lacks or not needs, f"the contract says that there is no {needs!r}, but there is"
    else:
        assert needs, "the test looked at nothing: is the inventory empty?"
        assert needs in lacks, f"the test found no {needs!r} to look at; if that is right, put {needs!r} into `lacks`"


def _make_up(battery: Any, name: str) -> None:
    try:
        getattr(battery, name)()
    except Exception:
        raise
    except BaseException as outcome:  # pytest's skip is no Exception
        if type(outcome).__name__ == "Skipped":
            raise AssertionError(f"{name} was skipped: {outcome}") from None
        raise
