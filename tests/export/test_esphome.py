"""The lambda of an exported ESPHome configuration, compiled here: it gives the model's values.

`make esphome` has the configurations checked by ESPHome itself, which is too large for every run.
"""

import pytest
import yaml

from packwire.errors import BadOptionError
from packwire.export.esphome import esphome
from packwire.models.heard import Heard
from packwire.models.load import model
from packwire.models.requests import template_of
from packwire.models.store import library
from tests.export.esphome_stub import compiled, said
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


@pytest.mark.parametrize("name", [name for name in library() if name != "victron-vedirect"])
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


def test_a_link_that_a_model_is_not_spoken_on_is_refused():
    with pytest.raises(BadOptionError, match="jbd is spoken over ble and serial"):
        esphome(model("jbd"), "can")
    with pytest.raises(BadOptionError, match="a text of keys and values"):
        esphome(model("victron-vedirect"))


def test_what_it_cannot_express_stands_at_its_beginning():
    made = esphome(model("jbd"))
    head = made.text.split("\nesphome:")[0]
    assert head.count("# - ") == len(made.left_out)
    assert "# - request login: it acts, and here is only read" in head
