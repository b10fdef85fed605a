"""Where a device is: the address that every command takes. A link, a target on it, a node, a protocol.

    vesc://host[:65102][/can/84]                   a VESC on the network
    veschub://ID[:PASSWORD]@host[:65101][/can/84]  a VESC behind a TCP hub
    serial:/dev/ttyACM0[?model=&baud=][/can/84]    a VESC on a serial port or USB; with a model, any BMS
    tcp://host:port?model=jbd                      a BMS behind a bridge from its serial line to the network
    serial:/dev/ttyUSB0?model=pace&address=2       one of several packs on one cable; &listen: only hear
    can://can0?model=pylontech-can[&bitrate=]      packs on a CAN bus; &interface=slcan, socketcand, virtual
    ble://A4:C1:38:00:00:01[?model=&adapter=&pin=] a pack with Bluetooth, by its address or by its name
    ble://A4:C1:38:00:00:01?proxy=host[:6053]&take the same, through an ESPHome device with a Bluetooth proxy
    replay:session.btsnoop[?model=]                a recording, read as if it were the device
    sim:vesc                                       a simulated device, started for the occasion

A password or a PIN may stand in the address; it is never printed again: `str()` leaves it out.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from packwire.errors import BadAddressError

VESC_PORT = 65102
HUB_PORT = 65101
MODBUS_PORT = 502
"""The port that is registered for Modbus TCP."""
ESPHOME_PORT = 6053
"""Where an ESPHome device serves its native API, unless its configuration says otherwise."""
VESC = "vesc"
"""The protocol that an address means where it names none."""


class LinkKind(StrEnum):
    """What an address leads over; `packwire.link` has a module of each name."""

    TCP = "tcp"
    HUB = "hub"
    SERIAL = "serial"
    BLE = "ble"
    CAN = "can"
    REPLAY = "replay"
    """A recording; `packwire.capture.replay` plays it."""
    SIM = "sim"
    """A simulator that the command line starts."""


#: Links whose addresses need no model: what the device says of itself, or the recording, tells it.
FOUND_OUT = (LinkKind.BLE, LinkKind.REPLAY)


@dataclass(frozen=True, slots=True)
class BluetoothProxy:
    """An ESPHome device that lends its Bluetooth; `key` is its API's, base64, None where it has none.

    `takes`: its Bluetooth may be taken from another program, which then hears nothing through it.
    """

    host: str
    port: int = ESPHOME_PORT
    takes: bool = False
    key: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return place(self.host, self.port, ESPHOME_PORT)


#: By what one listens and connects: an adapter of this computer (empty: the system's choice), or a proxy.
type Radio = str | BluetoothProxy


@dataclass(frozen=True, slots=True)
class Address:
    """One device, or one node behind it.

    `target` is a host, the path of a serial port or of a recording, a Bluetooth address or name, or a
    simulator's name; `user` is the id that a hub knows the device by, `port` 0 where there is none. `node` is
    its number on the device's bus, `model` the name of its protocol (`packwire.protocols`), empty where it is
    found out, or the path of a DBC file. `baud` None is what the protocol usually has, on a serial line or a
    CAN bus; `password` and `pin` None have not been said. `adapter` is the Bluetooth adapter to use (`hci1`),
    empty for the system's choice. `unit` is the device's address on a line that it shares with others (None:
    the protocol's usual one); with `listens`, nothing is sent: another master asks. `interface` is the kind
    of CAN adapter, empty for the system's own. `enveloped`: it is Modbus TCP, and no raw bytes of a line.
    `resets`: a Bluetooth adapter that hangs may be switched off and on. With a `proxy`, a pack is reached by
    the Bluetooth of an ESPHome device in place of an adapter.
    """

    link: LinkKind
    target: str
    port: int = 0
    user: str = ""
    node: int | None = None
    model: str = VESC
    baud: int | None = None
    password: str | None = field(default=None, repr=False)
    adapter: str = ""
    pin: str | None = field(default=None, repr=False)
    unit: int | None = None
    listens: bool = False
    interface: str = ""
    enveloped: bool = False
    resets: bool = False
    proxy: BluetoothProxy | None = None

    @property
    def radio(self) -> Radio:
        """Return by what a pack with Bluetooth is reached."""
        return self.proxy or self.adapter

    @property
    def host(self) -> str:
        """Return the host of a network address."""
        return self.target

    @property
    def on_network(self) -> bool:
        """Tell whether it leads over the network."""
        return self.link in {LinkKind.TCP, LinkKind.HUB}

    def __str__(self) -> str:
        node = "" if self.node is None else f"/can/{self.node}"
        if self.link is LinkKind.HUB:
            user = quote(self.user, errors="surrogateescape")  # an id may hold bytes that are no text
            return f"veschub://{user}@{place(self.target, self.port, HUB_PORT)}{node}"
        if self.link is LinkKind.TCP and self.model == VESC:
            return f"vesc://{place(self.target, self.port, VESC_PORT)}{node}"
        usual = "" if self.link in FOUND_OUT else VESC
        named = {
            "model": None if self.model == usual else quote(self.model, safe="/"),
            "bitrate" if self.link is LinkKind.CAN else "baud": self.baud,
            "adapter": quote(self.adapter, safe=":/,") or None,
            "proxy": quote(str(self.proxy), safe=":[]") if self.proxy else None,
            "interface": self.interface or None,
            "address": self.unit,
        }
        said = [f"{name}={value}" for name, value in named.items() if value is not None]
        enveloped = self.enveloped and self.port != MODBUS_PORT
        takes = self.proxy is not None and self.proxy.takes
        switches = (
            ("take", takes),
            ("listen", self.listens),
            ("modbus-tcp", enveloped),
            ("reset", self.resets),
        )
        flags = [name for name, on in switches if on]
        options = "&".join([*said, *flags])
        query = f"?{options}" if options and self.link is not LinkKind.SIM else ""
        if self.link is LinkKind.TCP:
            return f"tcp://{place(self.target, self.port, None)}{node}{query}"
        if self.link is LinkKind.BLE:
            return f"ble://{quote(self.target, safe=':')}{node}{query}"
        if self.link is LinkKind.CAN:
            return f"can://{self.target}{query}"
        return f"{self.link}:{self.target}{node}{query}"


def tcp_address(host: str, port: int = VESC_PORT, node: int | None = None, model: str = VESC) -> Address:
    """Return the address of a TCP port: a VESC's own, or a bridge to another protocol's device."""
    return Address(LinkKind.TCP, host, port, node=node, model=model)


def hub_address(
    device_id: str, host: str, port: int = HUB_PORT, node: int | None = None, password: str | None = None
) -> Address:
    """Return the address of a VESC that a TCP hub knows by its id."""
    return Address(LinkKind.HUB, host, port, device_id, node, password=password)


def serial_address(
    path: str,
    baud: int | None = None,
    node: int | None = None,
    model: str = VESC,
    *,
    unit: int | None = None,
    listens: bool = False,
) -> Address:
    """Return the address of a device on a serial port."""
    return Address(LinkKind.SERIAL, path, node=node, model=model, baud=baud, unit=unit, listens=listens)


def can_address(
    channel: str, model: str, bit_rate: int | None = None, *, interface: str = "", unit: int | None = None
) -> Address:
    """Return the address of packs on a CAN bus: `can0`, the path of an adapter, `host:port/can0`."""
    return Address(LinkKind.CAN, channel, model=model, baud=bit_rate, interface=interface, unit=unit)


def ble_address(
    target: str, *, model: str = "", radio: Radio = "", pin: str | None = None, node: int | None = None
) -> Address:
    """Return the address of a pack with Bluetooth: by its address, its UUID (macOS), or its name."""
    if _MAC.fullmatch(target) or _UUID.fullmatch(target):
        target = target.upper()
    if _MAC.fullmatch(target):
        target = target.replace("-", ":")
    address = Address(LinkKind.BLE, target, node=node, model=model, pin=pin)
    if isinstance(radio, BluetoothProxy):
        return replace(address, proxy=radio)
    return replace(address, adapter=radio)


def bluetooth_proxy(text: str) -> BluetoothProxy:
    """Read `host` or `host:port`; its key is no part of it. Raises BadAddressError."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not _HOST_OF_A_PROXY.fullmatch(host) or parts.netloc != text or "@" in text or port == 0:
        # What was typed is not said again: a key may be in it.
        raise BadAddressError(
            "a Bluetooth proxy is an ESPHome device by its host, such as esp32-garage.local or "
            "192.168.1.40:6053; its key is kept apart (PACKWIRE_PROXY_KEY)"
        )
    return BluetoothProxy(host, port or ESPHOME_PORT)


def is_bluetooth_address(target: str) -> bool:
    """Tell whether the target of a Bluetooth address is an address of the system's, rather than a name."""
    return bool(_MAC.fullmatch(target) or _UUID.fullmatch(target))


def replay_address(path: str, model: str = "") -> Address:
    """Return the address of a recording that is read like the device."""
    return Address(LinkKind.REPLAY, path, model=model)


def sim_address(name: str, node: int | None = None) -> Address:
    """Return the address of a simulator that the command line starts."""
    return Address(LinkKind.SIM, name, node=node, model=name)


#: How the address of a VESC is written, and how that of any device.
FORMS_OF_A_VESC = ("vesc://host", "veschub://ID@host", "serial:/dev/ttyACM0", "sim:vesc")
FORMS = (
    "vesc://host",
    "veschub://ID@host",
    "ble://A4:C1:38:00:00:01 (or a name)",
    "tcp://host:port?model=NAME",
    "serial:/dev/ttyACM0",
    "serial:/dev/ttyUSB0?model=NAME",
    "can://can0?model=NAME",
    "replay:FILE",
    "sim:vesc",
)


def listed(forms: tuple[str, ...]) -> str:
    """Return forms of addresses as a part of a sentence."""
    return f"{', '.join(forms[:-1])} or {forms[-1]}"


_FORMS = listed(FORMS)
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}")
#: What is meant as one: no name looks so.
_NEARLY_MAC = re.compile(r"[0-9A-Za-z]{0,3}(?::[0-9A-Za-z]{0,3}){4,6}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
#: `hci1`, or what a simulator's air is reached by: `tcp-client:127.0.0.1:7000`.
_ADAPTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/._,\[\]-]{0,127}")
#: A name is at most 248 bytes long in Bluetooth [Core Specification, Vol 4, Part E, 6.23].
_LONGEST_NAME = 248
_CAN_SUFFIX = re.compile(r"/can/([^/?]*)$")
#: A name with a dot, or an IPv4 address: what somebody types who means a host.
_HOST = re.compile(r"localhost|[\w-]+(\.[\w-]+)+")
_HOST_OF_A_PROXY = re.compile(r"[\w.:%-]{1,253}")
_MODEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
#: A model may be named by its file; a DBC file stands in for one.
_MODEL_FILE = re.compile(r"[^\x00-\x1f]{1,400}\.(?:dbc|ya?ml)", re.IGNORECASE)
#: The kinds of CAN adapters that python-can names.
_INTERFACE = re.compile(r"[a-z][a-z0-9_]{0,31}")


