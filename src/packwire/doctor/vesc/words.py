"""How a VESC's replies are told in words."""

from packwire.vesc.hardware import hardware_label
from packwire.vesc.hublogin import Role
from packwire.vesc.replies import BmsValues, FwVersion
from packwire.visible import printable


def version_words(version: FwVersion) -> str:
    """Return `VESC Express T, firmware 7.00 (VESC Express)`."""
    label = hardware_label(version.hw_type)
    return f"{printable(version.hw_name or 'nameless')}, firmware {version.version} ({label})"


def pack_words(pack: BmsValues) -> str:
    """Return `83.92 V, 20 cells, 4.187..4.199 V`."""
    words = f"{pack.v_tot or 0.0:.2f} V"
    cells = pack.v_cell or ()
    if not cells:
        return f"{words}, no cells"
    return f"{words}, {len(cells)} cells, {min(cells):.3f}..{max(cells):.3f} V"


def who(can_id: int | None) -> str:
    """Return `the device` or `CAN id 84`."""
    return "the device" if can_id is None else f"CAN id {can_id}"


def without_login(head: bytes) -> bytes:
    """Cut off a login that somebody sent back: it holds a password."""
    at = head.upper().find(Role.CLIENT.encode())
    return head if at < 0 else head[:at] + b"(login)"
