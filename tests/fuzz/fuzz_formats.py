"""Fuzzes all capture readers with atheris; not part of the tests that run by default.

pip install atheris
python -m tests.fuzz.fuzz_formats -max_total_time=600 -rss_limit_mb=400 CORPUS_DIRECTORY
"""

import sys

import numpy as np

from packwire.capture.formats import read_packets
from packwire.errors import BadFileError


def check(data: bytes) -> None:
    """Read a file: packets that lie within their data, or one line that says why not."""
    try:
        packets = read_packets(np.frombuffer(data, dtype=np.uint8))
    except BadFileError as error:
        assert "\n" not in str(error)
        return
    assert (packets.start >= 0).all()
    assert (packets.size >= 0).all()
    assert (packets.original >= packets.size).all()
    assert (packets.start + packets.size <= len(packets.data)).all()
    assert (packets.interface < len(packets.interfaces)).all()
    assert all("\n" not in line for line in packets.damage)


def main() -> None:
    import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

    atheris.instrument_all()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
