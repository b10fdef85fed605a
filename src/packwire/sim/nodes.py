"""The three devices on the simulated CAN bus, without I/O: a request's payload in, a reply's payload out.

A VESC Express (CAN id 2), a BMS (10) and a motor controller (84). What a device does not know it meets with
silence, here None: see packwire.vesc.hardware. Replies are encoded once and kept until the physics moves.
"""

import random
from typing import Any, override

from packwire.sim.faults import Faults
from packwire.sim.motor import AVERAGED
from packwire.sim.vehicle import Vehicle
from packwire.vesc.commands import Command
from packwire.vesc.hardware import HardwareType
from packwire.vesc.replies import (
    BMS_GET_VALUES,
    EXPRESS_CONFIG,
    FW_VERSION,
    GET_STATS,
    GET_VALUES,
    GET_VALUES_SELECTIVE,
    GET_VALUES_SETUP,
    GET_VALUES_SETUP_SELECTIVE,
    BmsValues,
    ExpressConfig,
    FwVersion,
    SetupValues,
    Stats,
    Values,
)

EXPRESS_ID = 2
BMS_ID = 10
CONTROLLER_ID = 84

#: What a device answers when no BMS was ever heard on its bus.
NO_BMS = BmsValues(
    v_tot=0, v_charge=0, i_in=0, i_in_ic=0, ah_cnt=0, wh_cnt=0, cell_num=0, v_cell=(), bal=(), temp_adc_num=0,
    temp_adc=(), temp_ic=0, temp_hum=0, hum=0, temp_max_cell=0, soc=0, soh=0, can_id=255, ah_chg_total=0,
    wh_chg_total=0, ah_dis_total=0, wh_dis_total=0, pressure=0, data_version=0, status="",
)  # fmt: skip

#: Fields that older firmware does not have, by the length of its reply for a pack of 20 cells.
_OLD_BMS = {
    109: ("can_id", "ah_chg_total", "wh_chg_total", "ah_dis_total", "wh_dis_total", "pressure"),
    110: ("ah_chg_total", "wh_chg_total", "ah_dis_total", "wh_dis_total", "pressure"),
    126: ("pressure",),
    128: ("data_version",),
    129: ("status",),
}
#: The same age, in the other replies.
_OLD_VERSION = {109: (5, 1), 110: (5, 2), 126: (6, 2), 128: (6, 5), 129: (6, 5)}
_OLD_FW_FIELD = {109: "has_phase_filters", 110: "has_phase_filters", 126: "hw_crc", 128: "hw_crc"}

#: How many distinct requests a node keeps replies for; a client may send any number of masks.
_CACHE_SIZE = 64


class SimulatedNode:
    """A device on the CAN bus: answers a request's payload with a reply's payload, or with silence."""

    hardware: HardwareType

    def __init__(self, can_id: int, vehicle: Vehicle, faults: Faults, version: FwVersion) -> None:
        self.can_id = can_id
        self.vehicle = vehicle
        self.faults = faults
        self.version = version
        self._cache: dict[bytes, bytes | None] = {}

    def answer(self, request: bytes) -> bytes | None:
        """Return the reply's payload, or None for silence; never raises, whatever the request is."""
        if request in self._cache:
            return self._cache[request]
        reply = self._reply(request) if request else None
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
        self._cache[request] = reply
        return reply

    def moved(self) -> None:
        """Forget encoded replies: the physics, or a fault, has moved."""
        self._cache.clear()

    def firmware(self) -> FwVersion:
        """Return what FW_VERSION tells, shorter where the firmware is old."""
        old = self.faults.get("old-firmware")
        if old is None:
            return self.version
        age = int(old[0])
        major, minor = _OLD_VERSION[age]
        version = self.version._replace(major=major, minor=minor)
        field = _OLD_FW_FIELD.get(age)
        return version._replace(**{field: None}) if field else version

    def _reply(self, request: bytes) -> bytes | None:
        if request[0] == Command.FW_VERSION:
            return bytes((Command.FW_VERSION,)) + FW_VERSION.encode(self.firmware())
        return None

    def _aged(self, values: BmsValues) -> bytes:
        """Encode the pack's values as this firmware does: it ends where its age ends."""
        old = self.faults.get("old-firmware")
        if old is not None:
            values = values._replace(**dict.fromkeys(_OLD_BMS[int(old[0])]))
        return bytes((Command.BMS_GET_VALUES,)) + BMS_GET_VALUES.encode(values)


