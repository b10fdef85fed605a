"""The replies of VESC devices: one NamedTuple each, whose annotations are the layout.

All numbers are big-endian; fixed-point ones are truncated towards zero by the firmware. Every field may be
None, because an older firmware's reply ends earlier and a selective one holds only what was asked for.
Layouts from [bldc comm/commands.c, vesc_express main/commands.c and main/bms.c, vesc_tool commands.cpp],
checked against replies recorded from that firmware.
"""

from typing import Annotated, Any, NamedTuple, cast

from packwire.vesc.commands import Command
from packwire.wire.codec import Span
from packwire.wire.layout import Decoded, Layout, array, cstring, f32, hex_bytes, i16, i32, rest, u8, u16, u32

type Float = float | None
type Int = int | None
type Str = str | None


class FwVersion(NamedTuple):
    """FW_VERSION (0): who a device is. A VESC BMS ends after `custom_cfg_num`.

    `uuid` is 12 bytes; an Express fills the first six with its MAC address. `hw_type` see HardwareType.
    """

    major: Annotated[Int, u8()] = None
    minor: Annotated[Int, u8()] = None
    hw_name: Annotated[Str, cstring()] = None
    uuid: Annotated[Str, hex_bytes(12)] = None
    pairing_done: Annotated[Int, u8()] = None
    test_version: Annotated[Int, u8()] = None
    hw_type: Annotated[Int, u8()] = None
    custom_cfg_num: Annotated[Int, u8()] = None
    has_phase_filters: Annotated[Int, u8()] = None
    qml_hw: Annotated[Int, u8()] = None
    qml_app: Annotated[Int, u8()] = None
    nrf_flags: Annotated[Int, u8()] = None
    fw_name: Annotated[Str, cstring()] = None
    hw_crc: Annotated[Int, u32()] = None

    @property
    def version(self) -> str:
        """Return `7.00`, with the test number where it is a test version."""
        test = f" test {self.test_version}" if self.test_version else ""
        return f"{self.major}.{self.minor or 0:02d}{test}"


class Values(NamedTuple):
    """GET_VALUES (4) of a controller: V, A, Ah, Wh, degC; `duty` -1..1, `rpm` electrical.

    Currents are positive while the motor is driven (`current_in`: while it draws). `current_motor`,
    `current_in`, `id`, `iq`, `vd` and `vq` are averages since they were last read.
    """

    temp_fet: Annotated[Float, i16(1e1, 0)] = None
    temp_motor: Annotated[Float, i16(1e1, 1)] = None
    current_motor: Annotated[Float, i32(1e2, 2)] = None
    current_in: Annotated[Float, i32(1e2, 3)] = None
    id: Annotated[Float, i32(1e2, 4)] = None
    iq: Annotated[Float, i32(1e2, 5)] = None
    duty: Annotated[Float, i16(1e3, 6)] = None
    rpm: Annotated[Int, i32(1, 7)] = None
    v_in: Annotated[Float, i16(1e1, 8)] = None
    ah: Annotated[Float, i32(1e4, 9)] = None
    ah_charged: Annotated[Float, i32(1e4, 10)] = None
    wh: Annotated[Float, i32(1e4, 11)] = None
    wh_charged: Annotated[Float, i32(1e4, 12)] = None
    tacho: Annotated[Int, i32(1, 13)] = None
    tacho_abs: Annotated[Int, i32(1, 14)] = None
    fault: Annotated[Int, u8(1, 15)] = None
    pid_pos: Annotated[Float, i32(1e6, 16)] = None
    controller_id: Annotated[Int, u8(1, 17)] = None
    temp_mos1: Annotated[Float, i16(1e1, 18)] = None
    temp_mos2: Annotated[Float, i16(1e1, 18)] = None
    temp_mos3: Annotated[Float, i16(1e1, 18)] = None
    vd: Annotated[Float, i32(1e3, 19)] = None
    vq: Annotated[Float, i32(1e3, 20)] = None
    status: Annotated[Int, u8(1, 21)] = None


