"""A model as a plugin of aiobmsble, with its test in the manner of aiobmsble's own."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from packwire.errors import BadOptionError
from packwire.export.aiobmsble_reader import INFO, ITS_OWN, KEYS, SENSORS, PlainReader, key_of, odd
from packwire.export.aiobmsble_test import test_text
from packwire.export.exported import Exported, heading
from packwire.export.framing import write_framings
from packwire.export.python import Python, used
from packwire.export.said import PARTS, ValueReplies
from packwire.export.text import plain
from packwire.models.aiobmsble_keys import PHASES, WHOLE
from packwire.models.protocol import ModelProtocol
from packwire.models.recognition import pattern_of
from packwire.models.replies import Reply
from packwire.models.requests import Question

#: Characters of the part of an address that is its maker's.
_OUI: Final = len("00:11:22")


def aiobmsble(model: ModelProtocol, unit: int | None = None) -> Exported:
    """Return a plugin of aiobmsble and its test.

    `unit` is the pack's address where the protocol has one. Raises BadOptionError for a model that is not
    spoken over Bluetooth.
    """
    if not model.gatt:
        raise BadOptionError(f"{model.name} is not spoken over Bluetooth, and aiobmsble speaks nothing else")
    values = ValueReplies(model)
    values.require("aiobmsble")
    asked, not_asked = values.frames(unit)
    left_out = tuple(dict.fromkeys([*values.left_out(), *_not_told(values), *not_asked]))
    to = Python()
    reader = PlainReader(to, values)
    write_framings(to, model.framings)
    names = {reply.name: f"_read_{values.number(reply)}" for reply in values.replies}
    for reply in values.replies:
        _write_reader(to, reader, reply, names[reply.name])
    _write_reply_of(to, reader, values, names)
    _write_tables(to, values, reader)
    to.lines += _JOINED.strip("\n").splitlines()
    _write_class(to, values, asked)
    body = "\n".join(to.lines)
    head = [
        f"Module to support {plain(model.title)}.",
        "",
        *heading(model, "a plugin of aiobmsble", left_out),
    ]
    lines = ['"""' + "\n".join(head) + '\n"""']
    lines += ["", *_imports(body), "", ""]
    for helper in used(body):
        lines += [helper, "", ""]
    return Exported("\n".join(lines) + body + "\n", left_out, test_text(values, asked))


def _not_told(values: ValueReplies) -> Iterator[str]:
    for key, said in values.said.items():
        if not key_of(key) and key not in INFO:
            yield f"{key}: aiobmsble has no name for it"
        for each in said.readings:
            if odd(each) and key_of(key):
                yield f"{each.reply.name}, {each.field.name}: {odd(each)}"
    for one in values.model.computed:
        if one.key not in values.said and one.key not in ITS_OWN:
            yield f"{one.key}: it follows from others"


def _imports(body: str) -> list[str]:
    standard = [
        name
        for name, sign in (("asyncio", "asyncio."), ("math", "math."), ("struct", "struct."))
        if sign in body
    ]
    return [
        *(f"import {name}" for name in standard),
        "from collections.abc import Callable",
        "from typing import Any, Final",
        "",
        "from bleak.backends.characteristic import BleakGATTCharacteristic",
        "from bleak.backends.device import BLEDevice",
        "from bleak.uuids import normalize_uuid_str",
        "",
        "from aiobmsble import BMSConfig, BMSInfo, BMSMode, BMSSample, MatcherPattern, TempSensor",
        "from aiobmsble.basebms import BaseBMS",
    ]


def _write_reader(to: Python, reader: PlainReader, reply: Reply, name: str) -> None:
    to.gap()
    with to.block(f"def {name}(data: bytes, known: dict[str, float]) -> tuple[int, list[tuple[str, Any]]]:"):
        to.put(f'"""Return what a reply says: {plain(reply.name)}."""')
        to.put("size = len(data)")
        to.put("part = 0")
        to.put("said: list[tuple[str, Any]] = []")
        reader.reply(reply)
        to.put("return part, said")


def _write_reply_of(to: Python, reader: PlainReader, values: ValueReplies, names: Mapping[str, str]) -> None:
    to.gap()
    with to.block("def _reply_of(data: bytes, whole: int) -> tuple[int, Callable[..., Any]] | None:"):
        to.put('"""Return the number of a reply, and what reads it; `whole` is how many bytes were sent."""')
        to.put("size = len(data)")
        for reply in values.replies:
            with to.block(to.when(reader.begins(reply))):
                to.put(f"return {values.number(reply)}, {names[reply.name]}")
        to.put("return None")
    to.gap()


def _write_tables(to: Python, values: ValueReplies, reader: PlainReader) -> None:
    told = [key for key, said in values.said.items() if any(map(reader.reads, said.readings))]
    frames = []
    for number, framing in enumerate(values.model.framings, 1):
        frames.append(f"(_frame_{number}, {framing.tail}, {framing.lead if framing.hexadecimal else None})")
    keys = {key: KEYS[key] for key in told if key in KEYS}
    sensors = ", ".join(f'"{key}": TempSensor.T.{SENSORS[key]}' for key in told if key in SENSORS)
    phases = ", ".join(f'"{word}": BMSMode({number})' for number, word in PHASES.items())
    unused = {key: values.said[key].unused for key in told if values.said[key].unused is not None}
    lists = {key for key in told if values.said[key].quantity.array}
    added = {key for key in told if values.said[key].adds}
    to.put("#: What finds frames: the function, how many bytes end one, where its digits begin.")
    to.put(f"_FRAMES: Final = ({', '.join(frames)},)")
    to.put(f"_KEYS: Final[dict[str, Any]] = {keys!r}")
    to.put(f"_WHOLE: Final = frozenset({sorted(WHOLE & set(keys.values()))!r})")
    to.put(f"_INFO: Final[dict[str, Any]] = { {key: INFO[key] for key in told if key in INFO}!r}")
    to.put(f"_SENSORS: Final[dict[str, TempSensor.T]] = {{{sensors}}}")
    to.put(f"_PHASES: Final = {{{phases}}}")
    to.put(f"_LISTS: Final = frozenset({sorted(lists)!r})")
    to.put(f"_ADDED: Final = frozenset({sorted(added)!r})")
    to.put("#: What stands in places at the end of a list that nothing is at.")
    to.put(f"_UNUSED: Final[dict[str, float]] = {unused!r}")
    to.put("")
    to.put("")


_JOINED = '''
def _joined(replies: dict[int, list[tuple[str, Any]]]) -> dict[str, Any]:
    """Return what all replies together say."""
    values: dict[str, Any] = {}
    for number in sorted(replies):
        for key, value in replies[number]:
            if key in _LISTS:
                values.setdefault(key, []).append(value)
            elif value != "" and key not in values:
                values[key] = value
            elif key in _ADDED and key == "problem_code":
                values[key] = int(values[key]) | int(value)
            elif key in _ADDED:
                values[key] += value
    for key, nothing in _UNUSED.items():
        while len(values.get(key, [])) > 1 and values[key][-1] == nothing:
            values[key].pop()
    count = values.get("cell_count", 0)
    if len(replies) > 1 and count > 0 and len(values.get("cell_voltages", [])) > count:
        values["cell_voltages"] = values["cell_voltages"][:count]
    return values


def _sample(values: dict[str, Any]) -> BMSSample:
    """Return values under the names that aiobmsble has for them."""
    sample: BMSSample = {}
    for key, name in _KEYS.items():
        value = values.get(key)
        if value is not None and name not in _WHOLE:
            sample[name] = value
        elif value is not None and math.isfinite(value):
            sample[name] = int(value)
    if "cell_voltages" in values:
        sample["cell_voltages"] = values["cell_voltages"]
    if "balancing" in values:
        sample["balancer"] = values["balancing"]
    if values.get("charge_phase") in _PHASES:
        sample["battery_mode"] = _PHASES[values["charge_phase"]]
    sensors = []
    for key, kind in _SENSORS.items():
        said = values.get(key, [])
        sensors += [TempSensor(each, kind) for each in (said if isinstance(said, list) else [said])]
    if sensors:
        sample["temp_values"] = sensors
    return sample


'''


def _uuid(text: str) -> str:
    return plain(
        text[4:8] if text.startswith("0000") and text.endswith("-0000-1000-8000-00805f9b34fb") else text
    )


def _write_class(to: Python, values: ValueReplies, asked: list[tuple[Question, bytes]]) -> None:
    model = values.model
    gatt = model.gatt[0]
    with to.block("class BMS(BaseBMS):"):
        to.put(f'"""{plain(model.title)} implementation."""')
        to.put("")
        info = f'{{"manufacturer": "{plain(model.title)}", "model": "BMS"}}'
        to.put(f"INFO: BMSInfo = {info}")
        to.put("")
        for line in _INIT.strip("\n").splitlines():
            to.put(line)
        to.put("    return [")
        for pattern in _patterns(model):
            to.put(f"        {pattern},")
        to.put("    ]")
        to.put("")
        for name, words, kind, value in (
            (
                "uuid_services",
                "list of 128-bit UUIDs of services required by BMS",
                "tuple[str, ...]",
                f"({' '.join(f'normalize_uuid_str("{_uuid(each)}"),' for each in gatt.services)})",
            ),
            (
                "uuid_rx",
                "16-bit UUID of characteristic that provides notification/read property",
                "str",
                f'"{_uuid(gatt.notify)}"',
            ),
            (
                "uuid_tx",
                "16-bit UUID of characteristic that provides write property",
                "str",
                f'"{_uuid(gatt.write)}"',
            ),
        ):
            to.put("@staticmethod")
            with to.block(f"def {name}() -> {kind}:"):
                to.put(f'"""Return {words}."""')
                to.put(f"return {value}")
            to.put("")
        infos = [(question, frame) for question, frame in asked if _says(values, question, INFO)]
        if infos:
            with to.block("async def _fetch_device_info(self) -> BMSInfo:"):
                to.put('"""Fetch the device information via BLE."""')
                for question, frame in infos:
                    _write_ask(to, values, question, frame)
                to.put("values = _joined(self._said)")
                to.put("return {name: str(values[key]) for key, name in _INFO.items() if key in values}")
            to.put("")
        for line in _HANDLER.strip("\n").splitlines():
            to.put(line)
        to.put("")
        with to.block("async def _async_update(self) -> BMSSample:"):
            to.put('"""Update battery status information."""')
            for question, frame in asked:
                only_infos = _says(values, question, INFO) and not _says(values, question, _MAPPED)
                if not only_infos or _tells(model, question):
                    _write_ask(to, values, question, frame)
            if not asked:
                to.say("Nothing is asked: the pack speaks by itself.")
                to.put("await asyncio.wait_for(self._wait_event(), self.TIMEOUT)")
            to.put("return _sample(_joined(self._said))")


def _says(values: ValueReplies, question: Question, keys: Mapping[str, str] | frozenset[str]) -> bool:
    return any(
        key in keys and any(each.reply.name in question.replies for each in said.readings)
        for key, said in values.said.items()
    )


_MAPPED: Final = frozenset({*KEYS, *SENSORS, "cell_voltages", "balancing", "charge_phase"})


def _tells(model: ModelProtocol, question: Question) -> bool:
    """Tell whether other replies ask for what a reply to this says."""
    return any(name in model.asked_for for name in question.replies)


def _write_ask(to: Python, values: ValueReplies, question: Question, frame: bytes) -> None:
    model = values.model
    known = {reply.name for reply in values.replies}
    numbers = [
        model.order_of_replies[name]
        for index, name in enumerate(question.replies)
        if name in known and (index == 0 or model.reply(name).layouts[0].sayings)
    ]
    to.say(plain(question.name))
    extra = ", optional=True" if question.optional else ""
    call = f'await self._ask("{frame.hex()}", {{{", ".join(map(str, numbers))}}}{extra})'
    if question.once:
        with to.block(f"if not self._heard({numbers[0] if numbers else 0}):"):
            to.put(call)
    else:
        to.put(call)
    if any(model.reply(name).part for name in question.replies):
        to.put("await asyncio.sleep(0.3)  # for the other frames of this reply")


_INIT = '''
def __init__(
    self,
    ble_device: BLEDevice,
    config: BMSConfig | None = None,
    logger_name: str = "",
) -> None:
    """Initialize private BMS members."""
    super().__init__(ble_device, config, logger_name)
    self._stream: bytes = b""
    self._said: dict[int, list[tuple[str, Any]]] = {}
    self._known: dict[str, float] = {}
    self._wanted: set[int] = set()

@staticmethod
def matcher_dict_list() -> list[MatcherPattern]:
    """Provide BluetoothMatcher definition."""
'''
_HANDLER = f'''
def _notification_handler(self, _sender: BleakGATTCharacteristic, data: bytearray) -> None:
    """Handle the RX characteristics notify event (new data arrives)."""
    self._log.debug("RX BLE data: %s", data)
    self._stream += bytes(data)
    at = 0
    while at < len(self._stream):
        waits = False
        for find, tail, digits in _FRAMES:
            length = find(self._stream, len(self._stream), at)
            if length > 0:
                frame = self._stream[at : at + length - tail]
                self._take(_unhex(frame, digits) if digits is not None else frame, length)
                at += length
                break
            waits = waits or length < 0
        else:
            if waits:
                break
            at += 1
    self._stream = self._stream[at:]

def _take(self, data: bytes, whole: int) -> None:
    """Take a frame without its end."""
    found = _reply_of(data, whole)
    if found is None:
        self._log.debug("unexpected response %s", data[:8].hex(" "))
        return
    number, read = found
    part, said = read(data, self._known)
    self._said[number * {PARTS} + part] = said
    self._wanted.discard(number)
    if not self._wanted:
        self._msg_event.set()

def _heard(self, reply: int) -> bool:
    """Tell whether a reply came."""
    return any(key // {PARTS} == reply for key in self._said)

async def _ask(self, frame: str, replies: set[int], *, optional: bool = False) -> None:
    """Ask, and wait for all that answers."""
    self._said = {{key: said for key, said in self._said.items() if key // {PARTS} not in replies}}
    self._stream, self._wanted = b"", set(replies)
    try:
        await self._await_msg(bytes.fromhex(frame))
    except TimeoutError:
        if not optional:
            raise
'''


def _patterns(model: ModelProtocol) -> Iterator[str]:
    """Yield what advertisements are matched with."""
    found = 0
    for each in model.content.get("recognise", {}).get("advertisements", ()):
        said = pattern_of(each)
        rows: dict[str, Any] = {}
        if said.name:
            rows["local_name"] = said.name
        if said.service:
            rows["service_uuid"] = said.service
        if said.service_data:
            rows["service_data_uuid"] = said.service_data
        if len(said.address) == _OUI:
            rows["oui"] = said.address
        if said.manufacturer is not None:
            rows["manufacturer_id"] = said.manufacturer
        if said.data:
            rows["manufacturer_data_start"] = list(said.data)
        if rows:
            found += 1
            yield f"{ascii(rows)[:-1]}, 'connectable': True}}"
    if not found:
        yield f"{{'service_uuid': '{model.gatt[0].service}', 'connectable': True}}"
