"""Models on disk: written and read by skops, never by pickle, and only with the types listed here."""

import os
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadData, BadParameter, CannotWrite, DamagedFile, MissingExtra

if TYPE_CHECKING:
    from armillary.learn.models.learner import Learner

#: Names types of your own models, apart by commas, that files may hold.
TRUST: Final = "ARMILLARY_TRUST"
#: Types that a model file may hold beside those that skops knows to be harmless. A new model adds its own here.
TYPES: Final = (
    "armillary.learn.models.learner.Learner",
    "armillary.learn.models.negatives.NegativeSampling",
    "armillary.learn.models.neighbours.Distances",
    "armillary.learn.models.network.Network",
    "armillary.learn.models.novelty.DEMUD",
    "armillary.learn.models.novelty.PCAResidual",
    "armillary.learn.models.novelty.RX",
    "armillary.learn.models.residual.Residual",
    "armillary.learn.models.surroundings.LRX",
    "armillary.learn.models.voting.Ensemble",
    "collections.OrderedDict",
    "collections.defaultdict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
)


def save(model: "Learner", path: Path, trust: Iterable[str] = ()) -> None:
    """Write a model to a file, all of it or nothing.

    Parameters
    ----------
    model : Learner
        As :func:`armillary.learn.models.make_model` gives it, fitted.
    path : Path
    trust : iterable of str
        Types of a model of your own, "package.module.Class"; `load` must be told them again.

    Raises
    ------
    BadParameter
        If a model of ours holds a type that `load` would refuse. One of your own, named ``package.module:Class``, is
        written as it is.
    CannotWrite
    """
    sio = _skops()
    content: bytes = sio.dumps(model, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    foreign = _foreign(sio, content, trust)
    if foreign and ":" not in model.use:
        hint = f"save and load it with trust=[{', '.join(map(repr, foreign))}], or add it to TYPES"
        raise BadParameter(f"the model holds the type {foreign[0]}, which could not be loaded again", hint)
    write_whole(content, path)


def load(path: Path, trust: Iterable[str] = ()) -> "Learner":
    """Read a model that `save` wrote.

    Parameters
    ----------
    path : Path
    trust : iterable of str
        Types of a model of your own that may be in the file, "package.module.Class"; those that the variable of the
        environment `TRUST` names, apart by commas, may be too.

    Raises
    ------
    DamagedFile
        If it is no model file.
    BadData
        If it holds a type that is not trusted; nothing of it has been made then.
    """
    from armillary.learn.models.learner import Learner

    sio = _skops()
    trust = [*trust, *(one.strip() for one in os.environ.get(TRUST, "").split(",") if one.strip())]
    try:
        content = path.read_bytes()
    except OSError as failed:
        raise DamagedFile(f"cannot read the model {path}: {failed.strerror}", "give the path of a model file") from None
    try:
        foreign = _foreign(sio, content, trust)
    except Exception as failed:
        raise DamagedFile(
            f"{path} is no model file of skops", "pickles are never read; train the model again"
        ) from failed
    if foreign:
        hint = f"if you know who wrote it and trust that: set {TRUST}={','.join(foreign)}"
        raise BadData(f"{path} holds the type {foreign[0]}, which is not trusted", hint)
    try:
        model = sio.loads(content, trusted=[*TYPES, *trust])
    except Exception as failed:
        hint = "train it again with the installed versions"
        raise DamagedFile(f"the model {path} cannot be put together: {failed}", hint) from failed
    if not isinstance(model, Learner):
        raise BadData(f"{path} holds a {type(model).__name__}, no model", "give a file that save wrote")
    return model


def _foreign(sio: Any, content: bytes, trust: Iterable[str]) -> list[str]:
    return sorted(set(sio.get_untrusted_types(data=content)) - set(TYPES) - set(trust))


def _skops() -> Any:
    try:
        import skops.io
    except ModuleNotFoundError as failed:
        raise MissingExtra(f"model files need {failed.name}", "pip install 'armillary[learn]'") from failed
    return skops.io


def write_whole(content: bytes, path: Path) -> None:
    """Write a file, all of it or nothing.

    Raises
    ------
    CannotWrite
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as failed:
        raise CannotWrite(f"cannot write {path}: {failed.strerror}", "choose a folder you may write to") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
    except OSError as failed:
        raise CannotWrite(f"cannot write {path}: {failed.strerror}", "make room on the disk") from None
    finally:
        Path(aside).unlink(missing_ok=True)
