"""Objects by name: what a user's file makes, wherever it comes from, and nothing that a package did not write."""

from fractions import Fraction

import pytest

from latax._by_name import anywhere, by_name
from latax._errors import ConfigError


def found(name):
    return by_name(name, Fraction, "fraction", "a Fraction")


def test_a_file_may_hold_it_make_it_or_import_what_makes_it(tmp_path):
    (tmp_path / "beside.py").write_text("from fractions import Fraction\n\ndef half():\n    return Fraction(1, 2)\n")
    (tmp_path / "own.py").write_text(
        "from fractions import Fraction\nfrom beside import half\nthird = Fraction(1, 3)\n"
    )
    assert found(f"{tmp_path / 'own.py'}:third") == Fraction(1, 3)
    assert found(f"{tmp_path / 'own.py'}:half") == Fraction(1, 2)
    assert found(f"{tmp_path / 'own.py'}:Fraction") == 0


def test_what_a_module_did_not_write_is_not_called():
    with pytest.raises(ConfigError, match="'os:getcwd' is a builtin_function_or_method; expected a fraction"):
        found("os:getcwd")
    assert found("fractions:Fraction") == 0


def test_a_name_is_made_to_hold_in_every_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert anywhere("own.py:third") == f"{tmp_path / 'own.py'}:third"
    assert anywhere("/a/own.py:third") == "/a/own.py:third"
    for name in ("fractions:Fraction", "pendulum", "", "learned"):
        assert anywhere(name) == name
