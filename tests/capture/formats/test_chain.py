"""Records followed in many places at once: the result is that of one step after the other, whatever there is."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.formats import chain
from packwire.capture.formats.chain import RecordForm, record_offsets

RECORDS = RecordForm(header=12, size_at=0, most=300, landmark=slice(4, 8))
MARK = b"\0\0\0\7"


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch):
    monkeypatch.setattr(chain, "_STRETCH", 64)
    monkeypatch.setattr(chain, "_FEW", 2)


def record(payload: bytes, mark: bytes = MARK, size: int | None = None) -> bytes:
    return struct.pack(">I", len(payload) if size is None else size) + mark + b"time" + payload


def plain_walk(content: bytes) -> list[int]:
    at, found = 5, []
    while at + 12 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        if size > 300 or at + 12 + size > len(content):
            break
        found.append(at)
        at += 12 + size
    return found


def check(content: bytes) -> None:
    data = np.frombuffer(b"begin" + content, dtype=np.uint8)
    assert record_offsets(data, 5, RECORDS).tolist() == plain_walk(data.tobytes())


#: Payloads that look like records, or like the landmark of one.
payloads = st.one_of(
    st.binary(max_size=80),
    st.builds(lambda inner, more: (record(inner) + more) * 2, st.binary(max_size=30), st.binary(max_size=9)),
    st.builds(lambda size: record(b"", size=size) * 3, st.integers(0, 400)),
    st.just(MARK * 20),
)
marks = st.sampled_from([MARK, MARK, MARK, b"\0\0\1\7"])
sizes = st.one_of(st.none(), st.none(), st.none(), st.none(), st.integers(0, 2**32 - 1))


@given(st.lists(st.builds(record, payloads, marks), max_size=60))
def test_whole_records_are_all_found(found):
    check(b"".join(found))


@given(st.lists(st.builds(record, payloads, marks, sizes), max_size=60), st.binary(max_size=40))
def test_a_size_that_lies_and_a_tail_end_it_where_one_step_after_the_other_does(found, tail):
    check(b"".join(found) + tail)


@given(st.binary(max_size=2000))
def test_any_bytes(content):
    check(content)


def test_a_long_file_is_followed_from_many_places():
    content = b"".join(record(bytes([number % 256]) * (number % 50)) for number in range(3000))
    check(content)
    begins = chain._landmarks(np.frombuffer(content, dtype=np.uint8), 0, RECORDS)
    assert len(begins) > 1000


def test_a_file_whose_landmark_changes_half_way_is_read_to_its_end():
    check(record(b"abc") * 500 + record(b"defg", b"\0\0\0\x08") * 500 + record(b"h") * 500)


@pytest.mark.parametrize("cut", range(30))
def test_a_file_that_is_cut_off(cut):
    content = b"".join(record(bytes(number % 40)) for number in range(300))
    check(content[: len(content) - cut])