class SetupValues(NamedTuple):
    """GET_VALUES_SETUP (47): the sums over all controllers that one controller knows of.

    `speed` m/s, `battery_level` 0..1, `distance` m, `odometer` m, `uptime_ms` ms, `wh_batt_left` Wh.
    """

    temp_fet: Annotated[Float, i16(1e1, 0)] = None
    temp_motor: Annotated[Float, i16(1e1, 1)] = None
    current_tot: Annotated[Float, i32(1e2, 2)] = None
    current_in_tot: Annotated[Float, i32(1e2, 3)] = None
    duty: Annotated[Float, i16(1e3, 4)] = None
    rpm: Annotated[Int, i32(1, 5)] = None
    speed: Annotated[Float, i32(1e3, 6)] = None
    v_in: Annotated[Float, i16(1e1, 7)] = None
    battery_level: Annotated[Float, i16(1e3, 8)] = None
    ah_tot: Annotated[Float, i32(1e4, 9)] = None
    ah_charge_tot: Annotated[Float, i32(1e4, 10)] = None
    wh_tot: Annotated[Float, i32(1e4, 11)] = None
    wh_charge_tot: Annotated[Float, i32(1e4, 12)] = None
    distance: Annotated[Float, i32(1e3, 13)] = None
    distance_abs: Annotated[Float, i32(1e3, 14)] = None
    pid_pos: Annotated[Float, i32(1e6, 15)] = None
    fault: Annotated[Int, u8(1, 16)] = None
    controller_id: Annotated[Int, u8(1, 17)] = None
    num_vescs: Annotated[Int, u8(1, 18)] = None
    wh_batt_left: Annotated[Float, i32(1e3, 19)] = None
    odometer: Annotated[Int, u32(1, 20)] = None
    uptime_ms: Annotated[Int, u32(1, 21)] = None


class Stats(NamedTuple):
    """GET_STATS (128): averages and maxima since the last reset; m/s, W, A, degC, s.

    The request's mask has 16 bits, the reply repeats it as 32.
    """

    mask: Annotated[Int, u32()] = None
    speed_avg: Annotated[Float, f32(0)] = None
    speed_max: Annotated[Float, f32(1)] = None
    power_avg: Annotated[Float, f32(2)] = None
    power_max: Annotated[Float, f32(3)] = None
    current_avg: Annotated[Float, f32(4)] = None
    current_max: Annotated[Float, f32(5)] = None
    temp_mos_avg: Annotated[Float, f32(6)] = None
    temp_mos_max: Annotated[Float, f32(7)] = None
    temp_motor_avg: Annotated[Float, f32(8)] = None
    temp_motor_max: Annotated[Float, f32(9)] = None
    count_time: Annotated[Float, f32(10)] = None


class BmsValues(NamedTuple):
    """BMS_GET_VALUES (96): the pack. V, A, Ah, Wh, degC, %, Pa; `soc` and `soh` 0..1.

    `i_in` and `i_in_ic` are positive while discharging. `can_id` 255 without cells means that there is no
    BMS, with cells that a script set the values. All behind `temp_max_cell` came with later firmware.
    """

    v_tot: Annotated[Float, i32(1e6)] = None
    v_charge: Annotated[Float, i32(1e6)] = None
    i_in: Annotated[Float, i32(1e6)] = None
    i_in_ic: Annotated[Float, i32(1e6)] = None
    ah_cnt: Annotated[Float, i32(1e3)] = None
    wh_cnt: Annotated[Float, i32(1e3)] = None
    cell_num: Annotated[Int, u8()] = None
    v_cell: Annotated[tuple[float, ...] | None, array(i16(1e3), "cell_num")] = None
    bal: Annotated[tuple[int, ...] | None, array(u8(), "cell_num")] = None
    temp_adc_num: Annotated[Int, u8()] = None
    temp_adc: Annotated[tuple[float, ...] | None, array(i16(1e2), "temp_adc_num")] = None
    temp_ic: Annotated[Float, i16(1e2)] = None
    temp_hum: Annotated[Float, i16(1e2)] = None
    hum: Annotated[Float, i16(1e2)] = None
    temp_max_cell: Annotated[Float, i16(1e2)] = None
    soc: Annotated[Float, i16(1e3)] = None
    soh: Annotated[Float, i16(1e3)] = None
    can_id: Annotated[Int, u8()] = None
    ah_chg_total: Annotated[Float, f32()] = None
    wh_chg_total: Annotated[Float, f32()] = None
    ah_dis_total: Annotated[Float, f32()] = None
    wh_dis_total: Annotated[Float, f32()] = None
    pressure: Annotated[Float, i16(1e-1)] = None
    data_version: Annotated[Int, u8()] = None
    status: Annotated[Str, cstring()] = None

    @property
    def absent(self) -> bool:
        """Whether this is what a device without a BMS answers: no cells, can_id 255, all zero.

        Firmware of 2020 ends before `can_id`; there, no cells and 0 V say the same.
        """
        return self.cell_num == 0 and self.v_tot == 0 and self.can_id in {None, 255}

    @property
    def scripted(self) -> bool:
        """Whether a script on the device set the values (a third party's BMS)."""
        return bool(self.cell_num) and self.can_id == 255


class PingCan(NamedTuple):
    """PING_CAN (62): the CAN ids that answered; never the device that was asked."""

    ids: Annotated[tuple[int, ...] | None, rest("numbers")] = None


