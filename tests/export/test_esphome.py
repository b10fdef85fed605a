"""The lambda of an exported ESPHome configuration, compiled here: it gives the model's values.

`make esphome` has the configurations checked by ESPHome itself, which is too large for every run.
"""

import pytest
import yaml

from packwire.errors import BadOptionError
from packwire.export.aiobmsble import aiobmsble
from packwire.export.esphome import esphome
from packwire.models.heard import Heard
from packwire.models.load import model
from packwire.models.requests import template_of
from packwire.sim.model import SimulatedModel
from tests.export.esphome_stub import compiled, said
from tests.export.exportable import EXPORTABLE, IN_COLUMNS
from tests.models.aiobmsble_vectors import exchanges
from tests.shared_data import needs_compiler, needs_vectors

#: Plugin of aiobmsble -> the model, which ones are compiled here.
COMPILED = {"jbd_bms": "jbd", "redodo_bms": "litime", "abc_bms": "sok", "jikong_bms": "jk02"}
#: Models whose examples go through, one for each form of frames and link.
EXAMPLES = ["pylontech", "vesc-can", "seplos", "daly-a5"]


def same(ours, shown):
    if isinstance(ours, tuple) and ours and isinstance(ours[0], bool):
        return shown == (", ".join(str(number) for number, each in enumerate(ours, 1) if each) or "none")
    if isinstance(ours, tuple):
        return [float(each) for each in shown or ()] == pytest.approx(list(ours), rel=1e-6)
    if isinstance(ours, bool):
        return shown == str(ours).lower()
    if isinstance(ours, str):
        return (shown or "") == ours
    return shown is not None and float(shown) == pytest.approx(ours, rel=1e-6)


def differences(values, shown):
    for key in values.keys() | shown.keys():
        if not same(values.get(key, ""), shown.get(key)):
            yield f"{key}: the model says {values.get(key)}, the sensor {shown.get(key)}"


@needs_compiler
@needs_vectors
@pytest.mark.parametrize("plugin", COMPILED)
def test_sensors_show_what_the_model_says_of_recorded_bytes(plugin, tmp_path):
    protocol = model(COMPILED[plugin])
    program = compiled(esphome(protocol).text, tmp_path)
    for exchange in exchanges(plugin):
        framer, heard = protocol.framer(), Heard(protocol)
        for piece in exchange.received:
            for frame in (*framer.feed(piece), *framer.rescue()):
                heard.take(frame.payload)
        shown = said(program, list(exchange.received))
        assert list(differences(heard.values(), shown)) == [], exchange.number


@needs_compiler
@pytest.mark.parametrize("name", EXAMPLES)
def test_sensors_show_what_the_examples_say(name, tmp_path):
    protocol = model(name)
    program = compiled(esphome(protocol).text, tmp_path, checked=name == "seplos")
    for example in protocol.content["examples"]:
        frames = [template_of(text, protocol.framings, {}).frame({}) for text in example["frames"]]
        heard = Heard(protocol)
        for frame in frames:
            heard.take(frame)
        pieces = (
            frames
            if protocol.can
            else [frame[at : at + 20] for frame in frames for at in range(0, len(frame), 20)]
        )
        assert list(differences(heard.values(), said(program, pieces))) == []


#: Blocks of VE.Direct: a monitor's, a charger's, and lines that are not as they should be.
BLOCKS = [
    [{"PID": "0x203", "V": "12800", "I": "-1500", "SOC": "876", "TTG": "240", "AR": "5", "FW": "0308"}],
    [{"PID": "0xA053", "V": "13200", "VPV": "36000", "PPV": "12", "CS": "3", "ERR": "17", "SER#": "HQ1"}],
    [{"H1": "-12500", "H4": "12", "H6": "-8500"}, {"PID": "0x204", "V": "12000", "TTG": "-1", "AR": "32768"}],
    [{"PID": "0xFFFF", "V": "---", "I": "", "P": "1.5", "SOC": "+5", "T": "0x19", "CE": "12a", "CS": "77"}],
    [{"PID": "0x203", "V\r\nV": "1", "": "7", "SER#": "a\tb", "FW": ""}],
]


