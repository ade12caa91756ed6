"""Time the making of solved data: python benchmarks/simulation.py [name ...]

5,000 trajectories of 201 nodes at 201 times, each once, in milliseconds. A released solver takes about an hour and a
half for those of Burgers' equation. Nothing is compiled.
"""

import time
from collections.abc import Callable
from types import ModuleType

from timing import show

from latax.data import allen_cahn, burgers, porous_medium

COUNT = 5000


def make(equation: ModuleType) -> Callable[[], tuple[float, float]]:
    def measure() -> tuple[float, float]:
        start = time.perf_counter()
        equation.make(COUNT, 0)
        return 1e3 * (time.perf_counter() - start), 0.0

    return measure


if __name__ == "__main__":
    show(
        {
            "burgers": (60_000, make(burgers)),
            "allen-cahn": (60_000, make(allen_cahn)),
            "porous medium": (60_000, make(porous_medium)),
        }
    )
