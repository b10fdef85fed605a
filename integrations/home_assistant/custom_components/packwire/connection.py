"""From a config entry's data to a VESC, and who that is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT

from packwire.address import Address, hub_address, tcp_address
from packwire.device.base import Device, NodeKind
from packwire.device.client import TIMEOUT
from packwire.device.node_memory import NodeMemory
from packwire.device.open import open_device
from packwire.link import hub as _hub  # noqa: F401 - loaded here, so that nothing is imported while connecting
from packwire.link import tcp as _tcp  # noqa: F401
from packwire.sample import Condition
from packwire.vesc import protocol as _protocol  # noqa: F401
from packwire.vesc import session as _session  # noqa: F401

from .const import CONF_HUB_ID, CONF_LINK, LINK_HUB
from .plain import name

type VescAddress = Address

UUID_PREFIX = "vesc-"
"""What the unique id of a VESC that tells its UUID begins with."""
_TELLS_ITS_UUID = re.compile(rf"{UUID_PREFIX}(?!0+$)[0-9a-f]{{24}}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers: `unique_id` survives restarts and new addresses, `name` is what it calls itself."""

    unique_id: str
    name: str
    has_bms: bool


def address_of(data: Mapping[str, Any]) -> VescAddress:
    """Return the address that a config entry's data hold."""
    host, port = data[CONF_HOST], int(data[CONF_PORT])
    if data[CONF_LINK] == LINK_HUB:
        return hub_address(data[CONF_HUB_ID], host, port, password=data[CONF_PASSWORD])
    return tcp_address(host, port)


def open_vesc(address: VescAddress, memory: NodeMemory | None = None) -> Device:
    """Return the VESC there, not connected yet; its CAN bus is not searched while it opens."""
    return open_device(address, can_ids=(), memory=memory, timeout=TIMEOUT)


def unique_id_of(device: Device, address: VescAddress) -> str:
    """Return what names this VESC: its UUID, or where it stands if its firmware is too old to tell one."""
    return device.identity if _TELLS_ITS_UUID.fullmatch(device.identity) else str(address)


async def identify(address: VescAddress) -> Identity:
    """Connect, ask who is there and whether it hears a BMS, and close. Raises PackwireError."""
    async with open_vesc(address) as device:
        samples = await device.read()
        batteries = {node.key for node in device.nodes if node.kind is NodeKind.BATTERY}
        has_bms = any(
            sample.node in batteries and sample.condition is not Condition.ABSENT for sample in samples
        )
        return Identity(unique_id_of(device, address), name(device.name), has_bms)
