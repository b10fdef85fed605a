"""Read the batteries that people own; find out why one gives no data; understand an unknown one.

Live devices, by an address such as `vesc://192.168.1.20`, `serial:/dev/ttyACM0` or `sim:vesc` (asyncio):

    open_device   a device: `async with`, then `await device.read()`
    watch         its samples for ever, through outages
    scan          what could be read from here
    diagnose      why there is no data: one verdict, with what to do
    Sample        what one node said: `node`, `when`, `values`, `condition`
    Condition     whether it can be trusted: FRESH, STALE, ABSENT, SILENT

Recordings, of any format that `packwire info` knows:

    open_capture  a recording; its `messages` are a table with numpy columns
    Capture       what it returns
    Messages      that table: `select`, `where`, `matrix`, `to_pandas`, `to_arrow`

Besides:

    errors        every error that is raised, with a `reason` that programs decide by
    quantities    what can be measured, by key: name, unit, how it is shown

docs/how-to/python.md shows all of it at work. Each is imported when it is first used: `import packwire` is
instant, and reading a device loads no numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packwire import errors
    from packwire.api import diagnose, open_device, scan, watch
    from packwire.capture import Capture, open_capture
    from packwire.messages import Messages
    from packwire.quantity import QUANTITIES as quantities  # noqa: N811 - a mapping, for the public
    from packwire.sample import Condition, Sample

__all__ = [
    "Capture",
    "Condition",
    "Messages",
    "Sample",
    "__version__",
    "diagnose",
    "errors",
    "open_capture",
    "open_device",
    "quantities",
    "scan",
    "watch",
]

__version__ = "0.1.0"

#: Where each name is, and what it is called there.
_HOMES = {
    "Capture": ("packwire.capture", "Capture"),
    "Condition": ("packwire.sample", "Condition"),
    "Messages": ("packwire.messages", "Messages"),
    "Sample": ("packwire.sample", "Sample"),
    "diagnose": ("packwire.api", "diagnose"),
    "open_capture": ("packwire.capture", "open_capture"),
    "open_device": ("packwire.api", "open_device"),
    "quantities": ("packwire.quantity", "QUANTITIES"),
    "scan": ("packwire.api", "scan"),
    "watch": ("packwire.api", "watch"),
}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("packwire.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'packwire' has no attribute {name!r}")
    module, there = _HOMES[name]
    return getattr(import_module(module), there)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
