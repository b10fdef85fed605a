"""A model as a configuration of ESPHome: sensors, what asks the pack, and one lambda that decodes it."""

import json
from collections.abc import Iterator
from typing import Final

from packwire.errors import BadOptionError
from packwire.export.esphome_decoder import PREFIX, decoder, kind_of, odd
from packwire.export.exported import Exported, Over, heading
from packwire.export.said import SaidQuantity, ValueReplies
from packwire.export.text import identifier, plain
from packwire.models.protocol import ModelProtocol
from packwire.models.requests import Question
from packwire.protocol.base import Gatt
from packwire.quantity import QUANTITIES, Kind, Quantity

#: Device classes of Home Assistant, where a quantity of such a unit has one.
_CLASSES: Final = {
    Kind.VOLTAGE: "voltage",
    Kind.CURRENT: "current",
    Kind.POWER: "power",
    Kind.ENERGY: "energy_storage",
    Kind.TEMPERATURE: "temperature",
    Kind.CHARGE_LEVEL: "battery",
    Kind.HUMIDITY: "humidity",
    Kind.PRESSURE: "pressure",
    Kind.DURATION: "duration",
    Kind.DISTANCE: "distance",
    Kind.SPEED: "speed",
    Kind.SIGNAL: "signal_strength",
}
_UNITS: Final = {"degC": "\N{DEGREE SIGN}C", "Ohm": "\N{GREEK CAPITAL LETTER OMEGA}"}
#: Seconds between two readings; between two requests of one; for what is asked once.
_SHORT: Final = "-0000-1000-8000-00805f9b34fb"
_EVERY, _BETWEEN, _ONCE, _STREAMS = 10, 0.4, 600, 60


def esphome(model: ModelProtocol, over: Over | None = None, unit: int | None = None) -> Exported:
    """Return a configuration of ESPHome for a board near the pack.

    `over` is the link that it is read on (None: Bluetooth where the model has it, then a serial line, then
    CAN), `unit` the pack's address where several share a line, or hang on one device. Raises
    BadOptionError where the model is not spoken on that link, or has no such address.
    """
    values = ValueReplies(model, keyed=True, one_pack=unit is not None and model.packs is not None)
    values.require("ESPHome")
    over = _link(model, over)
    asked, not_asked = values.frames(unit)
    left_out = tuple(dict.fromkeys([*values.left_out(), *_not_shown(values), *not_asked]))
    lines = [f"# {line}" for line in heading(model, "a configuration of ESPHome", left_out)]
    lines.append(
        "# Yours to fill in: the board, its pins, the address of the pack; then wifi:, api: and ota:."
    )
    lines += _BOARD.format(name=f"{identifier(model.name).replace('_', '-')[:20]}-pack").splitlines()
    match over:
        case "ble":
            lines += _BLE.splitlines()
        case "serial":
            lines += _serial(model, decoder(model, values))
        case "can":
            lines += _can(model, decoder(model, values))
    lines += _intervals(asked, over, model)
    sensors: dict[str, list[str]] = {"sensor": [], "binary_sensor": [], "text_sensor": []}
    if over == "ble":
        sensors["sensor"] += _ble_sensor(model.gatt[0], decoder(model, values))
    for said in values.said.values():
        sensors[kind_of(said)] += _sensors(said)
    for each in values.sums.values():
        quantity = QUANTITIES[each.key]
        sensors["sensor"] += _sensor(quantity, quantity.key, quantity.name)
    for key, rows in sensors.items():
        if rows:
            lines += ["", f"{key}:", *rows]
    return Exported("\n".join(lines) + "\n", left_out)


_BOARD = """
esphome:
  name: {name}
  includes: ["<cctype>", "<cmath>", "<cstdio>", "<cstring>", "<map>"]

esp32:
  board: esp32dev
  framework:
    type: esp-idf

logger:"""

_BLE = """
esp32_ble_tracker:

ble_client:
  - id: pack
    mac_address: 00:00:00:00:00:00  # of the pack"""


def _link(model: ModelProtocol, over: Over | None) -> Over:
    spoken: list[Over] = []
    if model.gatt:
        spoken.append("ble")
    if model.serial:
        spoken.append("serial")
    if model.can:
        spoken.append("can")
    if not spoken or (over is not None and over not in spoken):
        raise BadOptionError(
            f"{model.name} is spoken over {' and '.join(spoken) or 'none of ble, serial, can'}"
        )
    return over or spoken[0]


def _not_shown(values: ValueReplies) -> Iterator[str]:
    for said in values.said.values():
        for each in said.readings:
            if odd(each):
                yield f"{each.reply.name}, {each.field.name}: {odd(each)}"
    for one in values.model.computed:
        if one.key not in values.said and one not in values.sums.values():
            yield f"{one.key}: it follows from others, add a template sensor for it"


