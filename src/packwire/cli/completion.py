"""What a shell offers behind an option or for an address: asked of packwire when TAB is pressed.

`packwire --install-completion` writes the shell's part. Nothing here connects anywhere, and whatever goes
wrong offers nothing.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts.completion import CompletionContext


def addresses(context: "CompletionContext") -> Mapping[str, str]:
    """Offer the names that were given, the addresses that worked, serial ports and simulators."""
    from packwire.cli.names import load_names  # noqa: PLC0415 - when it is asked for
    from packwire.cli.seen import seen_addresses  # noqa: PLC0415
    from packwire.link.serial import list_ports  # noqa: PLC0415
    from packwire.protocols import protocol_names  # noqa: PLC0415

    found = dict(load_names())
    found |= dict.fromkeys(seen_addresses(), "read before")
    try:
        ports = {f"serial:{port.path}": port.description or "serial port" for port in list_ports()}
    except Exception:  # noqa: BLE001 - an extra that is missing, a system that does not tell
        ports = {}
    found |= {address: told for address, told in ports.items() if address not in found}
    found |= {f"sim:{name}": "simulated" for name in protocol_names()}
    head, mark, begun = context.incomplete.partition("?model=")
    if mark:
        found |= {f"{head}?model={name}": "protocol" for name in protocol_names() if name.startswith(begun)}
    return found


def models(_: "CompletionContext") -> list[str]:
    """Offer the models that there are."""
    from packwire.models.store import sources  # noqa: PLC0415 - when it is asked for

    return sorted(sources())


def scenarios(_: "CompletionContext") -> Mapping[str, str]:
    """Offer what a simulated pack can go through."""
    from packwire.sim.scenario import SCENARIOS  # noqa: PLC0415 - when it is asked for

    return {name: each.summary for name, each in SCENARIOS.items()}


def faults(_: "CompletionContext") -> Mapping[str, str]:
    """Offer the faults that a simulated device can have."""
    from packwire.sim.faults import FAULTS  # noqa: PLC0415 - when it is asked for

    return {name: f"{kind.usage}: {kind.summary}" for name, kind in FAULTS.items()}


def hub_faults(_: "CompletionContext") -> list[str]:
    """Offer the faults that a simulated hub can have."""
    from packwire.sim.hub import HUB_FAULTS  # noqa: PLC0415 - when it is asked for

    return [text.partition(":")[0] for text in HUB_FAULTS]


def allowable(_: "CompletionContext") -> list[str]:
    """Offer what `--allow` may let pass."""
    from packwire.share.permissions import ALLOWABLE  # noqa: PLC0415 - when it is asked for

    return [str(each) for each in ALLOWABLE]


def formats(_: "CompletionContext") -> list[str]:
    """Offer the formats that a recording can be written in."""
    from packwire.capture.writers import PACKET_FORMATS, TABLE_FORMATS  # noqa: PLC0415 - when it is asked for

    return [*PACKET_FORMATS, *TABLE_FORMATS]


def nodes(_: "CompletionContext") -> Iterator[str]:
    """Offer the nodes of a VESC, those on a CAN bus from the times before."""
    from packwire.cli.known_nodes import known_ids  # noqa: PLC0415 - when it is asked for

    yield from ("bms", "vesc")
    for can_id in known_ids():
        yield f"can/{can_id}"


def channels(context: "CompletionContext") -> list[str]:
    """Offer the channels of the recording that stands in the command line."""
    from packwire.capture import open_capture  # noqa: PLC0415 - when it is asked for

    given = context.get("file")
    if given is None or not given.raw or not Path(given.raw).is_file():
        return []
    names = (each.name or str(each) for each in open_capture(given.raw).raw_messages.channels)
    return sorted(set(names))
