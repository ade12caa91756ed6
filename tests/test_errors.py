"""Errors are caught by their own name, by the family's, and by the built-in that a caller would expect."""

import pytest

from latax import _errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (_errors.ConfigError, ValueError),
        (_errors.DataError, ValueError),
        (_errors.FileError, OSError),
        (_errors.DivergenceError, ArithmeticError),
    ],
)
def test_an_error_is_also_the_expected_builtin(error, builtin):
    for catchable in (error, _errors.LataxError, builtin):
        with pytest.raises(catchable, match="latent_size"):
            raise error("latent_size is 0; it must be at least 1. Pass latent_size=2.")
