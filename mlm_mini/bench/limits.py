"""What the device can do at most: the measured rate of large matrix products, by which a step's share is told."""

from __future__ import annotations

import time
from functools import cache

import torch

PRODUCT_SIDE, PRODUCTS = {"cpu": 2048, "cuda": 8192}, 5


@cache
def product_rate(device: torch.device, precision: str) -> float:
    """Operations a second of a product of square matrices, the best of PRODUCTS, with all threads that PyTorch has."""
    n = PRODUCT_SIDE[device.type]
    a, b = (torch.randn(n, n, device=device).to(getattr(torch, precision)) for _ in range(2))
    best = float("inf")
    for _ in range(1 + PRODUCTS):
        start = time.perf_counter()
        a @ b
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best
