"""Numbers from files as floating-point arrays, or a clear refusal.

float32 and float64 stay what they are; booleans, float16 and integers of up to 16 bits become float32 (exactly);
wider integers become float64, and are refused where float64 cannot hold them exactly (beyond 2**53: such numbers are
identifiers, not measurements).
"""

import numpy as np
from jaxtyping import Float, Shaped

from latax._errors import DataError

LARGEST_EXACT_INTEGER = 2**53


def is_numeric(dtype: np.dtype) -> bool:
    """Whether latax can use arrays of this type: real, boolean or integer numbers."""
    return dtype.kind in "fiub" and dtype.names is None


def float_dtype(dtype: np.dtype, what: str) -> np.dtype:
    """The floating-point type that holds arrays of `dtype`; `what` names the array in the message.

    Raises `DataError` for complex numbers, Python objects, text, dates and structured types.
    """
    if dtype.kind == "f":
        return np.dtype(np.float64 if dtype.itemsize >= 8 else np.float32)
    if dtype.kind in "iub":
        return np.dtype(np.float64 if dtype.itemsize > 2 else np.float32)
    raise DataError(f"{what} {_why_not(dtype)}")


def _why_not(dtype: np.dtype) -> str:
    if dtype.names is not None:
        return (
            f"is a structured array with the fields {', '.join(dtype.names)}; latax expects plain numbers. Stack the "
            "fields into one array of shape (rows, columns), or save them as the columns of a CSV or Parquet file."
        )
    if dtype.hasobject:
        return (
            "holds Python objects (pickled); latax never unpickles files, because that can run code. "
            "Save it as an array of numbers: numpy.save(path, numpy.asarray(values, dtype=float))."
        )
    if dtype.kind == "c":
        return (
            f"holds complex numbers ({dtype}); latax expects real ones. Save the real and imaginary parts "
            "(or modulus and phase) as separate columns, e.g. numpy.concatenate([z.real, z.imag], axis=1)."
        )
    if dtype.kind in "mM":
        return f"holds dates or durations ({dtype}); latax expects numbers. Convert them, e.g. to seconds or days."
    return f"holds {dtype} values (text?); latax expects numbers. Leave it out or encode it as numbers."


def as_float(array: Shaped[np.ndarray, "*shape"], what: str) -> Float[np.ndarray, "*shape"]:
    """The array in native floating point; `what` names it in messages. A view where nothing must be converted.

    Raises `DataError` for what `float_dtype` refuses and for integers beyond 2**53 in size.
    """
    target = float_dtype(array.dtype, what)
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and array.size:
        low, high = int(array.min()), int(array.max())
        if max(-low, high) > LARGEST_EXACT_INTEGER:
            largest = high if high >= -low else low
            raise DataError(
                f"{what} holds integers too big for floating point (the largest in size is {largest}; from 2**53 on, "
                "neighbouring integers become the same number). If they are identifiers, leave that column out; "
                "if they are counts or times, subtract an offset or change the unit."
            )
    return np.asarray(array, dtype=target)
