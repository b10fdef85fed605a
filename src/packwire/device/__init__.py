"""Devices: `open_device(address)` gives what every command reads, whatever stands behind the address."""

from packwire.device.base import Device, Node, NodeKind, Statistics
from packwire.device.open import open_device, open_link

__all__ = ["Device", "Node", "NodeKind", "Statistics", "open_device", "open_link"]
