"""DBC files as models, and frames decoded by the thousand."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.errors import BadFileError
from packwire.models.dbc import dbc_model

DBC = """VERSION ""
BU_: BMS
BO_ 853 State: 8 BMS
 SG_ SOC : 0|16@1+ (1,0) [0|100] "%" Vector__XXX
 SG_ Pack_Current : 16|16@1- (0.1,0) [-3000|3000] "A" Vector__XXX
 SG_ Mode : 35|3@1+ (1,0) [0|7] "" Vector__XXX
BO_ 2566848778 Extended: 8 BMS
 SG_ Branch M : 7|8@0+ (1,0) [0|255] "" Vector__XXX
 SG_ Voltage m0 : 15|16@0+ (0.01,0) [0|600] "V" Vector__XXX
 SG_ Odd m1 : 13|10@0- (0.5,-40) [0|0] "degC" Vector__XXX
BO_ 256 Floats: 8 BMS
 SG_ Value : 0|32@1- (1,0) [0|0] "" Vector__XXX
SIG_VALTYPE_ 256 Value : 1;
VAL_ 853 Mode 0 "idle" 1 "charging" ;
"""


@pytest.fixture
def protocol(tmp_path):
    (tmp_path / "pack.dbc").write_text(DBC)
    return dbc_model(tmp_path / "pack.dbc")


def test_signals_become_fields(protocol):
    (values,) = (protocol.values(bytes.fromhex("00000355 4b00 d3fe 08 000000")),)
    assert values == {"soc": 75, "current": -30.1}
    spans = {each.name: each.value for each in protocol.spans(bytes.fromhex("00000355 4b00 d3fe 08 000000"))}
    assert spans["mode"] == "charging"


def test_a_multiplexer_chooses(protocol):
    head = bytes.fromhex("98ff010a")
    assert protocol.values(head + bytes.fromhex("00 14 82 00 00 00 00 00")) == {"voltage": 52.5}
    odd = {each.name: each.value for each in protocol.spans(head + bytes.fromhex("01 3f c0 0000000000"))}
    assert odd["odd"] == -42
    assert "voltage" not in odd


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing", "no message with a signal"),
        ('BO_ 1 A: 8 X\n SG_ x : 0|99@1+ (1,0) [0|0] "" X\n', "1 to 64 bits"),
        ("BO_ 1 A: 8 X\n SG_ nonsense\n", "line 2: this signal is not understood"),
        ('BO_ 1 A: 8 X\n SG_ x : 3|64@1+ (1,0) [0|0] "" X\n', "nine bytes"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, text, words):
    (tmp_path / "bad.dbc").write_text(text)
    with pytest.raises(BadFileError, match=words):
        dbc_model(tmp_path / "bad.dbc")


def test_a_file_that_is_not_there():
    with pytest.raises(BadFileError, match="no such file"):
        from packwire.protocols import protocol

        protocol("/nowhere/pack.dbc")


@given(st.text('BO_SGVAL 0123456789:|@+-()[]",.;\n mM', max_size=300))
def test_any_text_is_a_model_or_is_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.dbc"
    path.write_text(text)
    with contextlib.suppress(BadFileError):
        dbc_model(path)
