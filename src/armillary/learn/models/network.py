"""A small network by torch: a perceptron over columns, or convolutions over a series laid flat in columns."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.models.trees import by_task

Array = np.ndarray[Any, np.dtype[Any]]


def network(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make a small network; options of `Network`."""
    import_module("torch")
    by_task("network", task, Network, Network)
    return Network(task=task, seed=seed, **options)


class Network:
    """A network of a few layers, learnt with one thread; its weights are kept as plain arrays.

    Parameters
    ----------
    task : str
    seed : int
    hidden : sequence of int
        Widths of the layers; of the filters where there are channels.
    channels : int
        If not 0, columns are a series: ``channels`` rows of equal length one after the other.
    width : int
        Of the convolution filters.
    epochs, batch : int
        Few rows are cut into smaller batches.
    rate, decay, drop : float
        Highest learning rate (one cycle), weight decay, dropout of hidden values.
    """

    def __init__(
        self,
        task: str,
        seed: int,
        *,
        hidden: Sequence[int] = (128, 64),
        channels: int = 0,
        width: int = 7,
        epochs: int = 30,
        batch: int = 256,
        rate: float = 3e-3,
        decay: float = 1e-3,
        drop: float = 0.1,
    ) -> None:
        self.task = task
        self.seed = seed
        self.hidden = [int(one) for one in hidden]
        self.channels = int(channels)
        self.width = int(width)
        self.epochs = int(epochs)
        self.batch = int(batch)
        self.rate = float(rate)
        self.decay = float(decay)
        self.drop = float(drop)

    def fit(self, x: Array, y: Array, sample_weight: Array | None = None) -> "Network":
        """Learn from full rows; `history_` has one plain record an epoch."""
        torch: Any = import_module("torch")
        if self.channels and x.shape[1] % self.channels:
            problem = f"model 'network': {x.shape[1]} columns are not {self.channels} series of equal length"
            raise BadParameter(problem, "give the number of channels that the feature step made")
        weight = np.ones(len(x)) if sample_weight is None else sample_weight
        self.inputs_ = int(x.shape[1])
        self.outputs_ = 1 if self.task == "regression" else int(y.max()) + 1
        kind = np.float32 if self.task == "regression" else np.int64
        rows = [
            torch.from_numpy(np.ascontiguousarray(one)) for one in (x.astype("f4"), y.astype(kind), weight.astype("f4"))
        ]
        with _one_thread(torch), torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = self._net(torch)
            self.history_ = self._learn(torch, net, *rows)
        self.weights_ = {name: one.detach().numpy().copy() for name, one in net.state_dict().items()}
        return self

    def predict_proba(self, x: Array) -> Array:
        """Give the probability of each class, (n, K)."""
        logits = self._answers(x)
        grown = np.exp(logits - logits.max(axis=1, keepdims=True))
        probability: Array = grown / grown.sum(axis=1, keepdims=True)
        return probability

    def predict(self, x: Array) -> Array:
        """Give the number, or the code of the most probable class."""
        answers = self._answers(x)
        chosen: Array = answers[:, 0] if self.task == "regression" else np.argmax(answers, axis=1)
        return chosen

    def _answers(self, x: Array) -> Array:
        torch: Any = import_module("torch")
        with _one_thread(torch), torch.no_grad():
            net = self._net(torch)
            net.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in self.weights_.items()})
            net.eval()
            parts = [
                net(torch.from_numpy(np.ascontiguousarray(x[at : at + 4096], dtype="f4"))).numpy()
                for at in range(0, len(x), 4096)
            ]
        return np.concatenate(parts).astype(float) if parts else np.empty((0, self.outputs_))

    def _learn(self, torch: Any, net: Any, x: Any, y: Any, weight: Any) -> list[dict[str, float]]:
        batch = min(self.batch, max(16, len(x) // 20))
        steps = self.epochs * -(-len(x) // batch)
        optimiser = torch.optim.AdamW(net.parameters(), lr=self.rate, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, self.rate, total_steps=steps)
        history = []
        for epoch in range(self.epochs):
            total = 0.0
            for rows in torch.randperm(len(x)).split(batch):
                optimiser.zero_grad()
                loss = (self._loss(torch, net(x[rows]), y[rows]) * weight[rows]).mean()
                loss.backward()
                optimiser.step()
                schedule.step()
                total += float(loss.detach()) * len(rows)
            history.append({"epoch": float(epoch), "loss": total / len(x)})
        return history

    def _loss(self, torch: Any, answers: Any, y: Any) -> Any:
        if self.task == "regression":
            return (answers[:, 0] - y) ** 2
        return torch.nn.functional.cross_entropy(answers, y, reduction="none")

    def _net(self, torch: Any) -> Any:
        nn = torch.nn
        layers: list[Any] = []
        if self.channels:
            layers.append(nn.Unflatten(1, (self.channels, -1)))
        before = self.channels or self.inputs_
        for after in self.hidden:
            layers += self._layer(nn, before, after)
            before = after
        if self.channels:
            layers += [nn.AdaptiveAvgPool1d(1), nn.Flatten()]
        return nn.Sequential(*layers, nn.Linear(before, self.outputs_))

    def _layer(self, nn: Any, before: int, after: int) -> list[Any]:
        """Make one layer; rows are normalised each by itself, so that one row is answered as many are."""
        if not self.channels:
            return [nn.Linear(before, after), nn.LayerNorm(after), nn.GELU(), nn.Dropout(self.drop)]
        filters = nn.Conv1d(before, after, self.width, padding=self.width // 2)
        return [filters, nn.GroupNorm(1, after), nn.GELU(), nn.Dropout(self.drop)]


class _one_thread:  # noqa: N801 - read as a verb after `with`
    """Let torch work with one thread for a while."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch

    def __enter__(self) -> None:
        self.before = self.torch.get_num_threads()
        self.torch.set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        self.torch.set_num_threads(self.before)
