"""What the made-up languages ask of their numbers."""

import numpy as np

ALL_MASK = (1.0, 0.0, 0.0)  # every selected token becomes [MASK], none is replaced or kept


def checked_shares(p, shape: tuple[int, ...], name: str) -> np.ndarray:
    """`p` as float64 of the given shape (-1: any size) whose last axis sums to one; ValueError names `name`."""
    p = np.array(p, dtype=np.float64)
    if p.ndim != len(shape) or any(want not in (-1, have) for want, have in zip(shape, p.shape, strict=True)):
        raise ValueError(f"{name} must have shape {shape}, got {p.shape}")
    if not (p >= 0).all():  # written so that NaN fails too
        raise ValueError(f"{name} has a negative or NaN entry: {p[~(p >= 0)][0]}")
    sums = p.sum(axis=-1)
    if not np.allclose(sums, 1.0, rtol=0, atol=1e-9):
        raise ValueError(f"{name} must sum to one along its last axis, got sums between {sums.min()} and {sums.max()}")
    return p / sums[..., None]


def checked_ratio(mask_ratio: float) -> float:
    """A share of the words to hide: from 0 to 1. Raises ValueError."""
    if not 0 <= mask_ratio <= 1:  # NaN fails too
        raise ValueError(f"mask_ratio must lie in [0, 1], got {mask_ratio}")
    return float(mask_ratio)


def checked_split(split) -> tuple[float, ...]:
    """The shares of [MASK], random and kept among selected tokens. Raises ValueError unless they sum to one."""
    split = tuple(float(share) for share in split)
    if len(split) != 3 or not all(share >= 0 for share in split) or not np.isclose(sum(split), 1.0, rtol=0, atol=1e-9):
        raise ValueError(f"split must be three shares (mask, random, keep) that sum to 1, got {split}")
    return split
