"""A reading as a card for people: one block a node, made from quantities."""

from collections.abc import Iterator, Mapping
from typing import cast

from rich.text import Text

from packwire.cli.terminal import printable
from packwire.device import Node, NodeKind
from packwire.quantity import QUANTITIES, Scalar, Value
from packwire.sample import Condition, Sample

INDENT = "  "
#: Probes that are not fitted read far below or above what a living cell can have, in degC.
PLAUSIBLE_TEMPERATURES = (-60.0, 150.0)
_CELL_WIDTH = 11

type Values = Mapping[str, Value]


def title(name: str, firmware: str, where: str, seconds: float | None = None, width: int = 80) -> Text:
    """Return the first line of a card: who answered, where, and how long it took."""
    text = Text.assemble((printable(name), "bold"), f"  fw {firmware}" if firmware else "", f"  {where}")
    if seconds is not None:
        text.append(" " * max(2, min(width, 80) - 8 - text.cell_len))
        text.append(f"{seconds:.2f} s", "dim")
    return text


def node_summary(node: Node, sample: Sample) -> Text:
    """Return the first line of a node."""
    match node.kind:
        case NodeKind.BATTERY:
            return _battery_line(node, sample)
        case NodeKind.CONTROLLER:
            return _controller_line(node, sample)
        case NodeKind.GATEWAY:
            return _head(node, sample)


def node_lines(node: Node, sample: Sample, width: int) -> Iterator[Text]:
    """Yield the lines of one node; cells are laid out for a terminal of this width."""
    if node.kind is not NodeKind.GATEWAY or node.number is not None:  # our own gateway is the title
        yield node_summary(node, sample)
    if node.kind is NodeKind.BATTERY:
        yield from _battery_details(sample.values, width)


def _head(node: Node, sample: Sample) -> Text:
    head = Text(INDENT)
    head.append(printable(_title_of(node)), "bold cyan")
    if node.number is not None and not node.name.endswith(f" {node.number}"):  # `Pack 2` says it
        head.append(f"  can {node.number}")
    match sample.condition:
        case Condition.STALE:
            head.append(f"  STALE: {sample.reason}", "bold red")
        case Condition.ABSENT:
            head.append(f"  {sample.reason}", "yellow")
        case Condition.SILENT:
            head.append(f"  {sample.reason}", "red")
    return head


def _title_of(node: Node) -> str:
    if node.kind is NodeKind.CONTROLLER:
        return "Controller"
    return node.name


def _battery_line(node: Node, sample: Sample) -> Text:
    line = _head(node, sample)
    values = sample.values
    for key, style in (("voltage", "bold"), ("current", ""), ("power", "")):
        _append(line, values, key, style)
    for key, name in (("soc", "SoC"), ("soh", "SoH")):
        if key in values:
            line.append(f"   {name} {_number(values, key):.0f} %", "bold" if key == "soc" else "")
    if "cell_count" in values:
        line.append(f"   {values['cell_count']} cells")
    return line


def _append(line: Text, values: Values, key: str, style: str = "") -> None:
    if key in values:
        line.append("   ")
        line.append(shown(key, values), style)


def shown(key: str, values: Values) -> str:
    """Return a value with its unit and decimals."""
    return printable(QUANTITIES[key].format(cast("Scalar", values[key])))


def _number(values: Values, key: str) -> float:
    return cast("float", values[key])


def _battery_details(values: Values, width: int) -> Iterator[Text]:
    if values.get("cell_voltages"):
        yield from _cell_lines(values, width)
    yield from (Text(INDENT * 2 + text) for text in (temperature_text(values), counter_text(values)) if text)
    yield from (Text(INDENT * 2 + line) for line in _rest(values, width - 2 * len(INDENT)))
    if "bms_status" in values:
        yield Text(f"{INDENT * 2}says: {printable(str(values['bms_status']))}")


def _rest(values: Values, width: int) -> list[str]:
    """Return what has no place of its own, as its quantities name it."""
    lines: list[str] = []
    for quantity in QUANTITIES.values():
        if not quantity.on_card or quantity.key not in values:
            continue
        text = f"{quantity.name.lower()} {shown(quantity.key, values)}"
        if lines and len(lines[-1]) + len(text) + 3 <= width:
            lines[-1] += f"   {text}"
        else:
            lines.append(text)
    return lines


