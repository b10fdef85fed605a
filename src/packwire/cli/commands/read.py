"""`packwire read`: a pack once, as a card, JSON or CSV."""

import asyncio
import contextlib
import shlex
import time
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from packwire.address import VESC, LinkKind, parse_address
from packwire.cli.devices import DeviceOptions, Target, target
from packwire.cli.exit_codes import ExitCode
from packwire.cli.names import address_of
from packwire.cli.options import AddressArgument, JsonOption
from packwire.cli.terminal import make_console
from packwire.cli.views.card import node_lines, title
from packwire.cli.views.samples import csv_header, csv_rows, device_record
from packwire.device import Device, Node
from packwire.errors import BadOptionError, GoneError, NoAnswerError, Reason
from packwire.protocol.no_reply import NoReplyError
from packwire.sample import Condition, Sample
from packwire.visible import record_text

_NO_OPTIONS = DeviceOptions()


def read(
    address: AddressArgument,
    /,
    *,
    json: JsonOption = False,
    csv: bool = False,
    options: DeviceOptions = _NO_OPTIONS,
) -> int:
    """Read a pack once and show it.

    Parameters
    ----------
    csv
        One row a value instead of the card.
    """
    if json and csv:
        raise BadOptionError("--json and --csv exclude each other")
    return asyncio.run(_read(address, options, json=json, csv=csv))


async def _read(text: str, options: DeviceOptions, *, json: bool, csv: bool) -> int:
    started = time.monotonic()
    with _naming_the_doctor(text):
        async with target(text, options) as wanted, wanted.device(tries=3) as device:
            if json or csv:
                samples = await _all_samples(device, wanted)
                print(_script_text(device, samples, time.monotonic() - started, as_json=json), flush=True)
            else:
                samples = await _show(device, wanted, make_console(), started)
    silent = any(sample.condition is Condition.SILENT for sample in samples)
    return ExitCode.NO_ANSWER if silent else ExitCode.OK


@contextlib.contextmanager
def _naming_the_doctor(text: str) -> Iterator[None]:
    """Add to an error about silence who finds its cause; the address is shown without its password."""
    try:
        yield
    except (NoAnswerError, GoneError) as error:
        address = parse_address(address_of(text))
        if address.link in (LinkKind.REPLAY, LinkKind.SIM) and address.model != VESC:
            raise  # these have no doctor
        said = str(error).rstrip(".")
        end = "" if said.endswith("?") else "."
        error.args = (f"{said}{end} See: packwire doctor {shlex.quote(str(address))}",)
        raise


async def _all_samples(device: Device, wanted: Target) -> tuple[Sample, ...]:
    if wanted.wants_can_bus:
        await _find_nodes(device)
    return tuple([await device.read_node(node) for node in _wanted_nodes(device, wanted)])


async def _show(device: Device, wanted: Target, console: Console, started: float) -> tuple[Sample, ...]:
    """Show each node as soon as it is read: the battery does not wait for the CAN bus to be searched."""
    width = console.width if console.is_terminal else 200
    first = _wanted_nodes(device, wanted)
    samples = [await device.read_node(node) for node in first]
    console.print(title(device.name, device.firmware, device.where, time.monotonic() - started, width))
    for node, sample in zip(first, samples, strict=True):
        for line in node_lines(node, sample, width):
            console.print(line)
    if wanted.wants_can_bus:
        waits = device.search and console.is_terminal  # a file shows no spinner, and should not pay for it
        with console.status(device.search) if waits else contextlib.nullcontext():
            await _find_nodes(device)
        for node in _wanted_nodes(device, wanted):
            if node.key in {shown.key for shown in first}:
                continue
            samples.append(await device.read_node(node))
            for line in node_lines(node, samples[-1], width):
                console.print(line)
    for remark in device.remarks:
        console.print(Text(f"  {remark}", "dim"))
    return tuple(samples)


async def _find_nodes(device: Device) -> None:
    try:
        await device.find_nodes(quick=True)
    except NoReplyError as error:  # what was read already is worth showing
        make_console(stderr=True).print(f"the CAN bus was not searched: {error}", style="yellow")


def _wanted_nodes(device: Device, wanted: Target) -> list[Node]:
    nodes = [node for node in device.nodes if wanted.wants(node)]
    if not nodes and device.nodes:
        there = ", ".join(node.key for node in device.nodes)
        raise NoAnswerError(
            f"there is no node {wanted.wanted} here; there are {there}", reason=Reason.NO_NODE
        )
    return nodes


def _script_text(device: Device, samples: tuple[Sample, ...], seconds: float, *, as_json: bool) -> str:
    if as_json:
        return record_text(device_record(device, samples, seconds))
    return (csv_header() + "".join(csv_rows(sample) for sample in samples)).rstrip("\n")
