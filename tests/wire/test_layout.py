"""The layout engine: fields from annotations, decoding as far as the bytes go, encoding the same."""

from typing import Annotated, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.wire.checksum import crc16_xmodem
from packwire.wire.fields import FieldError
from packwire.wire.layout import Layout, array, cstring, f32, hex_bytes, i16, i32, rest, u8, u16, u32


class Everything(NamedTuple):
    how_many: Annotated[int | None, u8()] = None
    volts: Annotated[tuple[float, ...] | None, array(i16(1e3), "how_many")] = None
    big: Annotated[float | None, i32(1e6)] = None
    tens: Annotated[float | None, u16(1e-1)] = None
    single: Annotated[float | None, f32()] = None
    serial: Annotated[str | None, hex_bytes(4)] = None
    name: Annotated[str | None, cstring()] = None
    tail: Annotated[bytes | None, rest()] = None


@pytest.mark.parametrize("order", ["big", "little"])
@given(data=st.data())
def test_decoding_inverts_encoding(order, data):
    layout = Layout(Everything, order=order)
    volts = tuple(n / 1000 for n in data.draw(st.lists(st.integers(-32768, 32767), max_size=255)))
    message = Everything(
        len(volts),
        volts,
        data.draw(st.integers(-(2**31), 2**31 - 1)) / 1e6,
        data.draw(st.integers(0, 65535)) * 10,
        data.draw(st.floats(width=32, allow_nan=False).filter(lambda x: x == 0 or abs(x) >= 1.5e-38)),
        data.draw(st.binary(min_size=4, max_size=4)).hex(),
        data.draw(st.text().filter(lambda text: "\0" not in text and text.isprintable())),
        data.draw(st.binary(max_size=20)),
    )
    decoded = layout.decode(layout.encode(message), at=0)
    assert decoded == (message, (), 0)


@given(st.binary(max_size=120))
def test_spans_cover_the_bytes_without_gap_or_overlap(payload):
    spans = Layout(Everything).spans(payload, at=0)
    at = 0
    for span in spans:
        assert span.offset == at
        at += span.width
    assert at <= len(payload)


def test_truncated_towards_zero_as_firmware_does():
    assert i32(1e2).field.raw(37.419999) == 3741
    assert i32(1e2).field.raw(-37.419999) == -3741


@given(st.integers(-(2**31), 2**31 - 1), st.sampled_from([1, 1e1, 1e2, 1e3, 1e4, 1e6, 1e-1]))
def test_a_raw_number_survives_its_value(raw, scale):
    field = i32(scale).field
    assert field.raw(field.value(raw)) == raw


def test_values_out_of_range_are_held():
    assert i16(1e3).field.raw(50.0) == 32767
    assert i16(1e3).field.raw(-50.0) == -32768
    assert u8().field.raw(300) == 255
    assert u32().field.raw(-1) == 0


def test_a_field_without_encoding_is_refused():
    class Wrong(NamedTuple):
        a: int

    with pytest.raises(FieldError, match=r"Wrong\.a does not say how it is encoded"):
        Layout(Wrong)


def test_text_without_its_nul_is_said():
    class Named(NamedTuple):
        name: Annotated[str | None, cstring()] = None

    assert Layout(Named).decode(b"abc", at=0) == (Named("abc"), ("name's final NUL",), 0)


def test_the_catalogue_check_value_of_the_crc():
    assert crc16_xmodem(b"123456789") == 0x31C3
