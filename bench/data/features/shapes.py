"""Which rows an array of features holds: extractors leave axes of length 1, and all readers take them off alike.

    (T, D)                                      T rows
    (D,), (1, D), (1, 1, D), (1, D, 1, 1)       one row
    (1, T, D), (T, 1, D), (T, D, 1, 1), …       T rows, in the order in which the axes stand

Refused are two and more axes that could be either, such as (T, 1, 1): T rows of one number, or one row of T.
"""

from __future__ import annotations

import numpy as np

from bench.errors import InvalidData


def rows_and_dim(shape: tuple[int, ...], where: str) -> tuple[int, int]:
    """Returns T and D of an array. Raises: InvalidData for a shape that does not say, with what to do."""
    if len(shape) == 2:
        return shape[0], shape[1]
    long = [size for size in shape if size != 1]
    if len(long) == 2:
        return long[0], long[1]
    if shape and len(long) <= 1 and (not long or len(shape) == 1 or shape[0] == 1):
        return 1, long[0] if long else 1
    if not shape:
        raise InvalidData(f"{where} is a single number, expected features. Write an array of (rows, dimension).")
    why = f"{long[0]} could be rows or the dimension" if len(long) == 1 else f"{len(long)} axes are longer than 1"
    raise InvalidData(
        f"{where} has shape {shape}, expected (rows, dimension): {why}. Write it again in that shape, by "
        "array.reshape(rows, dimension), or as a mean over the axes that are neither."
    )


def as_matrix(array: np.ndarray, where: str) -> np.ndarray:
    """Returns an array of features as (T, D), without copying where that can be. Raises: InvalidData."""
    return array if array.ndim == 2 else array.reshape(rows_and_dim(array.shape, where))
