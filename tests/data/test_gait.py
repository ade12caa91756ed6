import numpy as np
import pytest
from scipy.io import savemat

from latax._errors import DataError, FileError
from latax.data import gait

RNG = np.random.default_rng(0)
STRIDES = RNG.normal(size=(24, 3, 11))


def save_subject(folder, number, tasks, points=11):
    data = np.zeros(len(tasks), dtype=[("Task", object), ("Ang", object), ("speed", object)])
    for i, task in enumerate(tasks):
        data[i] = (task, 10.0 * number + np.arange(12)[:, None] + np.zeros((12, points)), 1.2)
    savemat(folder / f"Subject{number}.mat", {"s": {"Data": data, "name": "x"}})


def test_parts_that_are_in_the_file(tmp_path):
    np.savez(tmp_path / "a.npz", train=STRIDES[:12], valid=STRIDES[12:16], test=STRIDES[16:])
    parts = gait.load(tmp_path / "a.npz")
    assert {name: len(part) for name, part in parts.items()} == {"train": 12, "valid": 4, "test": 8}
    part = parts["valid"]
    assert part.sample_shape == (11, 3)
    np.testing.assert_array_equal(part.X.reshape(4, 11, 3), STRIDES[12:16].transpose(0, 2, 1))
    np.testing.assert_allclose(part.times, np.linspace(0, 1, 11))
    assert part.feature_names[:4] == ("hip t=0", "knee t=0", "ankle t=0", "hip t=0.1")
    assert "whether a subject is in several of them is not known (4 strides, rad)" in part.origin


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_without_subjects_the_split_is_by_stride(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    turned = STRIDES.transpose(0, 2, 1).astype(np.float32)
    np.save(path, turned) if suffix == ".npy" else np.savez(path, strides=turned)
    parts = gait.load(path, fractions=(0.5, 0.25, 0.25))
    assert [len(part) for part in parts.values()] == [12, 6, 6]
    assert parts["train"].X.dtype == np.float32
    assert "split by stride, so that a subject may be in several parts" in parts["train"].origin
    together = np.concatenate([part.X for part in parts.values()])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(turned.reshape(24, -1), axis=0))
    assert np.array_equal(parts["test"].X, gait.load(path, fractions=(0.5, 0.25, 0.25))["test"].X)
    assert not np.array_equal(parts["test"].X, gait.load(path, fractions=(0.5, 0.25, 0.25), seed=1)["test"].X)


def test_with_subjects_no_subject_is_in_two_parts(tmp_path):
    np.savez(tmp_path / "a.npz", x=STRIDES, subject=np.repeat(np.arange(8), 3))
    parts = gait.load(tmp_path / "a.npz")
    subjects = [set(part.truth["subject"].tolist()) for part in parts.values()]
    assert all(subjects)
    assert set.union(*subjects) == set(range(8))
    assert sum(map(len, subjects)) == 8
    assert "split by subject" in parts["test"].origin
    np.savez(tmp_path / "b.npz", x=STRIDES, subject=np.repeat(np.arange(2), 12))
    assert "split by stride" in gait.load(tmp_path / "b.npz")["test"].origin


def test_degrees_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", 30 * STRIDES)
    with pytest.raises(DataError, match=r"an angle is .* more than a whole turn in rad. Are these degrees\?"):
        gait.load(tmp_path / "a.npy")


class TestMatlab:
    def test_walking_strides_in_radians(self, tmp_path):
        for number in (1, 2, 10):
            save_subject(tmp_path, number, ["Walking", "StepUp", "Walking"])
        parts = gait.load(tmp_path)
        by_subject = {int(part.truth["subject"][0]): part for part in parts.values()}
        assert sorted(by_subject) == [1, 2, 10]
        assert [len(part) for part in parts.values()] == [2, 2, 2]
        np.testing.assert_allclose(by_subject[10].X[0, :3], np.radians([103, 106, 109]))

    def test_refusals(self, tmp_path):
        with pytest.raises(FileError, match=r"the folder .* holds no \.mat files; expected Subject1\.mat"):
            gait.load(tmp_path)
        save_subject(tmp_path, 1, ["StepUp", "StepDown"])
        with pytest.raises(DataError, match=r"holds no strides of the task 'Walking'"):
            gait.load(tmp_path)
        save_subject(tmp_path, 2, ["Walking", "Walking"])
        save_subject(tmp_path, 3, ["Walking", "Walking"], points=7)
        with pytest.raises(DataError, match=r"strides have \[7, 11\] points; expected the same number"):
            gait.load(tmp_path)
        savemat(tmp_path / "other.mat", {"a": np.ones(3)})
        with pytest.raises(DataError, match=r"other\.mat holds no struct 's' with strides in 's\.Data'"):
            gait.load(tmp_path / "other.mat")
        (tmp_path / "broken.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
        with pytest.raises(FileError, match=r"broken\.mat cannot be read as MATLAB: it is damaged"):
            gait.load(tmp_path / "broken.mat")


def test_refusals(tmp_path):
    with pytest.raises(FileError, match=r"absent\.npz does not exist; give the folder of SubjectN\.mat files"):
        gait.load(tmp_path / "absent.npz")
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(FileError, match=r"a\.txt is no file of strides that latax knows; give \.npz, \.npy, \.mat"):
        gait.load(tmp_path / "a.txt")
    (tmp_path / "a.npz").write_bytes(b"PK damaged")
    with pytest.raises(FileError, match=r"a\.npz cannot be read as \.npz: it is damaged"):
        gait.load(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", a=STRIDES, b=STRIDES)
    with pytest.raises(DataError, match=r"holds a, b; expected arrays named train, valid and test, or one array"):
        gait.load(tmp_path / "b.npz")
    np.save(tmp_path / "c.npy", np.ones((5, 4, 11)))
    with pytest.raises(DataError, match=r"an array of shape \(5, 4, 11\) and type float64; expected strides of shape"):
        gait.load(tmp_path / "c.npy")
    np.save(tmp_path / "d.npy", np.where(np.arange(33).reshape(1, 3, 11) == 5, np.nan, STRIDES))
    with pytest.raises(DataError, match=r"is not finite everywhere: 24 values NaN"):
        gait.load(tmp_path / "d.npy")
