"""The test of an exported plugin of aiobmsble, in the manner of aiobmsble's own: a radio that answers."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from packwire.export.said import ValueReplies
from packwire.export.text import identifier, plain
from packwire.models.aiobmsble_keys import PHASES, SAME, TEMPERATURES, WHOLE
from packwire.models.heard import Heard
from packwire.models.replies import Reply
from packwire.models.requests import Question, template_of
from packwire.quantity import Value
from packwire.wire.fields import Field, Type

#: Bytes of one notification.
_PIECE: Final = 20


def test_text(values: ValueReplies, asked: list[tuple[Question, bytes]]) -> str:
    """Return the test: what the radio answers, and what the plugin must make of it."""
    model = values.model
    frames = dict(_frames(values))
    heard = Heard(model)
    answers: dict[str, list[str]] = {}
    for question, frame in asked:
        said = [data for name in question.replies for data in frames.get(name, ())]
        answers[frame.hex()] = [each.hex() for each in said]
        for data in said:
            heard.take(data)
    if not asked:
        answers[""] = [data.hex() for said in frames.values() for data in said]
        for said in frames.values():
            for data in said:
                heard.take(data)
    expected = dict(_sample(heard.values(), values))
    module = f"{identifier(model.name)}_bms"
    return _TEST.format(
        title=plain(model.title),
        module=module,
        answers="\n".join(f'        "{frame}": {said!r},' for frame, said in answers.items()),
        expected="\n".join(f"    {key!r}: {value}," for key, value in expected.items()),
        piece=_PIECE,
        place=1 + model.framings[0].tail,
        damaged=str(any(each.check for each in model.framings) and bool(expected)),
    )


def _frames(values: ValueReplies) -> Iterator[tuple[str, list[bytes]]]:
    """Yield frames of each reply: those of the model's first example, else made ones."""
    model = values.model
    found: dict[str, list[bytes]] = {}
    for example in model.content.get("examples", ())[:1]:
        for text in example["frames"]:
            frame = template_of(text, model.framings, {}).frame({})
            reply = model.reply_of(frame)
            if reply is not None:
                found.setdefault(reply.name, []).append(frame)
    for reply in values.replies:
        if reply.name not in found:
            found[reply.name] = [model.encode(reply.name, dict(_made(reply)))]
    yield from found.items()


def _made(reply: Reply) -> Iterator[tuple[str, Any]]:
    """Yield values of a made-up reply: small numbers, short texts, lists of one."""
    for field in reply.layouts[0].codec.fields:
        if not field.type.numeric:
            yield field.name, "ab" if field.type in {Type.TEXT, Type.CSTRING} else b""
        else:
            yield field.name, _value(field)


def _value(field: Field) -> Any:
    raw = next(number for number in range(1, 20) if number not in field.unknown)
    value = field.value(raw)
    if field.each_bit is not None:
        return (True,)
    return value if field.count is None else (value,)


def _sample(said: Mapping[str, Value], values: ValueReplies) -> Iterator[tuple[str, str]]:
    """Yield what of the values of a pack aiobmsble names, as Python text."""
    for theirs, ours in SAME.items():
        if ours in said and ours in values.said:
            value = said[ours]
            yield theirs, repr(int(value) if theirs in WHOLE and isinstance(value, int | float) else value)
    if "cell_voltages" in said:
        yield "cell_voltages", repr(list(_listed(said["cell_voltages"])))
    if "balancing" in said:
        yield "balancer", repr(said["balancing"])
    for number, word in PHASES.items():
        if said.get("charge_phase") == word:
            yield "battery_mode", repr(number)
    sensors = [
        f"TempSensor({each!r}, TempSensor.T.{kind})"
        for key in values.said
        for kind in _kinds(key)
        if key in said
        for each in _listed(said[key])
    ]
    if sensors:
        yield "temp_values", f"[{', '.join(sensors)}]"


def _kinds(key: str) -> list[str]:
    return [kind for kind, ours in TEMPERATURES.items() if ours == key] or ["GENERIC"] * (
        key == "temperatures"
    )


def _listed(value: Value) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


_TEST = '''"""Test the {title} implementation."""

from collections.abc import Buffer
from typing import Any, Final
from uuid import UUID

from bleak.backends.characteristic import BleakGATTCharacteristic
import pytest

from aiobmsble import BMSConfig, BMSSample, TempSensor
from aiobmsble.bms.{module} import BMS
from tests.bluetooth import generate_ble_device
from tests.conftest import MockBleakClient

_RESULT: Final[Any] = {{
{expected}
}}


class MockClient(MockBleakClient):
    """Emulate a pack."""

    #: What is sent, and the frames that answer it.
    RESP: dict[str, list[str]] = {{
{answers}
    }}

    async def write_gatt_char(
        self,
        char_specifier: BleakGATTCharacteristic | int | str | UUID,
        data: Buffer,
        response: bool | None = None,
    ) -> None:
        """Issue write command to GATT."""
        await super().write_gatt_char(char_specifier, data, response)
        self._answer(bytes(data).hex())

    async def start_notify(self, *args: Any, **kwargs: Any) -> None:
        """Say what is said without being asked."""
        await super().start_notify(*args, **kwargs)
        self._answer("")

    def _answer(self, asked: str) -> None:
        assert self._notify_callback is not None
        for answer in self.RESP.get(asked, []):
            frame = bytearray.fromhex(answer)
            for at in range(0, len(frame), {piece}):
                self._notify_callback("MockClient", frame[at : at + {piece}])


def _damaged(frame: bytearray) -> str:
    """Return a frame of which one bit of the data is wrong."""
    frame[-{place}] ^= 1
    return frame.hex()


async def test_update(patch_bleak_client, keep_alive_fixture: bool) -> None:
    """Test that the values of a pack are read, and read again."""
    patch_bleak_client(MockClient)
    bms = BMS(generate_ble_device(), BMSConfig(keep_alive=keep_alive_fixture))
    assert await bms.async_update(raw=True) == _RESULT
    if "" not in MockClient.RESP:  # it is asked, and answers again
        assert await bms.async_update(raw=True) == _RESULT
    assert bms.is_connected is keep_alive_fixture
    await bms.disconnect()


@pytest.mark.skipif(not {damaged}, reason="frames of this protocol have no checksum")
async def test_damaged(monkeypatch, patch_bleak_client, patch_bms_timeout) -> None:
    """Test that damaged frames say nothing."""
    patch_bms_timeout()
    damaged = {{
        asked: [_damaged(bytearray.fromhex(each)) for each in answers]
        for asked, answers in MockClient.RESP.items()
    }}
    monkeypatch.setattr(MockClient, "RESP", damaged)
    patch_bleak_client(MockClient)
    bms = BMS(generate_ble_device())
    result: BMSSample = {{}}
    with pytest.raises(TimeoutError):
        result = await bms.async_update()
    assert not result
    await bms.disconnect()
'''
