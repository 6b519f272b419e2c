"""`import armillary` is light, and the public door is what the list says."""

import json
import subprocess
import sys

import armillary

#: What `import armillary` and the tree command may load beside the standard library.
HEAVY = {
    "astropy", "cdflib", "dask", "distributed", "fastapi", "h5netcdf", "h5py", "httpx", "matplotlib", "pandas",
    "pyarrow", "rasterio", "scipy", "sklearn", "starlette", "torch", "uvicorn", "xarray", "zarr",
}  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    code = (
        f"import sys, json, threading; {statement}; print(json.dumps([sorted(sys.modules), threading.active_count()]))"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    modules, threads = json.loads(out)
    assert threads == 1
    return {name.partition(".")[0] for name in modules}


def test_import_loads_nothing_but_the_standard_library() -> None:
    ours = loaded_by("import armillary")
    assert ours - loaded_by("pass") - set(sys.stdlib_module_names) <= {"armillary"}


def test_the_nouns_need_numpy_only() -> None:
    assert not loaded_by("import armillary.model") & HEAVY


def test_every_public_name_exists_and_is_listed() -> None:
    assert sorted(armillary.__all__) == armillary.__all__
    assert len(armillary.__all__) <= 30
    assert set(armillary.__all__) == set(armillary._HOMES)
    for name in armillary.__all__:
        assert getattr(armillary, name) is not None