def _bytes(data: bytes) -> str:
    return f"[{', '.join(f'0x{byte:02x}' for byte in data)}]"


def _uuid(text: str) -> str:
    return text[4:8] if text.startswith("0000") and text.endswith(_SHORT) else text


def _ble_sensor(gatt: Gatt, code: list[str]) -> list[str]:
    return [
        "  - platform: ble_client",
        "    type: characteristic",
        "    ble_client_id: pack",
        "    id: frames",
        "    internal: true",
        f'    service_uuid: "{_uuid(gatt.service)}"',
        f'    characteristic_uuid: "{_uuid(gatt.notify)}"',
        "    notify: true",
        "    update_interval: never",
        "    lambda: |-",
        *_indented([*code, "return x.size();"], 6),
    ]


def _indented(code: list[str], by: int) -> list[str]:
    return [f"{' ' * by}{line}".rstrip() for line in code]


def _serial(model: ModelProtocol, code: list[str]) -> list[str]:
    read = [
        "std::vector<uint8_t> x;",
        "uint8_t one;",
        "while (x.size() < 512 && id(line).available() && id(line).read_byte(&one)) x.push_back(one);",
        "if (x.empty()) return;",
    ]
    return [
        "",
        "uart:",
        "  id: line",
        "  tx_pin: GPIO17",
        "  rx_pin: GPIO16",
        f"  baud_rate: {model.baud}",
        "  rx_buffer_size: 1024",
        "",
        "interval:",
        "  - interval: 20ms",
        "    then:",
        "      - lambda: |-",
        *_indented([*read, *code], 10),
    ]


def _can(model: ModelProtocol, code: list[str]) -> list[str]:
    lines = [
        "",
        "canbus:",
        "  - platform: esp32_can",
        "    tx_pin: GPIO5",
        "    rx_pin: GPIO4",
        "    can_id: 0",
        f"    bit_rate: {model.baud // 1000}KBPS",
        "    on_frame:",
    ]
    kinds = {bool((each.begins[0] or 0) & 0x80) for each in model.replies}
    for extended in sorted(kinds):
        word = "true" if extended else "false"
        lines += [
            "      - can_id: 0",
            "        can_id_mask: 0",
            f"        use_extended_id: {word}",
            "        then:",
            "          - lambda: |-",
            *_indented([f"const bool extended = {word};", *code], 14),
        ]
    return lines


def _intervals(asked: list[tuple[Question, bytes]], over: Over, model: ModelProtocol) -> list[str]:
    """Return what asks the pack, by how often."""
    rounds: dict[int, list[tuple[Question, bytes]]] = {}
    for question, frame in asked:
        every = (
            _ONCE if question.once else _STREAMS if question.streams else max(_EVERY, round(question.every))
        )
        rounds.setdefault(every, []).append((question, frame))
    lines = [] if over == "serial" or not rounds else ["", "interval:"]
    for every, questions in sorted(rounds.items()):
        lines += [f"  - interval: {every}s", "    startup_delay: 15s", "    then:"]
        for question, frame in questions:
            lines.append(f"      # {plain(question.name)}")
            if over == "serial":
                lines += ["      - uart.write:", "          id: line", f"          data: {_bytes(frame)}"]
            else:
                gatt = model.gatt[0]
                lines += [
                    "      - ble_client.ble_write:",
                    "          id: pack",
                    f'          service_uuid: "{_uuid(gatt.services[-1])}"',
                    f'          characteristic_uuid: "{_uuid(gatt.write)}"',
                    f"          value: {_bytes(frame)}",
                ]
            lines.append(f"      - delay: {max(_BETWEEN, question.pause, model.pause)}s")
    return lines


def _sensors(said: SaidQuantity) -> list[str]:
    quantity = said.quantity
    if kind_of(said) == "sensor" and quantity.array:
        return [
            line
            for number in range(1, said.most + 1)
            for line in _sensor(quantity, f"{quantity.key}_{number}", quantity.element.format(number=number))
        ]
    if kind_of(said) == "sensor":
        return _sensor(quantity, quantity.key, quantity.name)
    return [
        "  - platform: template",
        f"    id: {PREFIX}{quantity.key}",
        f"    name: {json.dumps(quantity.name)}",
    ]


def _sensor(quantity: Quantity, key: str, name: str) -> list[str]:
    lines = ["  - platform: template", f"    id: {PREFIX}{key}", f"    name: {json.dumps(name)}"]
    if quantity.unit:
        lines.append(f"    unit_of_measurement: {json.dumps(_UNITS.get(quantity.unit, quantity.unit))}")
    if quantity.kind in _CLASSES:
        lines.append(f"    device_class: {_CLASSES[quantity.kind]}")
    lines.append(f"    state_class: {'total_increasing' if quantity.counter else 'measurement'}")
    lines.append(f"    accuracy_decimals: {quantity.precision}")
    return lines