def _cell_lines(values: Values, width: int) -> Iterator[Text]:
    cells = cast("tuple[float, ...]", values["cell_voltages"])
    columns = 5 if (width - 4) // _CELL_WIDTH < 10 else 10
    line = Text(INDENT * 2)
    for number, volts in enumerate(cells, 1):
        line.append(f"{number:2} ", "dim")
        line.append(f"{volts:.3f}", cell_style(number, values))
        if number % columns == 0 and number < len(cells):
            yield line
            line = Text(INDENT * 2)
        elif number < len(cells):
            line.append("   ")
    yield line
    yield Text(INDENT * 2 + spread_text(values))


def cell_style(number: int, values: Values) -> str:
    """Return the style of one cell (numbered from 1): the lowest and the highest stand out, not as ill."""
    ends = (values.get("cell_min_number"), values.get("cell_max_number"))
    return "bold" if number in ends else ""


def cell_mark(number: int, values: Values) -> str:
    """Return the mark of the lowest and the highest cell, so that nothing is said by its style alone."""
    if values.get("cell_min_number") == values.get("cell_max_number"):
        return " "
    if number == values.get("cell_min_number"):
        return "-"
    return "+" if number == values.get("cell_max_number") else " "


def spread_text(values: Values) -> str:
    """Return `lowest 4.187 (7)  highest 4.199 (12)  spread 12 mV    balancing 3, 7`."""
    low, high = _number(values, "cell_voltage_min"), _number(values, "cell_voltage_max")
    return (
        f"lowest {low:.3f} ({values['cell_min_number']})  highest {high:.3f} ({values['cell_max_number']})  "
        f"spread {_number(values, 'cell_voltage_spread') * 1000:.0f} mV{_balancing_text(values)}"
    )


def temperature_text(values: Values) -> str:
    """Return the temperatures by name; probes that are not fitted are left out."""
    parts = []
    probes = cast("tuple[float, ...]", values.get("temperatures", ()))
    low, high = PLAUSIBLE_TEMPERATURES
    fitted = [probe for probe in probes if low < probe < high]
    if fitted:
        parts.append("cells " + " ".join(f"{probe:.1f}" for probe in fitted))
    parts += [
        f"{name} {_number(values, key):.1f}"
        for key, name in (("temperature_cell_max", "highest"), ("temperature_ic", "ic"))
        if key in values
    ]
    if values.get("humidity"):
        parts.append(f"air {_number(values, 'temperature_humidity_sensor'):.1f}")
    text = f"temperatures  {'  '.join(parts)} degC" if parts else ""
    return text + (f"    humidity {_number(values, 'humidity'):.0f} %" if values.get("humidity") else "")


def _balancing_text(values: Values) -> str:
    if "cell_balancing" not in values:
        return ""
    states = cast("tuple[bool, ...]", values["cell_balancing"])
    balancing = [str(number) for number, on in enumerate(states, 1) if on]
    return f"    balancing {', '.join(balancing) or 'none'}"


def counter_text(values: Values) -> str:
    """Return what went in and out over the pack's life."""
    parts = []
    for direction in ("charged", "discharged"):
        keys = [f"{kind}_{direction}_total" for kind in ("charge", "energy")]
        amounts = [shown(key, values) for key in keys if values.get(key)]
        if amounts:
            parts.append(f"{direction} {' '.join(amounts)}")
    return "in all  " + "   ".join(parts) if parts else ""


def _controller_line(node: Node, sample: Sample) -> Text:
    line = _head(node, sample)
    values = sample.values
    _append(line, values, "input_voltage", "bold")
    if "input_current" in values:
        current = _number(values, "input_current")
        line.append(f"   {abs(current):.1f} A {'regenerated' if current < 0 else 'drawn'}")
    if "input_power" in values:
        line.append(f"   {abs(_number(values, 'input_power')):.0f} W")
    for key, name in (("temperature_mosfet", "mosfet"), ("temperature_motor", "motor")):
        if key in values:
            line.append(f"   {name} {shown(key, values)}")
    fault = values.get("fault")
    if fault == "none":
        line.append("   no fault", "green")
    elif fault is not None:
        line.append(f"   FAULT: {fault}", "bold red")
    return line