def parse_address(text: str) -> Address:
    """Read an address; raise BadAddressError with what is wrong and what an address looks like."""
    scheme, colon, rest = text.partition(":")
    parser = _PARSERS.get(scheme.lower()) if colon else None
    if parser is None:
        raise BadAddressError(_unknown_scheme(text))
    return parser(rest)


def with_can_id(address: Address, can_id: int | None) -> Address:
    """Return the same address for another node on its CAN bus; raise BadAddressError for a bad id."""
    return replace(address, node=None if can_id is None else _checked_can_id(str(can_id)))


def with_secret(address: Address, password: str | None) -> Address:
    """Return a hub's address with its password, one with a proxy with the proxy's key; others as they are."""
    if password is None:
        return address
    if address.link is LinkKind.HUB:
        return replace(address, password=password)
    return replace(address, proxy=replace(address.proxy, key=password)) if address.proxy else address


def of_a_vesc(address: Address, command: str) -> Address:
    """Return the address; raise BadAddressError where it speaks another protocol than a command knows."""
    if address.model != VESC:
        other = f"{address} speaks {address.model}" if address.model else f"{address} does not name one"
        raise BadAddressError(f"{command} is for VESCs so far, and {other}; read and watch know it")
    return address


def _unknown_scheme(text: str) -> str:
    shown = text.rpartition("@")[2]  # what stands before an @ may be a password
    host, colon, port = shown.partition(":")
    if _HOST.fullmatch(host) and (not colon or port.isdecimal()):
        return f"{shown!r} is no address: did you mean vesc://{shown}? Addresses are {_FORMS}"
    if text.startswith(("/dev/", "COM")):
        return f"{text!r} is no address: did you mean serial:{text}?"
    return f"{host!r} is no address: addresses are {_FORMS}"  # what stands behind a : may be one, too


