"""Read any battery pack; find out why one gives no data; work out the protocol of an unknown one.

    import packwire

    capture = packwire.open_capture("session.pcapng")
    for payload in capture.messages.payloads():
        ...

What is offered here is imported when it is first used, so that reading a device does not load numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packwire.capture import Capture, open_capture

__all__ = ["Capture", "__version__", "open_capture"]

__version__ = "0.1.0"

_HOMES = {"Capture": "packwire.capture", "open_capture": "packwire.capture"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'packwire' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
