"""What features are made of: the plain columns of samples that trust looks at beside the features themselves."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.learn.features import Features
from armillary.learn.features.columns import columns, numbers_of
from armillary.learn.samples import RESERVED
from armillary.learn.study import Study

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
#: More columns than this are no inputs but spectra or images, which are looked at by their features.
_MOST: Final = 64
_INPUT: Final = "input {}"


def inputs_of(study: Study, samples: "xr.Dataset") -> tuple[str, ...]:
    """Give the variables that the features of a study are made of, as far as can be told; none if they are too many.

    Those that the options of the feature steps name; if a step names none, the columns of the samples.
    """
    numbers = {
        str(name)
        for name, one in samples.data_vars.items()
        if name not in RESERVED and one.dims[:1] == ("sample",) and one.dtype.kind in "fiub"
    }
    named = [[one for one in dict.fromkeys(texts_in(step.options)) if one in numbers] for step in study.features]
    found = list(dict.fromkeys(one for names in named for one in names))
    if not named or not all(named):
        found = [one for one in dict.fromkeys([*found, *numbers_of(samples)]) if one in numbers]
    width = sum(int(np.prod(samples[one].shape[1:])) for one in found)
    return tuple(found) if width <= _MOST else ()


def with_inputs(features: Features, samples: "xr.Dataset", variables: tuple[str, ...]) -> tuple[Features, list[str]]:
    """Put inputs beside features, and give the names of the columns that are inputs.

    A feature that is an input already stands once.
    """
    if not variables:
        return features, []
    plain = columns(samples, variables)
    at = {name: number for number, name in enumerate(features.names)}
    same = {
        name
        for number, name in enumerate(plain.names)
        if name in at and np.array_equal(features.matrix[:, at[name]], plain.matrix[:, number], equal_nan=True)
    }
    titles = [name if name in same else _INPUT.format(name) for name in plain.names]
    return _beside(features, plain, titles), titles


def like(features: Features, samples: "xr.Dataset", variables: tuple[str, ...], names: tuple[str, ...]) -> Array:
    """Make the same columns of other samples, (n, p)."""
    if len(names) == len(features.names):
        return features.matrix
    plain = columns(samples, variables)
    return _beside(
        features, plain, [one if _INPUT.format(one) not in names else _INPUT.format(one) for one in plain.names]
    ).matrix


def _beside(features: Features, plain: Features, titles: list[str]) -> Features:
    new = [number for number, title in enumerate(titles) if title not in features.names]
    return Features(
        np.concatenate([features.matrix, plain.matrix[:, new]], axis=1),
        (*features.names, *(titles[one] for one in new)),
        (*features.groups, *(plain.groups[one] for one in new)),
    )


def texts_in(value: Any) -> Iterator[str]:
    """Give all texts inside nested values, keys among them: the names of columns are some of them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield str(key)
            yield from texts_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_in(one)
