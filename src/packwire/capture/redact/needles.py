"""Finding many byte strings in many bytes: what was masked in its own place may stand in others too."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from packwire.messages import Bytes

_CHUNK = 4 << 20


def replace_all(data: Bytes, needles: dict[bytes, bytes]) -> NDArray[np.int64]:
    """Overwrite each needle (2 bytes or longer) by its replacement of equal length; return where.

    A table of the first two bytes leaves few places to look at, so the cost does not grow with the needles.
    """
    by_begin: dict[int, list[bytes]] = defaultdict(list)
    for needle in needles:
        by_begin[needle[0] << 8 | needle[1]].append(needle)
    begins = np.zeros(1 << 16, dtype=np.bool_)
    begins[list(by_begin)] = True
    longest = max(map(len, needles), default=2)
    found: list[int] = []
    for chunk in range(0, max(len(data) - 1, 0), _CHUNK):
        piece = data[chunk : chunk + _CHUNK + 1]
        pairs = piece[:-1].astype(np.uint16) << np.uint16(8) | piece[1:]
        for at in (np.flatnonzero(begins[pairs]) + chunk).tolist():
            here = data[at : at + longest].tobytes()
            for needle in by_begin.get(here[0] << 8 | here[1], ()) if len(here) > 1 else ():
                if here.startswith(needle):
                    data[at : at + len(needle)] = np.frombuffer(needles[needle], dtype=np.uint8)
                    found.append(at)
                    break
    return np.array(found, dtype=np.int64)
