"""What the workbench's routes cost over a real connection: ``python benchmarks/bench_desk.py``."""

import statistics
import tempfile
import threading
import time

import httpx
import uvicorn

from armillary.services.desk import open as open_desk
from armillary.services.web import build_app
from armillary.services.web.server import listen

VIEW = [("request", f"product=simulated/wind/{name}") for name in ("b_gse", "v_gse", "density", "temperature")]
ASKED = {
    "a view of four products, a week": ("/api/view", [*VIEW, ("start", "2020-01-05"), ("stop", "2020-01-12")]),
    "a view of four products, a year": ("/api/view", [*VIEW, ("start", "2020-01-01"), ("stop", "2021-01-01")]),
    "a search": ("/api/search", [("words", "magnetic field")]),
    "a branch of the tree": ("/api/tree", [("path", "simulated/wind")]),
    "the page": ("/", []),
}


def measure(client: httpx.Client, path: str, pairs: list[tuple[str, str]], repeat: int = 7) -> tuple[float, float, int]:
    """Give milliseconds of the first answer, the median of the later ones, and their bytes."""
    taken, size = [], 0
    for _ in range(repeat):
        begun = time.perf_counter()
        size = len(client.get(path, params=pairs).raise_for_status().content)
        taken.append((time.perf_counter() - begun) * 1e3)
    return taken[0], statistics.median(taken[1:]), size


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        listener = listen("127.0.0.1", 0)
        server = uvicorn.Server(uvicorn.Config(build_app(open_desk(home=home)), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=120) as client:
            for name, (path, pairs) in ASKED.items():
                first, later, size = measure(client, path, pairs)
                print(f"{name:36} first {first:8.1f} ms, then {later:7.1f} ms, {size / 1e3:8.1f} kB")
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
