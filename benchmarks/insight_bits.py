"""Counting bits: 1 000 000 messages of 32 bytes, beside np.unpackbits and two sums over the same bytes."""

import time
from collections.abc import Callable  # noqa: TC003

import numpy as np

from benchmarks.figure import Figure
from packwire.insight.bits import count_bits

ROUNDS = 5


def measure() -> list[Figure]:
    matrix = np.random.default_rng(1).integers(0, 256, (1_000_000, 32), dtype=np.uint8)

    def plain() -> None:
        bits = np.unpackbits(matrix, axis=1)
        bits.sum(axis=0)
        (bits[1:] ^ bits[:-1]).sum(axis=0)

    best = [float("inf")] * 2
    calls: list[Callable[[], object]] = [lambda: count_bits(matrix), plain]
    for _ in range(ROUNDS):
        for index, call in enumerate(calls):
            begun = time.perf_counter()
            call()
            best[index] = min(best[index], time.perf_counter() - begun)
    ours, theirs = best
    return [
        Figure("ones and flips of every bit of 1 000 000 x 32 bytes, packwire", ours, "s"),
        Figure("the same by np.unpackbits and two sums", theirs, "s"),
        Figure("numpy's time / packwire's", theirs / ours, "times", at_least=1),
    ]
