"""Simulated devices on an air, and how tests find them."""

import bleak

from packwire.models.load import model
from packwire.sim.model import SimulatedModel
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions

ADDRESS = "A4:C1:38:00:00:01"


def simulated(air, name="jbd", bluetooth=None, **options):
    """Return a simulated pack that stands still, on an air."""
    bluetooth = bluetooth or BluetoothOptions(air=air)
    return SimulatedModel(
        model(name), SimOptions(**{"cells": 4, "speed": 0, "bluetooth": bluetooth, **options})
    )


async def found(address=ADDRESS):
    """Return what bleak finds under an address."""
    device = await bleak.BleakScanner.find_device_by_address(address, 2)
    assert device is not None
    return device
