"""ONNX graphs put together node by node, for models that no converter takes as they are."""

from importlib import import_module
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
#: What a graph gives out: what is given out under a name, its type, and its shape after the first.
Outputs = dict[str, tuple[str, Any, list[Any]]]
#: Type and shape of what goes in or out under a name.
Ends = dict[str, tuple[Any, list[Any]]]
#: Opsets of the files: what onnxruntime of 2023 and later reads.
OPSETS: Final = {"": 18, "ai.onnx.ml": 3}


class Drawing:
    """A graph in the making: its nodes and constants.

    Parameters
    ----------
    prefix : str
        Of all names in it.
    """

    def __init__(self, prefix: str = "") -> None:
        self.onnx: Any = import_module("onnx")
        self.prefix = prefix
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: "str | Array", outputs: int = 1, domain: str = "", **attributes: Any) -> Any:
        """Add a node; arrays among its inputs become constants.

        Returns
        -------
        str or list of str
            Name of what it gives; a list if there are several.
        """
        names = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        made = [f"{self.prefix}{len(self.nodes)}_{at}" for at in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, names, made, domain=domain, **attributes))
        return made[0] if outputs == 1 else made

    def constant(self, value: Array) -> str:
        """Add a constant and give its name."""
        name = f"{self.prefix}c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def cast(self, name: str, kind: Any) -> str:
        """Give the same numbers in another type."""
        return str(self.add("Cast", name, to=self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))))

    def include(self, model: Any, rows: str) -> list[str]:
        """Add a whole model, asked about `rows` of the type it takes, and give the names of its outputs."""
        inner = self.onnx.compose.add_prefix(model, f"{self.prefix}{len(self.nodes)}_").graph
        self.nodes.append(self.onnx.helper.make_node("Identity", [rows], [inner.input[0].name]))
        self.nodes.extend(inner.node)
        self.constants.extend(inner.initializer)
        return [one.name for one in inner.output]

    def part(self, inputs: Ends, outputs: Ends) -> Any:
        """Give what was drawn as a graph, with types and shapes of its ends by name."""
        ends = [[self._end(name, *one) for name, one in side.items()] for side in (inputs, outputs)]
        return self.onnx.helper.make_graph(self.nodes, "graph", *ends, self.constants)

    def model(self, kind: Any, width: int, **outputs: tuple[str, Any, list[Any]]) -> Any:
        """Give what was drawn as a model.

        Parameters
        ----------
        kind : dtype
            Of the input ``rows``.
        width : int
            Its columns.
        **outputs : (str, dtype, list)
            What is given out under this name, its type, and its shape after the first.
        """
        for name, (made, _, _) in outputs.items():
            self.nodes.append(self.onnx.helper.make_node("Identity", [made], [name]))
        given = {name: (one[1], [None, *one[2]]) for name, one in outputs.items()}
        graph = self.part({"rows": (kind, [None, width])}, given)
        imports = [self.onnx.helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        return self.onnx.helper.make_model(graph, opset_imports=imports, ir_version=8)

    def _end(self, name: str, kind: Any, shape: list[Any]) -> Any:
        return self.onnx.helper.make_tensor_value_info(
            name, self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape
        )


def label_of(drawing: Drawing, scores: str) -> str:
    """Add the number of the largest score of each row; of equal ones the first."""
    return str(drawing.add("ArgMax", scores, axis=1, keepdims=0))


def kind_of(model: Any) -> Any:
    """Give the type of the rows that a model takes."""
    onnx: Any = import_module("onnx")
    return onnx.helper.tensor_dtype_to_np_dtype(model.graph.input[0].type.tensor_type.elem_type)
