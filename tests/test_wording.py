import pytest

from latax._errors import ConfigError
from latax._wording import counted, did_you_mean, listed, look_up, row_name

HEIGHTS = {"Olympus": 2918, "Ossa": 1978}


def test_a_look_up_says_what_there_is():
    assert look_up(HEIGHTS, "Ossa", "mountain") == 1978
    with pytest.raises(ConfigError) as raised:
        look_up(HEIGHTS, "olympos", "mountain", "Or give a height.")
    assert str(raised.value) == (
        "there is no mountain 'olympos'. Did you mean 'Olympus'? There are Olympus, Ossa. Or give a height."
    )


def test_nothing_is_near_a_name_unlike_all():
    assert did_you_mean("Pelion", HEIGHTS) == ""
    assert did_you_mean("OSSA", HEIGHTS) == " Did you mean 'Ossa'?"


def test_lists_are_cut_and_counts_agree():
    assert listed("abc") == "a, b, c"
    assert listed("abcd", most=2) == "a, b, ... (2 more)"
    assert [counted(1, "row"), counted(3, "row"), counted(2, "axis", "axes")] == ["1 row", "3 rows", "2 axes"]


def test_rows_are_called_by_their_labels():
    assert row_name(3, ("a", "b", "c", "subject d"), "sequence") == "sequence 'subject d'"
    assert row_name(3, (), "sample") == "sample 3 (the first sample is 0)"
