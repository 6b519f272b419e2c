"""The notebook of a package, from a text with cells marked as in the "percent" format."""

import json
from collections.abc import Collection, Iterator
from typing import Any, Final

_MARK: Final = "# %%"


def notebook_of(text: str, parts: Collection[str]) -> str:
    r"""Give the JSON of a notebook (nbformat 4.5).

    Parameters
    ----------
    text : str
        Cells, each behind a line ``# %%`` with words: ``[markdown]``, and the name of the part that it belongs to.
    parts : collection of str
        Cells of other parts are left out.

    Examples
    --------
    >>> made = json.loads(notebook_of("# %% [markdown]\n# # Hi\n# %% run\n1 + 1\n# %%\n2\n", ["sed"]))
    >>> [(one["cell_type"], "".join(one["source"])) for one in made["cells"]]
    [('markdown', '# Hi'), ('code', '2')]
    """
    cells = [
        _cell(f"cell-{number:02}", body, is_text="[markdown]" in words)
        for number, (words, body) in enumerate(_cells(text), 1)
        if {*words} <= {"[markdown]", *parts}
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    made = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _cells(text: str) -> Iterator[tuple[list[str], list[str]]]:
    words: list[str] | None = None
    body: list[str] = []
    for line in [*text.splitlines(), _MARK]:
        if not line.startswith(_MARK):
            body.append(line)
            continue
        if words is not None:
            yield words, body
        words, body = line.removeprefix(_MARK).split(), []


def _cell(name: str, body: list[str], *, is_text: bool) -> dict[str, Any]:
    lines = [line.removeprefix("#").removeprefix(" ") for line in body] if is_text else body
    source = "\n".join(lines).strip().splitlines(keepends=True)
    if is_text:
        return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}
    return {"cell_type": "code", "execution_count": None, "id": name, "metadata": {}, "outputs": [], "source": source}