def _parse_vesc(rest: str) -> Address:
    host, port, user, node, _ = _split(rest, "vesc")
    if user:
        raise BadAddressError("vesc:// takes no id or password; through a hub it is veschub://ID@host")
    return tcp_address(host, port or VESC_PORT, node)


def _parse_tcp(rest: str) -> Address:
    place, mark, query = rest.partition("?")
    host, port, user, node, shown = _split(place, "tcp")
    if user:
        raise BadAddressError("tcp:// takes no id or password")
    options = _options(query if mark else "", f"tcp://{shown}", ("model", "address", "listen", "modbus-tcp"))
    if "model" not in options or not port:
        raise BadAddressError(
            f"tcp://{shown} names a port and a protocol: tcp://{host}:{port or 'PORT'}?model=NAME "
            "(packwire model list shows them; a VESC is vesc://)"
        )
    return replace(
        tcp_address(host, port, node, options["model"]),
        unit=_unit(options, f"tcp://{shown}"),
        listens="listen" in options,
        enveloped="modbus-tcp" in options or port == MODBUS_PORT,
    )


def _parse_hub(rest: str) -> Address:
    if "@" not in rest:
        raise BadAddressError("a hub address names the device and the hub: veschub://ID@host")
    host, port, user, node, _ = _split(rest, "veschub")
    device_id, colon, password = user.partition(":")
    if not device_id:
        raise BadAddressError("a hub address names the device: veschub://ID@host")
    said = unquote(password) if colon else None
    return hub_address(unquote(device_id), host, port or HUB_PORT, node, said)


