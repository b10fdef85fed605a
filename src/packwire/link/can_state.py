"""How the CAN interfaces of this computer stand, as `ip -json -details -statistics link` tells it (Linux).

The names in its output are those of iproute2 [iplink_can.c]; what is not told is None.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

#: The hardware type of CAN interfaces [Linux, linux/if_arp.h].
_ARPHRD_CAN: Final = "280"
#: Seconds in which `ip` answers; it only asks the kernel.
_PATIENCE: Final = 3.0
#: Of what it prints, so many bytes are read, and so many interfaces.
_MOST_BYTES: Final = 1 << 20
_MOST: Final = 64
_COMMAND: Final = ("ip", "-json", "-details", "-statistics", "link", "show")
_SYSTEM: Final = Path("/sys/class/net")


@dataclass(frozen=True, slots=True)
class CanInterface:
    """One interface: `state` is the controller's (`ERROR-ACTIVE`, `BUS-OFF`, ...), empty where it has none.

    `kind` is `can` or `vcan`; `bit_rate` in bit/s; `tx_errors` and `rx_errors` are the controller's counters
    (0 to 255), `received` and `sent` frames since it was set up. `listens_only`: it never acknowledges.
    """

    name: str
    up: bool
    kind: str = ""
    state: str = ""
    bit_rate: int | None = None
    tx_errors: int | None = None
    rx_errors: int | None = None
    received: int | None = None
    sent: int | None = None
    listens_only: bool = False

    def __str__(self) -> str:
        said = ["up" if self.up else "down"]
        said += [f"{self.bit_rate} bit/s"] * bool(self.bit_rate) + [self.state] * bool(self.state)
        if self.tx_errors is not None and self.rx_errors is not None:
            said.append(f"error counters tx {self.tx_errors} rx {self.rx_errors}")
        if self.received is not None:
            said.append(f"{self.received} frames received")
        return f"{self.name}: {', '.join(said)}"


async def can_interfaces() -> tuple[CanInterface, ...]:
    """Return the CAN interfaces of this computer; without `ip`, what the kernel's files tell of them."""
    try:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return _of_system(_SYSTEM)
    try:
        async with asyncio.timeout(_PATIENCE):
            assert process.stdout is not None
            text = await process.stdout.read(_MOST_BYTES)
            if process.returncode is None and process.stdout.at_eof():
                await process.wait()
    except TimeoutError:
        text = b""
    finally:
        with suppress(ProcessLookupError):
            if process.returncode is None:
                process.kill()
        await process.wait()
    found = read_interfaces(text.decode(errors="replace"))
    return found or _of_system(_SYSTEM)


def read_interfaces(text: str) -> tuple[CanInterface, ...]:
    """Read what `ip -json -details` printed; what is no CAN interface, or is not understood, is left out."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    rows = said if isinstance(said, list) else []
    return tuple(one for row in rows[: 1 << 12] if (one := _interface(row)) is not None)[:_MOST]


def _interface(row: Any) -> CanInterface | None:
    if not isinstance(row, dict) or row.get("link_type") != "can" or not isinstance(row.get("ifname"), str):
        return None
    info = _part(row, "linkinfo")
    data = _part(info, "info_data")
    errors, stats = _part(data, "berr_counter"), _part(row, "stats64") or _part(row, "stats")
    flags, modes = row.get("flags"), data.get("ctrlmode")
    state = data.get("state")
    return CanInterface(
        row["ifname"][:32],
        isinstance(flags, list) and "UP" in flags,
        str(info.get("info_kind", ""))[:32],
        state[:32] if isinstance(state, str) else "",
        _number(_part(data, "bittiming"), "bitrate"),
        _number(errors, "tx"),
        _number(errors, "rx"),
        _number(_part(stats, "rx"), "packets"),
        _number(_part(stats, "tx"), "packets"),
        isinstance(modes, list) and "LISTEN-ONLY" in modes,
    )


def _part(said: dict[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def _number(said: dict[str, Any], name: str) -> int | None:
    found = said.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _of_system(folder: Path) -> tuple[CanInterface, ...]:
    """Return what the kernel's files tell: which there are, and whether they are up."""
    found = []
    with suppress(OSError):
        for each in sorted(folder.iterdir()):
            if _read(each / "type") == _ARPHRD_CAN:
                flags = _read(each / "flags")
                up = flags.startswith("0x") and bool(int(flags, 16) & 1)
                found.append(CanInterface(each.name, up))
    return tuple(found[:_MOST])


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