class Print(NamedTuple):
    """PRINT (21) and LISP_PRINT (135): a line of text, unasked for."""

    text: Annotated[Str, rest("text")] = None


class BmsCanFrame(NamedTuple):
    """BMS_FWD_CAN_RX (113): a BMS status frame from the CAN bus, unasked for [bldc bms.c].

    `sender` is the CAN id of its BMS, `packet` the CAN_PACKET number, `data` up to 8 bytes.
    """

    sender: Annotated[Int, u8()] = None
    packet: Annotated[Int, u8()] = None
    data: Annotated[bytes | None, rest()] = None


class ExpressConfig(NamedTuple):
    """GET_CUSTOM_CONFIG (93) of a VESC Express [vesc_express main/config/confparser.c].

    It holds the Wi-Fi keys, the hub password and the Bluetooth PIN in clear: see `packwire.vesc.secrets`.
    """

    config_index: Annotated[Int, u8()] = None
    signature: Annotated[Int, u32()] = None
    controller_id: Annotated[Int, i16()] = None
    can_baud_rate: Annotated[Int, u8()] = None
    can_status_rate_hz: Annotated[Int, i16()] = None
    wifi_mode: Annotated[Int, u8()] = None
    wifi_sta_ssid: Annotated[Str, cstring()] = None
    wifi_sta_key: Annotated[Str, cstring()] = None
    wifi_ap_ssid: Annotated[Str, cstring()] = None
    wifi_ap_key: Annotated[Str, cstring()] = None
    use_tcp_local: Annotated[Int, u8()] = None
    use_tcp_hub: Annotated[Int, u8()] = None
    tcp_hub_url: Annotated[Str, cstring()] = None
    tcp_hub_port: Annotated[Int, u16()] = None
    tcp_hub_id: Annotated[Str, cstring()] = None
    tcp_hub_pass: Annotated[Str, cstring()] = None
    ble_mode: Annotated[Int, u8()] = None
    ble_name: Annotated[Str, cstring()] = None
    ble_pin: Annotated[Int, u32()] = None
    ble_service_capacity: Annotated[Int, u32()] = None
    ble_chr_descr_capacity: Annotated[Int, u32()] = None


def _selective(values: type[Any]) -> type[Any]:
    """Return the selective form of a reply: a 32-bit mask in front of the same fields."""
    fields = {"mask": Annotated[Int, u32()]} | values.__annotations__
    selective: Any = NamedTuple(f"Selective{values.__name__}", list(fields.items()))  # type: ignore[misc]
    return cast("type[Any]", selective)


#: The layout of each reply that has one here. GET_CUSTOM_CONFIG is in `packwire.vesc.secrets`.
LAYOUTS: dict[int, Layout[Any]] = {}


def _reply[T: tuple[Any, ...]](kind: type[T], *commands: Command, mask: str | None = None) -> Layout[T]:
    """Make the layout of these commands' replies, and enter it where it is looked up."""
    layout = Layout(kind, mask=mask)
    LAYOUTS.update(dict.fromkeys(commands, layout))
    return layout


FW_VERSION = _reply(FwVersion, Command.FW_VERSION)
GET_VALUES = _reply(Values, Command.GET_VALUES)
GET_VALUES_SETUP = _reply(SetupValues, Command.GET_VALUES_SETUP)
GET_VALUES_SELECTIVE = _reply(_selective(Values), Command.GET_VALUES_SELECTIVE, mask="mask")
GET_VALUES_SETUP_SELECTIVE = _reply(_selective(SetupValues), Command.GET_VALUES_SETUP_SELECTIVE, mask="mask")
GET_STATS = _reply(Stats, Command.GET_STATS, mask="mask")
BMS_GET_VALUES = _reply(BmsValues, Command.BMS_GET_VALUES)
PING_CAN = _reply(PingCan, Command.PING_CAN)
PRINT = _reply(Print, Command.PRINT, Command.LISP_PRINT)
BMS_FWD_CAN_RX = _reply(BmsCanFrame, Command.BMS_FWD_CAN_RX)
EXPRESS_CONFIG = Layout(ExpressConfig)

_BY_NUMBER = tuple(LAYOUTS.get(number) for number in range(256))


def decode_reply(payload: bytes) -> Decoded[Any] | None:
    """Decode a reply by its command id; None where the command has no layout here."""
    layout = _BY_NUMBER[payload[0]] if payload else None
    return None if layout is None else layout.decode(payload)


def reply_spans(payload: bytes) -> list[Span]:
    """Return where each field of a reply lies; empty where the command has no layout here."""
    layout = LAYOUTS.get(payload[0]) if payload else None
    return layout.spans(payload) if layout else []