def _split(rest: str, scheme: str) -> tuple[str, int | None, str, int | None, str]:
    """Return host, port, what stands before the @, the CAN id, and what may be shown of it."""
    if not rest.startswith("//"):
        raise BadAddressError(f"an address of this kind begins with {scheme}://")
    user, _, shown = rest[2:].rpartition("@")
    try:
        parts = urlsplit(f"//{shown}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadAddressError(
            f"an address is {scheme}://host or {scheme}://host:port, with a port of 1 to 65535 and brackets "
            "around an IPv6 address"
        ) from None
    if not host:
        raise BadAddressError(f"{scheme}://{shown} names no host")
    if port == 0:
        raise BadAddressError(f"{scheme}://{shown}: a port is 1 to 65535")
    path = parts.path.rstrip("/")
    match = _CAN_SUFFIX.fullmatch(path)
    if path and not match:
        raise BadAddressError(
            f"{path!r} in {scheme}://{shown} means nothing: the path of an address is /can/ID"
        )
    if parts.query or parts.fragment:
        raise BadAddressError(f"{scheme}://{shown}: nothing may follow the CAN id")
    return host, port, user, _checked_can_id(match[1]) if match else None, shown


def _options(query: str, shown: str, known: tuple[str, ...]) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = [name for name in options if name not in known]
    if unknown:
        raise BadAddressError(f"{shown} knows no option {', '.join(unknown)}; there is {', '.join(known)}")
    model = options.get("model")
    if model is not None and not _MODEL.fullmatch(model) and not _MODEL_FILE.fullmatch(model):
        raise BadAddressError(f"{shown}: {options['model'][:40]!r} is no name of a protocol, such as jbd")
    return options


def _parse_serial(rest: str) -> Address:
    path, _, query = rest.partition("?")
    path = path.removeprefix("//")
    match = _CAN_SUFFIX.search(path)
    if match:
        path = path[: match.start()]
    if not path:
        raise BadAddressError("a serial address names the port: serial:/dev/ttyACM0")
    shown = f"serial:{path}"
    options = _options(query, shown, ("model", "baud", "address", "listen"))
    node = _checked_can_id(match[1]) if match else None
    model = options.get("model", VESC)
    unit, listens = _unit(options, shown), "listen" in options
    if model == VESC and (unit is not None or listens):
        raise BadAddressError(f"{shown}: address and listen are for lines that packs share: add model=NAME")
    return serial_address(path, _rate(options, "baud", shown), node, model, unit=unit, listens=listens)


def _rate(options: dict[str, str], name: str, shown: str) -> int | None:
    rate = options.get(name)
    if rate is not None and (not rate.isdecimal() or not 1 <= int(rate[:9]) <= 20_000_000):
        raise BadAddressError(f"{shown}: {rate[:40]!r} is no {'bit' if name == 'bitrate' else 'baud'} rate")
    return None if rate is None else int(rate)


def _unit(options: dict[str, str], shown: str) -> int | None:
    """Return the address of one device on a line that several share."""
    text = options.get("address")
    if text is None:
        return None
    hexadecimal = text[:2].lower() == "0x"
    try:
        number = int(text[:5], 16 if hexadecimal else 10)
    except ValueError:
        number = -1
    if not 0 <= number <= 255 or len(text) > 4:
        raise BadAddressError(f"{shown}: {text[:40]!r} is no address on a line: those are 0 to 255")
    return number


