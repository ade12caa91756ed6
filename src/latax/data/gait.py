"""Walking strides: hip, knee and ankle flexion in the sagittal plane over one stride, from the user's own copy.

T. Lencioni et al., "Human kinematic, kinetic and EMG data during different walking and stair ascending and descending
tasks" (Scientific Data 2019, doi 10.1038/s41597-019-0323-z, figshare collection 4494755). The data are not distributed
with latax. Strides of one subject resemble one another, so parts are made by subject where subjects are known.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from latax._errors import DataError, FileError
from latax._wording import counted, listed
from latax.data.damage import damage_reported
from latax.data.samples import Samples, check_finite
from latax.data.split import split

JOINTS = ("hip", "knee", "ankle")
PARTS = ("train", "valid", "test")


def load(path: str | Path, *, fractions: Sequence[float] = (0.7, 0.15, 0.15), seed: int = 0) -> dict[str, Samples]:
    """The parts "train", "valid" and "test": X (N, T·3), angles in rad, of sample shape (T, 3), joints as `JOINTS`.

    `times` is the share of the stride, 0 to 1. `path` is one of

    - a .npz with arrays `train`, `valid` and `test`, which are the parts as they are;
    - a .npy, or a .npz with one array, of strides, and in a .npz perhaps `subject`, one label per stride;
    - a folder of the original `SubjectN.mat`, or one of them, of which the strides of the task "Walking" are taken.

    Arrays are (N, 3, T) or (N, T, 3). The latter two are split into `fractions`: by subject, or, where at most two are
    known, by stride; each part's `origin` says how, and its `truth` has `subject` (N,) where it is known.
    Raises `FileError` for a missing or damaged file and `DataError` for contents of another kind.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileError(f"{path} does not exist; give the folder of SubjectN.mat files, or a .npz or .npy of strides.")
    if path.is_dir() or path.suffix == ".mat":
        from latax.data.gait_matlab import read_subjects

        return _split(*read_subjects(path), path, fractions, seed)
    arrays = _arrays(path)
    if set(PARTS) <= set(arrays):
        how = "the parts of the file; whether a subject is in several of them is not known"
        return {part: _samples(arrays[part], None, f"{path}, {part}: {how}") for part in PARTS}
    subject = arrays.pop("subject", None)
    if len(arrays) != 1:
        raise DataError(
            f"{path} holds {listed(arrays) or 'no strides'}; expected arrays named train, valid and test, or one array "
            "of strides and perhaps 'subject'."
        )
    return _split(next(iter(arrays.values())), subject, path, fractions, seed)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if path.suffix not in (".npz", ".npy"):
        raise FileError(f"{path} is no file of strides that latax knows; give .npz, .npy, .mat or a folder of .mat.")
    with damage_reported(path, path.suffix, (OSError, ValueError, EOFError, KeyError)):
        found = np.load(path, allow_pickle=False)
        return {"strides": found} if isinstance(found, np.ndarray) else {name: found[name] for name in found.files}


def _split(
    strides: np.ndarray,
    subject: Shaped[np.ndarray, " N"] | None,
    path: Path,
    fractions: Sequence[float],
    seed: int,
) -> dict[str, Samples]:
    by_subject = subject is not None and len(np.unique(subject)) >= len(PARTS)
    parts = split(len(strides), fractions, seed=seed, groups=subject if by_subject else None)
    how = "split by subject" if by_subject else "split by stride, so that a subject may be in several parts"
    whole = _samples(strides, subject, f"{path}: {how}, seed {seed}")
    return {name: whole.take(rows) for name, rows in zip(PARTS, parts, strict=True)}


def _samples(strides: np.ndarray, subject: Shaped[np.ndarray, " N"] | None, origin: str) -> Samples:
    angles = _time_by_joint(strides, origin)
    count, length, _ = angles.shape
    share = np.linspace(0.0, 1.0, length)
    truth: Mapping[str, np.ndarray] = {} if subject is None else {"subject": subject}
    samples = Samples(
        angles.reshape(count, -1),
        feature_names=tuple(f"{joint} t={t:g}" for t in share for joint in JOINTS),
        sample_shape=(length, len(JOINTS)),
        origin=f"{origin} ({counted(count, 'stride')}, rad)",
        times=share,
        truth=truth,
        groups=subject,
    )
    check_finite(samples)
    greatest = float(np.abs(angles).max(initial=0))
    if greatest > 2 * np.pi:
        raise DataError(
            f"{origin}: an angle is {greatest:.3g}, more than a whole turn in rad. Are these degrees? Convert them, "
            "numpy.deg2rad(strides)."
        )
    return samples


def _time_by_joint(strides: np.ndarray, what: str) -> Float[np.ndarray, "N T 3"]:
    joints = len(JOINTS)
    if strides.ndim != 3 or joints not in strides.shape[1:] or strides.dtype.kind not in "fiu":
        raise DataError(
            f"{what}: an array of shape {strides.shape} and type {strides.dtype}; expected strides of shape (N, 3, T) "
            f"or (N, T, 3), the three angles {listed(JOINTS)} in rad."
        )
    angles = strides if strides.shape[2] == joints else strides.transpose(0, 2, 1)
    return np.ascontiguousarray(angles, np.float32 if angles.dtype == np.float32 else np.float64)
