"""The original MATLAB files of the gait data: `SubjectN.mat` with a struct `s`, whose `Data` are the strides.

`s.Data(j)` has, among others, `Task` and `Ang`, 12 angles in degrees by the points of a stride.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from latax._errors import DataError, FileError
from latax.data.damage import damage_reported

_TASK = "Walking"
_ROWS = (3, 6, 9)  # HipFlx, KneeFlx, AnkleFlx, counted from 0.
_ANGLES = 12


def read_subjects(path: Path) -> tuple[Float[np.ndarray, "N 3 T"], Int[np.ndarray, " N"]]:
    """The walking strides, in rad, of one file or of all of a folder, and the number of the subject of each.

    Raises `FileError` for a folder without such files and for a file that is damaged or of MATLAB's version 7.3, and
    `DataError` for one without the struct that is described above, or without walking strides.
    """
    files = sorted(path.glob("*.mat"), key=_number) if path.is_dir() else [path]
    if not files:
        raise FileError(f"the folder {path} holds no .mat files; expected Subject1.mat, Subject2.mat, ...")
    strides, subjects = [], []
    for file in files:
        found = _strides(file)
        strides += found
        subjects += [_number(file)] * len(found)
    if not strides:
        raise DataError(f"{path} holds no strides of the task '{_TASK}'.")
    if len(lengths := {stride.shape[1] for stride in strides}) > 1:
        raise DataError(f"{path}: strides have {sorted(lengths)} points; expected the same number for all.")
    return np.stack(strides), np.array(subjects)


def _number(file: Path) -> int:
    digits = re.findall(r"\d+", file.stem)
    return int(digits[-1]) if digits else 0


def _strides(file: Path) -> list[Float[np.ndarray, "3 T"]]:
    from scipy.io import loadmat

    try:
        with damage_reported(file, "MATLAB", (OSError, ValueError, TypeError, EOFError, IndexError)):
            content = loadmat(file, squeeze_me=True, struct_as_record=False)
    except NotImplementedError as error:
        raise FileError(f"{file} is of MATLAB's version 7.3. Load it in MATLAB and save it with '-v7'.") from error
    records = np.atleast_1d(getattr(content.get("s"), "Data", np.zeros(0)))
    if not records.size:
        raise DataError(f"{file} holds no struct 's' with strides in 's.Data'; expected a SubjectN.mat as published.")
    return [_angles(record, file) for record in records if getattr(record, "Task", None) == _TASK]


def _angles(record: Any, file: Path) -> Float[np.ndarray, "3 T"]:
    angles = np.asarray(getattr(record, "Ang", np.zeros(0)), float)
    if angles.ndim != 2 or len(angles) != _ANGLES:
        raise DataError(f"{file}: 'Ang' of a stride has shape {angles.shape}; expected {_ANGLES} angles by time.")
    return np.radians(angles[list(_ROWS)])