def _parse_can(rest: str) -> Address:
    place, _, query = rest.partition("?")
    channel = place.removeprefix("//")
    if not place.startswith("//") or not channel or not channel.isprintable():
        raise BadAddressError("a CAN address names the bus and a protocol: can://can0?model=pylontech-can")
    shown = f"can://{channel}"
    options = _options(query, shown, ("model", "bitrate", "interface", "address"))
    if "model" not in options:
        raise BadAddressError(
            f"{shown} names a protocol: {shown}?model=NAME (packwire model list shows them), or a DBC file"
        )
    interface = options.get("interface", "")
    if "interface" in options and not _INTERFACE.fullmatch(interface):
        raise BadAddressError(f"{shown}: {interface[:40]!r} is no CAN adapter, such as socketcan or slcan")
    rate = _rate(options, "bitrate", shown)
    return can_address(channel, options["model"], rate, interface=interface, unit=_unit(options, shown))


def _parse_ble(rest: str) -> Address:
    place, mark, query = rest.partition("?")
    if not place.startswith("//"):
        raise BadAddressError("a Bluetooth address begins with ble://, such as ble://A4:C1:38:00:00:01")
    place = place[2:]
    match = _CAN_SUFFIX.search(place)
    name = unquote(place[: match.start()] if match else place).strip("/")
    if not name or len(name.encode(errors="replace")) > _LONGEST_NAME or not name.isprintable():
        raise BadAddressError(
            "a Bluetooth address names the pack, by its address or its name: ble://A4:C1:38:00:00:01"
        )
    shown = f"ble://{quote(name, safe=':')}"
    if _NEARLY_MAC.fullmatch(name) and not _MAC.fullmatch(name):
        raise BadAddressError(f"{shown}: a Bluetooth address has six pairs of hexadecimal digits")
    options = _options(query if mark else "", shown, ("model", "adapter", "pin", "reset", "proxy", "take"))
    adapter = options.get("adapter", "")
    if "adapter" in options and not _ADAPTER.fullmatch(adapter):
        raise BadAddressError(f"{shown}: the adapter is no name of one, such as hci1")
    if options.get("pin") == "":
        raise BadAddressError(f"{shown}: the PIN is empty; leave pin= out where the pack has none")
    address = ble_address(
        name,
        model=options.get("model", ""),
        radio=adapter,
        pin=options.get("pin"),
        node=_checked_can_id(match[1]) if match else None,
    )
    if "proxy" not in options:
        if "take" in options:
            raise BadAddressError(f"{shown}: take goes with a proxy: proxy=HOST&take")
        return replace(address, resets="reset" in options)
    if {"adapter", "reset"} & options.keys():
        raise BadAddressError(f"{shown}: a proxy stands for the adapter; leave adapter= and reset out")
    if _UUID.fullmatch(name):
        raise BadAddressError(f"{shown}: a proxy knows no UUIDs of macOS; name the Bluetooth address")
    return replace(address, proxy=replace(bluetooth_proxy(options["proxy"]), takes="take" in options))


def _parse_replay(rest: str) -> Address:
    path, mark, query = rest.rpartition("?")
    if not mark or not query.startswith(("model=", "address=")):  # a file may have a ? in its name
        path, query = rest, ""
    path = path.removeprefix("//")
    if not path:
        raise BadAddressError("replay: names a recording: replay:session.btsnoop")
    options = _options(query, f"replay:{path}", ("model", "address"))
    address = replay_address(path, options.get("model", ""))
    return replace(address, unit=_unit(options, f"replay:{path}"))


def _parse_sim(rest: str) -> Address:
    match = _CAN_SUFFIX.search(rest)
    name = rest[: match.start()] if match else rest
    if not _MODEL.fullmatch(name):
        raise BadAddressError(
            f"{name[:40]!r} is no simulator: a simulator is named by its protocol, sim:vesc. A model's file "
            "is simulated by packwire sim FILE"
        )
    return sim_address(name, _checked_can_id(match[1]) if match else None)


def _checked_can_id(text: str) -> int:
    if not text.isdecimal() or len(text) > 3 or int(text) > 255:
        raise BadAddressError(f"{text!r} is no CAN id: ids are 0 to 254")
    if int(text) == 255:
        raise BadAddressError(
            "CAN id 255 is broadcast: every device answers at once, and whoever answers, its reply has no "
            "name; name one id (packwire read without /can shows who is there)"
        )
    return int(text)


def place(host: str, port: int | None, usual: int | None = None) -> str:
    """Return `host:port`, with brackets around an IPv6 address; without a port that is the usual one."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port == usual else f"{shown}:{port}"


#: A scheme for each way to write an address.
_PARSERS: dict[str, Callable[[str], Address]] = {
    "vesc": _parse_vesc,
    "veschub": _parse_hub,
    "tcp": _parse_tcp,
    "serial": _parse_serial,
    "ble": _parse_ble,
    "can": _parse_can,
    "replay": _parse_replay,
    "sim": _parse_sim,
}