class BmsNode(SimulatedNode):
    """The BMS itself: asked over CAN it gives unrounded values, the pressure and its own id."""

    hardware = HardwareType.BMS

    def __init__(self, can_id: int, vehicle: Vehicle, faults: Faults, seed: int) -> None:
        super().__init__(can_id, vehicle, faults, _version(HardwareType.BMS, seed))
        self._frozen: BmsValues | None = None

    def values(self) -> BmsValues:
        """Return what the BMS measures now, or when it froze."""
        if "frozen-bms" not in self.faults:
            self._frozen = None
            return self._measure()
        self._frozen = self._frozen or self._measure()
        return self._frozen

    @override
    def firmware(self) -> FwVersion:
        """Return what FW_VERSION tells; a BMS of 2020 does not even say that it is one."""
        version = super().firmware()
        if self.faults.get("old-firmware") in ((109,), (110,)):
            return version._replace(hw_type=None)
        return version

    @override
    def _reply(self, request: bytes) -> bytes | None:
        match request[0]:
            case Command.BMS_GET_VALUES:
                return self._aged(self.values())
            case Command.GET_CUSTOM_CONFIG | Command.GET_CUSTOM_CONFIG_DEFAULT:
                # Its layout is not known here; the signature says that it is another one than the Express's.
                return request[:1] + b"\0" + bytes.fromhex("5bd1e90a") + bytes(range(40))
            case _:
                return super()._reply(request)

    def _measure(self) -> BmsValues:
        pack = self.vehicle.pack
        temperatures = pack.temperatures
        return BmsValues(
            v_tot=pack.measured_voltage,
            v_charge=pack.charger_voltage,
            i_in=pack.measured_current,
            i_in_ic=pack.chip_current,
            ah_cnt=pack.ah_count,
            wh_cnt=pack.wh_count,
            cell_num=pack.cells,
            v_cell=pack.cell_voltages,
            bal=tuple(map(int, pack.balancing)),
            temp_adc_num=len(temperatures),
            temp_adc=temperatures,
            temp_ic=pack.chip_temperature,
            temp_hum=pack.board_temperature,
            hum=pack.humidity,
            temp_max_cell=max(temperatures),
            soc=pack.soc,
            soh=pack.health,
            can_id=self.can_id,
            ah_chg_total=pack.ah_charged,
            wh_chg_total=pack.wh_charged,
            ah_dis_total=pack.ah_discharged,
            wh_dis_total=pack.wh_discharged,
            pressure=pack.pressure,
            data_version=1,
            status="",
        )


class BmsMemory:
    """What the other devices remember of the BMS from its status frames on the CAN bus.

    Those hold soc and soh in steps of 1/255, the highest cell temperature in whole degrees, and no pressure.
    A BMS that vanished is remembered for ever.
    """

    def __init__(self, bms: BmsNode, faults: Faults) -> None:
        self._bms = bms
        self._faults = faults
        self._last: BmsValues | None = None

    def values(self) -> BmsValues:
        """Return what another device knows of the pack now."""
        if "no-bms" in self._faults:
            return NO_BMS
        if "script-bms" in self._faults:
            return self._bms.values()._replace(can_id=255, pressure=0.0)
        if self._bms.can_id in (self._faults.get("dead-node") or ()):
            self._last = self._last or over_can(self._bms.values())
            return self._last
        self._last = None
        return over_can(self._bms.values())


