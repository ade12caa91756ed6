"""How much memory there is, and whether an array should be read whole or by blocks."""

import os
from pathlib import Path
from typing import Literal

from latax._errors import DataError

Lazy = bool | Literal["auto"]

# Beyond this share of the available memory an array is left in its file: training needs room for copies of its own.
SHARE = 0.5

_CGROUPS = Path("/sys/fs/cgroup")
_GUESS = 8 * 2**30


def available_memory() -> int:
    """Bytes that can be used without swapping, within the limit of the container or batch job if there is one."""
    free = _free_on_machine()
    room = _room_in_group(_CGROUPS, Path("/proc/self/cgroup"))
    return free if room is None else min(free, room)


def _free_on_machine() -> int:
    try:
        meminfo = Path("/proc/meminfo").read_text()
        return next(int(line.split()[1]) * 1024 for line in meminfo.splitlines() if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # Not Linux.
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError):  # Not a Unix.
        return _GUESS


def _room_in_group(cgroups: Path, membership: Path) -> int | None:
    """What is left of the memory limit of the control group (version 2) of this process; None without a limit.

    Cached file pages count as used there although they are given up on demand, so they are taken off.
    """
    try:
        own = next(line[3:] for line in membership.read_text().splitlines() if line.startswith("0::"))
        group = cgroups / own.lstrip("/")
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return max(0, limit - used + int(stat["inactive_file"]) + int(stat["active_file"]))
    except (OSError, ValueError, KeyError, StopIteration):  # No such group, or its limit is "max".
        return None


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
