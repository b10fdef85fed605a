"""VESC payloads in words: the command's name, one line of what it says, its bytes with secrets hidden."""

from collections.abc import Callable, Iterator
from typing import Any, override

from packwire.protocol.words import MASKED, SOME_BYTES, Words, some_fields
from packwire.vesc.commands import Command
from packwire.vesc.hardware import fault_name, hardware_label
from packwire.vesc.replies import (
    EXPRESS_CONFIG,
    BmsCanFrame,
    BmsValues,
    ExpressConfig,
    FwVersion,
    PingCan,
    Print,
    SetupValues,
    Values,
    decode_reply,
    reply_spans,
)
from packwire.vesc.requests import unwrap
from packwire.vesc.secrets import CONFIG_COMMANDS, decode_config, hidden, secret_of
from packwire.visible import printable
from packwire.wire.codec import Span
from packwire.wire.layout import Decoded

#: A forwarded request of which nothing but FORWARD_CAN is there.
_NOTHING_FORWARDED = bytes((Command.FORWARD_CAN,))


class VescWords(Words):
    """Words for VESC payloads."""

    @override
    def name(self, route: tuple[int, ...], message: bytes) -> str:
        return super().name(route, message or _NOTHING_FORWARDED)

    @override
    def hidden(self, message: bytes) -> list[tuple[int, int]]:
        return hidden(message)

    @override
    def request(self, message: bytes, *, keep_secrets: bool) -> str:
        return request_summary(message, keep_secrets=keep_secrets)

    @override
    def fields(self, message: bytes) -> list[Span]:
        if message[0] not in CONFIG_COMMANDS:
            return reply_spans(message)
        return [] if decode_config(message) is None else EXPRESS_CONFIG.spans(message)

    @override
    def values(self, message: bytes, *, keep_secrets: bool) -> dict[str, Any] | None:
        decoded = self._decode(message, keep_secrets=keep_secrets)
        if decoded is None:
            return None
        return {name: value for name, value in decoded.reply._asdict().items() if value is not None}

    @override
    def highlight(self, message: bytes) -> str:
        decoded = decode_reply(message)
        if decoded is None or not isinstance(decoded.reply, BmsValues):
            return ""
        return "but there is no BMS: all zero" if decoded.reply.absent else f"{decoded.reply.cell_num} cells"

    def _decode(self, payload: bytes, *, keep_secrets: bool) -> Decoded[Any] | None:
        if payload[0] in CONFIG_COMMANDS:
            return decode_config(payload, keep_secrets=keep_secrets)
        decoded = decode_reply(payload)
        if decoded is None or keep_secrets or secret_of(payload) is None:
            return decoded
        names = [span.name for span in self.spans(payload, keep_secrets=False) if span.value == MASKED]
        return decoded._replace(reply=decoded.reply._replace(**dict.fromkeys(names, MASKED)))

    @override
    def reply(self, message: bytes, *, keep_secrets: bool) -> str:
        if message[0] == Command.GET_CUSTOM_CONFIG_XML:
            return _xml_piece(message)
        if _all_hidden(message, keep_secrets=keep_secrets):
            return _some_bytes(message, keep_secrets=keep_secrets)
        decoded = self._decode(message, keep_secrets=keep_secrets)
        if decoded is None:
            return _some_bytes(message, keep_secrets=keep_secrets)
        words = _WORDS.get(type(decoded.reply))
        text = words(decoded.reply) if words else _fields(decoded.reply)
        return (text if text.isprintable() else printable(text)) + _odd_length(message[0], decoded)


def request_summary(payload: bytes, *, keep_secrets: bool) -> str:
    """Say in a line what a request asks for beyond its name."""
    _, request = unwrap(payload)
    if not request:
        return "FORWARD_CAN without a request: this wedges the device"
    arguments = request[1:]
    if _all_hidden(request, keep_secrets=keep_secrets):
        return _some_bytes(request, keep_secrets=keep_secrets)
    match request[0]:
        case Command.GET_VALUES_SELECTIVE | Command.GET_VALUES_SETUP_SELECTIVE | Command.GET_STATS:
            return f"{int.from_bytes(arguments).bit_count()} fields, mask 0x{arguments.hex()}"
        case Command.GET_CUSTOM_CONFIG_XML if len(arguments) == 9:
            size, offset = int.from_bytes(arguments[1:5]), int.from_bytes(arguments[5:9])
            return f"{size} bytes from {offset}"
        case Command.TERMINAL_CMD | Command.TERMINAL_CMD_SYNC:
            return printable(repr(arguments.rstrip(b"\0").decode("utf-8", "replace")))
        case Command.GET_CUSTOM_CONFIG | Command.GET_CUSTOM_CONFIG_DEFAULT if len(arguments) == 1:
            return ""
    return _some_bytes(request, keep_secrets=keep_secrets) if arguments else ""