def over_can(values: BmsValues) -> BmsValues:
    """Return the pack's values as they are after their way over the CAN bus."""
    return values._replace(
        soc=int((values.soc or 0.0) * 255) / 255,
        soh=int((values.soh or 0.0) * 255) / 255,
        temp_max_cell=float(int(values.temp_max_cell or 0.0)),
        pressure=0.0,
    )


class ExpressNode(SimulatedNode):
    """The VESC Express: knows the pack from the CAN bus and ignores what only a controller knows."""

    hardware = HardwareType.EXPRESS

    def __init__(
        self,
        can_id: int,
        vehicle: Vehicle,
        faults: Faults,
        seed: int,
        memory: BmsMemory,
        config: ExpressConfig,
    ) -> None:
        super().__init__(can_id, vehicle, faults, _version(HardwareType.EXPRESS, seed))
        self._memory = memory
        self._config = config._replace(config_index=0, controller_id=can_id)

    @override
    def _reply(self, request: bytes) -> bytes | None:
        match request[0]:
            case Command.BMS_GET_VALUES:
                return self._aged(self._memory.values())
            case Command.GET_CUSTOM_CONFIG:
                return request[:1] + EXPRESS_CONFIG.encode(self._config)
            case Command.GET_CUSTOM_CONFIG_DEFAULT:
                return request[:1] + EXPRESS_CONFIG.encode(
                    default_config()._replace(controller_id=self.can_id)
                )
            case _:
                return super()._reply(request)


class ControllerNode(SimulatedNode):
    """The motor controller: its own values, and the pack's from the CAN bus."""

    hardware = HardwareType.CONTROLLER

    def __init__(self, can_id: int, vehicle: Vehicle, faults: Faults, seed: int, memory: BmsMemory) -> None:
        super().__init__(can_id, vehicle, faults, _version(HardwareType.CONTROLLER, seed))
        self._memory = memory

    def values(self) -> Values:
        """Return GET_VALUES; the averages are those that were last read."""
        motor = self.vehicle.motor
        last = motor.averages.last
        mos1, mos2, mos3 = motor.fet_temperatures
        return Values(
            temp_fet=motor.fet_temperature,
            temp_motor=motor.motor_temperature,
            current_motor=last("current_motor"),
            current_in=last("current_in"),
            id=last("id"),
            iq=last("iq"),
            duty=motor.duty,
            rpm=int(motor.electrical_rpm),
            v_in=motor.measured_voltage,
            ah=motor.ah_drawn,
            ah_charged=motor.ah_regenerated,
            wh=motor.wh_drawn,
            wh_charged=motor.wh_regenerated,
            tacho=motor.tachometer,
            tacho_abs=motor.tachometer,
            fault=motor.fault,
            pid_pos=motor.position,
            controller_id=self.can_id,
            temp_mos1=mos1,
            temp_mos2=mos2,
            temp_mos3=mos3,
            vd=last("vd"),
            vq=last("vq"),
            status=0,
        )

    def setup_values(self) -> SetupValues:
        """Return GET_VALUES_SETUP of a vehicle with this one controller."""
        motor, pack = self.vehicle.motor, self.vehicle.pack
        return SetupValues(
            temp_fet=motor.fet_temperature,
            temp_motor=motor.motor_temperature,
            current_tot=motor.motor_current,
            current_in_tot=motor.input_current,
            duty=motor.duty,
            rpm=int(motor.electrical_rpm),
            speed=motor.speed,
            v_in=motor.measured_voltage,
            battery_level=pack.soc,
            ah_tot=motor.ah_drawn,
            ah_charge_tot=motor.ah_regenerated,
            wh_tot=motor.wh_drawn,
            wh_charge_tot=motor.wh_regenerated,
            distance=motor.distance,
            distance_abs=motor.distance,
            pid_pos=motor.position,
            fault=motor.fault,
            controller_id=self.can_id,
            num_vescs=1,
            wh_batt_left=pack.energy_left,
            odometer=int(motor.odometer),
            uptime_ms=int(motor.uptime * 1000) & 0xFFFF_FFFF,
        )

    def stats(self, mask: int) -> Stats:
        """Return GET_STATS for a mask."""
        statistics = self.vehicle.motor.statistics
        values = {
            f"{name}_{what}": value
            for name in statistics.NAMES
            for what, value in (("avg", statistics.mean(name)), ("max", statistics.maximum(name)))
        }
        return Stats(mask=mask, count_time=statistics.seconds, **values)

    def _reply(self, request: bytes) -> bytes | None:
        command, mask = request[:1], request[1:5]
        match request[0]:
            case Command.GET_VALUES:
                return command + GET_VALUES.encode(self._read_values(0xFFFF_FFFF))
            case Command.GET_VALUES_SELECTIVE if len(mask) == 4:
                return command + _selective(
                    GET_VALUES_SELECTIVE, mask, self._read_values(int.from_bytes(mask))
                )
            case Command.GET_VALUES_SETUP:
                return command + GET_VALUES_SETUP.encode(self.setup_values())
            case Command.GET_VALUES_SETUP_SELECTIVE if len(mask) == 4:
                return command + _selective(GET_VALUES_SETUP_SELECTIVE, mask, self.setup_values())
            case Command.GET_STATS if len(mask) >= 2:
                return command + GET_STATS.encode(self.stats(int.from_bytes(mask[:2])))
            case Command.BMS_GET_VALUES:
                return self._aged(self._memory.values())
            case _:
                return super()._reply(request)

    def _read_values(self, mask: int) -> Values:
        """Return the values and begin anew the averages that the mask asks for."""
        self.vehicle.motor.averages.take(
            {name for name, bit in GET_VALUES.bits.items() if name in AVERAGED and mask >> (bit or 0) & 1}
        )
        values = self.values()
        old = self.faults.get("old-firmware")
        return values._replace(vd=None) if old and old[0] <= 126 else values


