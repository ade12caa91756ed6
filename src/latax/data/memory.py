"""How much memory there is, and whether an array should be read whole or by blocks."""

import os
from pathlib import Path
from typing import Literal

from latax._errors import DataError

Lazy = bool | Literal["auto"]

# Beyond this share of the available memory an array is left in its file: training needs room for copies of its own.
SHARE = 0.5


def available_memory() -> int:
    """Bytes that can be used without swapping, within the limit of the container if there is one."""
    try:
        meminfo = Path("/proc/meminfo").read_text()
        free = next(int(line.split()[1]) * 1024 for line in meminfo.splitlines() if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):
        return free
    return max(0, min(free, limit - used))


def should_be_lazy(nbytes: int, lazy: Lazy) -> bool:
    """Whether an array of this size stays in its file: as asked for, or with "auto" beyond half the free memory."""
    return nbytes > SHARE * available_memory() if lazy == "auto" else lazy


def require_memory(nbytes: int, what: str) -> None:
    """Raise `DataError` before something is read whole that cannot fit."""
    free = available_memory()
    if nbytes > free:
        raise DataError(
            f"{what} needs about {nbytes / 2**30:.1f} GiB of memory, and {free / 2**30:.1f} GiB are free; this kind of "
            "file has to be read whole. Convert it to .npy, HDF5 or Zarr, which latax reads by blocks of rows."
        )