def _block(lines):
    text = "".join(f"\r\n{key}\t{value}" for key, value in lines.items()).encode() + b"\r\nChecksum\t"
    return text + bytes((-sum(text) % 256,))


@needs_compiler
def test_sensors_show_the_keys_and_values_of_a_text(tmp_path):
    protocol = model("victron-vedirect")
    program = compiled(esphome(protocol).text, tmp_path, checked=True)
    for blocks in BLOCKS:
        sent = b"".join(map(_block, blocks))
        framer, heard = protocol.framer(), Heard(protocol)
        for frame in framer.feed(sent):
            heard.take(frame.payload)
        pieces = [sent[at : at + 20] for at in range(0, len(sent), 20)]
        assert heard.values()
        assert list(differences(heard.values(), said(program, pieces))) == [], blocks


@pytest.mark.parametrize("export", [esphome, aiobmsble])
@pytest.mark.parametrize("name", IN_COLUMNS)
def test_lines_of_columns_are_read_by_packwire_alone(name, export):
    with pytest.raises(BadOptionError, match="a text of columns"):
        export(model(name))


@pytest.mark.parametrize("name", EXPORTABLE)
def test_it_asks_only_what_reads(name):
    """No write, no action, no secret: what is sent are the frames of requests that read values."""
    protocol = model(name)
    for over in ("ble", "serial", "can"):
        if {"ble": protocol.gatt, "serial": protocol.serial, "can": protocol.can}[over]:
            content = yaml.safe_load(esphome(protocol, over).text)
            sent = set()
            for each in content.get("interval", ()):
                for step in each["then"]:
                    row = step.get("ble_client.ble_write") or step.get("uart.write") or {}
                    sent |= {bytes(value) for key, value in row.items() if key in {"value", "data"}}
            allowed = {
                each.payload for each in protocol.questions if each.kind == "reads" and each.topic == "values"
            }
            assert sent <= allowed


def test_the_address_of_a_pack_is_in_its_requests():
    protocol = model("renogy")
    usual, other = esphome(protocol).text, esphome(protocol, None, 49).text
    assert "[0x30, 0x03" in usual
    assert "[0x31, 0x03" in other
    with pytest.raises(BadOptionError, match="--unit 999: address is"):
        esphome(protocol, None, 999)
    with pytest.raises(BadOptionError, match="is not addressed"):
        esphome(model("jbd"), None, 1)


@needs_compiler
def test_one_of_the_packs_of_a_device_is_read_by_its_number(tmp_path):
    protocol = model("seplos-v3-master")
    text = esphome(protocol, None, 2).text
    assert "[0x02, 0x04, 0x10" in text
    assert "[0x00, 0x04" not in text
    assert "packs that are asked one by one" in esphome(protocol).left_out
    device, heard, sent = SimulatedModel(protocol).device, Heard(protocol), []
    for question in protocol.questions:
        if "address" in question.template.names:
            sent += device.answers(question.template.frame({"address": 2}))
    for frame in sent:
        heard.take(frame)
    assert {"cell_voltages", "soc", "voltage"} <= heard.values().keys()
    assert list(differences(heard.values(), said(compiled(text, tmp_path), sent))) == []
    with pytest.raises(BadOptionError, match="--unit 17: address is"):
        esphome(protocol, None, 17)


def test_a_link_that_a_model_is_not_spoken_on_is_refused():
    with pytest.raises(BadOptionError, match="jbd is spoken over ble and serial"):
        esphome(model("jbd"), "can")


def test_what_it_cannot_express_stands_at_its_beginning():
    made = esphome(model("jbd"))
    head = made.text.split("\nesphome:")[0]
    assert head.count("# - ") == len(made.left_out)
    assert "# - request login: it acts, and here is only read" in head