def _selective(layout: Any, mask: bytes, values: tuple[Any, ...]) -> bytes:
    encoded: bytes = layout.encode(layout.kind(int.from_bytes(mask), *values))
    return encoded


def _version(hardware: HardwareType, seed: int) -> FwVersion:
    """Return FW_VERSION; the UUID is made from the seed, so that two simulations are two devices."""
    unique = random.Random(f"{hardware.name} {seed}").randbytes(12)
    common = FwVersion(major=7, minor=0, pairing_done=0, test_version=0, hw_type=int(hardware))
    match hardware:
        case HardwareType.BMS:
            # Its firmware ends here [vesc_bms_fw commands.c].
            return common._replace(hw_name="VESC BMS Sim", uuid=unique.hex(), custom_cfg_num=1)
        case HardwareType.EXPRESS:
            mac = b"\x84\xf7\x03" + unique[3:6]
            name, uuid, configs, checksum = "VESC Express T", mac + bytes(6), 1, 0xECB83D9A
        case HardwareType.CONTROLLER:
            name, uuid, configs, checksum = "75_300_R2", unique, 0, 0xDEADBEEF
    return common._replace(
        hw_name=name,
        uuid=uuid.hex(),
        custom_cfg_num=configs,
        has_phase_filters=0,
        qml_hw=0,
        qml_app=0,
        nrf_flags=0,
        fw_name="",
        hw_crc=checksum,
    )


def default_config() -> ExpressConfig:
    """Return the configuration of an Express as it comes; every secret in it is made up."""
    return ExpressConfig(
        config_index=0,
        signature=1954583966,
        controller_id=EXPRESS_ID,
        can_baud_rate=2,
        can_status_rate_hz=20,
        wifi_mode=1,
        wifi_sta_ssid="",
        wifi_sta_key="",
        wifi_ap_ssid="Simulated VESC",
        wifi_ap_key="made-up-ap-key",
        use_tcp_local=1,
        use_tcp_hub=0,
        tcp_hub_url="",
        tcp_hub_port=65101,
        tcp_hub_id="",
        tcp_hub_pass="",
        ble_mode=0,
        ble_name="Express",
        ble_pin=123456,
        ble_service_capacity=0,
        ble_chr_descr_capacity=0,
    )