def _all_hidden(payload: bytes, *, keep_secrets: bool) -> bool:
    """Tell whether a payload says nothing but what is hidden."""
    secret = None if keep_secrets else secret_of(payload)
    return secret is not None and secret.begin is not None and not secret.fields and bool(hidden(payload))


def _some_bytes(payload: bytes, *, keep_secrets: bool) -> str:
    """Return the first bytes behind the command, or in a word what is hidden of it."""
    secret = secret_of(payload)
    if not keep_secrets and hidden(payload):
        return f"{secret.one if secret else 'a login'} (hidden)"
    more = " ..." if len(payload) > SOME_BYTES + 1 else ""
    return payload[1 : SOME_BYTES + 1].hex(" ") + more


def _xml_piece(payload: bytes) -> str:
    if len(payload) < 10:
        return _some_bytes(payload, keep_secrets=True)
    total, offset = int.from_bytes(payload[2:6]), int.from_bytes(payload[6:10])
    return f"bytes {offset} to {offset + len(payload) - 11} of {total}"


def _odd_length(command: int, decoded: Decoded[Any]) -> str:
    """Say where a reply ends early, as older firmware's do, or goes on."""
    if decoded.missing and command != Command.FW_VERSION:
        return f"  (ends before {decoded.missing[0]})"
    return f"  (and {decoded.left_over} bytes that are not known here)" if decoded.left_over else ""


def _version(reply: FwVersion) -> str:
    name = reply.hw_name or "without a name"
    return f"{name}, firmware {reply.version} ({hardware_label(reply.hw_type)})"


def _bms(reply: BmsValues) -> str:
    if reply.absent:
        return "no BMS (all zero, no cells)"
    parts = [f"{reply.v_tot:.2f} V"] if reply.v_tot is not None else []
    cells = reply.v_cell or ()
    parts.append(f"{len(cells)} cells" + (f" {min(cells):.3f}..{max(cells):.3f} V" if cells else ""))
    current = reply.i_in_ic or reply.i_in
    if current:
        parts.append(f"{'discharging' if current > 0 else 'charging'} {abs(current):.2f} A")
    if reply.soc is not None:
        parts.append(f"SoC {100 * reply.soc:.1f} %")
    balancing = sum(1 for state in reply.bal or () if state)
    if balancing:
        parts.append(f"{balancing} balancing")
    if reply.scripted:
        parts.append("(set by a script)")
    return "  ".join(parts)


def _config(reply: ExpressConfig) -> str:
    parts = [f"configuration {reply.config_index}: CAN id {reply.controller_id}"]
    if reply.use_tcp_hub:
        parts.append(f"hub {reply.tcp_hub_url}:{reply.tcp_hub_port} id {reply.tcp_hub_id}")
    parts += [
        f"{name} {value}"
        for name, value in (
            ("hub password", reply.tcp_hub_pass),
            ("Wi-Fi", reply.wifi_sta_ssid),
            ("key", reply.wifi_sta_key),
            ("own Wi-Fi", reply.wifi_ap_ssid),
            ("key", reply.wifi_ap_key),
            ("Bluetooth PIN", reply.ble_pin),
        )
        if value
    ]
    return "  ".join(parts)


def _controller(reply: Values) -> str:
    return "  ".join(_present((reply.v_in, "{:.1f} V in"), (reply.current_in, "{:.2f} A in"), *_drive(reply)))


def _setup(reply: SetupValues) -> str:
    parts = [
        *_present((reply.v_in, "{:.1f} V in"), (reply.current_in_tot, "{:.2f} A in"), *_drive(reply)),
        *_present((reply.num_vescs, "{} controllers")),
    ]
    if reply.battery_level is not None:
        parts.append(f"battery {100 * reply.battery_level:.1f} %")
    return "  ".join(parts)


def _drive(reply: Values | SetupValues) -> Iterator[tuple[Any, str]]:
    yield reply.rpm, "{} rpm"
    yield reply.temp_fet, "MOSFETs {:.1f} degC"
    yield (fault_name(reply.fault) if reply.fault is not None else None), "fault {}"


def _present(*amounts: tuple[Any, str]) -> Iterator[str]:
    return (text.format(value) for value, text in amounts if value is not None)


def _ping(reply: PingCan) -> str:
    ids = ", ".join(str(number) for number in reply.ids or ())
    return f"CAN ids {ids}" if ids else "no CAN id answered"


def _print(reply: Print) -> str:
    return repr(reply.text or "")


def _can_frame(reply: BmsCanFrame) -> str:
    return f"from CAN id {reply.sender}: packet {reply.packet}, {(reply.data or b'').hex(' ')}"


def _fields(reply: Any) -> str:
    return some_fields({name: value for name, value in reply._asdict().items() if name != "mask"})


_WORDS: dict[type, Callable[[Any], str]] = {
    FwVersion: _version,
    BmsValues: _bms,
    Values: _controller,
    SetupValues: _setup,
    ExpressConfig: _config,
    PingCan: _ping,
    Print: _print,
    BmsCanFrame: _can_frame,
}
