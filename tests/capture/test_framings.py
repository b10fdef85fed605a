"""Looking for frames takes work in proportion to the stream, whatever is in it."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.framings import families, family, frames_in, recognise, request_of
from packwire.models.load import model
from packwire.models.store import library
from packwire.wire import framing
from packwire.wire.checksum import CHECKSUMS

FAMILIES = [each.name for each in families()]
FRAMINGS = [one for each in families() for one in each.framings]

#: Streams that look like the beginning of one frame after the other.
BEGINNINGS = [
    *(each.start or b"\x01\x03\xfa" for each in FRAMINGS),
    b"\x01\x10\xff\xff\xff\xff\xff",
    b"\x03\x27\x10\x03",
    b"\x7e\x0d",
    b"\x7e\x7e\x7e\x7e\x0d\x0d\x0d",
    b"\x7e25024642EFFF",
    b"\xdd\xa5\xff\xff\x77",
    b"\x3a\x16\xff\xff\x0d\x0a",
    b"\x7e\xa1\x11\x00\x00\xff\xaa\x55",
    b"\xaa\x55\x90\xeb",
    b"\x55\xaa\xeb\x90",
]


class _Work(bytes):
    """A stream that counts the bytes that are searched and cut out of it."""

    done = 0

    def find(self, what, begin=0, end=None):
        found = super().find(what, begin, end)
        last = len(self) if end is None else min(end, len(self))
        _Work.done += (last if found < 0 else found) - begin + 1
        return found

    def __getitem__(self, index):
        part = super().__getitem__(index)
        _Work.done += len(part) if isinstance(part, bytes) else 1
        return part


def _counting(function):
    def counted(data):
        _Work.done += len(data)
        return function(data)

    return counted


def _work(stream, name):
    _Work.done = 0
    list(frames_in(_Work(stream), family(name)))
    return _Work.done


@pytest.mark.parametrize("name", FAMILIES)
def test_work_grows_linearly(monkeypatch, name):
    counted = {
        key: SimpleNamespace(of=_counting(entry.of), size=entry.size) for key, entry in CHECKSUMS.items()
    }
    monkeypatch.setattr(framing, "CHECKSUMS", counted)
    for begin in BEGINNINGS:
        for size in (1_000, 10_000):
            assert _work(begin * (size // len(begin)), name) <= 100 * size + (1 << 18)


@given(st.sampled_from(FAMILIES), st.binary(max_size=200), st.data())
def test_frames_do_not_overlap_and_lie_in_the_stream(name, stream, data):
    begins = st.sampled_from(BEGINNINGS)
    stream = b"".join(data.draw(st.lists(begins | st.just(stream), max_size=8)))
    at = 0
    for found in frames_in(stream, family(name)):
        assert at <= found.start
        at = found.start + found.size
        assert at <= len(stream)
        assert found.size > 0


@pytest.mark.parametrize("byte", [0, 1, 0x55, 0x7E, 0xA5, 0xAA, 0xDD, 0xFF])
def test_one_byte_again_and_again_is_no_protocol(byte):
    assert recognise(bytes([byte]) * 1000) == ()


def test_the_kind_of_a_vesc_request_for_another_node_is_behind_its_id():
    (vesc, _) = family("VESC")
    assert vesc.header_of(b"\x60", asks=True) == 1
    assert vesc.header_of(b"\x22\x0a\x60", asks=True) == 3
    assert vesc.header_of(b"\x22\x0a\x60", asks=False) == 1


def test_a_request_is_told_without_its_rubbish_and_whether_it_only_asks():
    assert request_of(bytes.fromhex("dda50300fffd77"))[:3] == (bytes.fromhex("dda50300fffd77"), True, True)
    assert request_of(bytes.fromhex("dd5ae1020001ff1c77")).query is False
    head = bytes.fromhex("aa5590eb6c0101")
    command = head + bytes(range(12))
    command += bytes([sum(command) & 0xFF])
    assert request_of(command)[:3] == (head, True, False)
    assert request_of(command[:-1] + b"\x00")[:3] == (command[:-1] + b"\x00", False, False)


@given(st.binary(max_size=40))
def test_any_message_begins_with_what_it_means(message):
    assert message.startswith(request_of(message).meaning)


@pytest.mark.parametrize("name", library())
def test_framings_read_without_their_model_are_those_of_the_model(name):
    family = model(name).family
    checked = tuple(each for each in family.framings if each.check is not None)
    # Daly's models are one family with two ways of speaking.
    known = next((each for each in families() if each.name == family.name), None)
    if checked:
        assert known is not None
        assert all(each in known.framings for each in checked)
        assert all(each in known.answers for each in family.answers)
