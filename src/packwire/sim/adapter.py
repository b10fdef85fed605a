"""A Bluetooth adapter by bumble's name for it: a virtual air in another process, or a real one.

`tcp-client:127.0.0.1:7000` is what `packwire sim MODEL --bluetooth` serves. `usb:0`, `serial:/dev/ttyUSB0`
and the like take a real adapter away from the system; those are not tested here.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

from packwire.errors import BadOptionError, missing_extra

try:
    from bumble import hci
    from bumble.core import BaseBumbleError
    from bumble.device import Device, DeviceConfiguration
    from bumble.host import Host
    from bumble.transport import open_transport
except ImportError:
    raise missing_extra("sim", "a simulated Bluetooth air") from None

POWER_ON_TIMEOUT = 5.0


@contextlib.asynccontextmanager
async def opened(spec: str, name: str = "packwire", address: str = "") -> AsyncIterator[Device]:
    """Open an adapter and return a powered-on Bluetooth device on it.

    `address` is its random address; where none is given, it gets one that stays for this session.
    Raises BadOptionError where there is none.
    """
    try:
        transport = await open_transport(spec)
    except Exception as error:  # noqa: BLE001 - each kind of adapter has errors of its own
        raise BadOptionError(f"cannot use the Bluetooth adapter {spec}: {_words(error)}") from None
    async with transport:
        own = hci.Address(address, hci.Address.RANDOM_DEVICE_ADDRESS) if address else hci.Address.ANY_RANDOM
        device = Device(
            config=DeviceConfiguration(name=name, address=own),  # of no address it makes one
            host=Host(transport.source, transport.sink),
        )
        try:
            async with asyncio.timeout(POWER_ON_TIMEOUT):
                await device.power_on()
        except TimeoutError:
            raise BadOptionError(f"the Bluetooth adapter {spec} does not answer") from None
        except BaseBumbleError as error:
            raise BadOptionError(f"cannot use the Bluetooth adapter {spec}: {error}") from None
        yield device


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
