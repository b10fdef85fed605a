"""Read a pack once: `python examples/read_once.py vesc://192.168.1.20`."""

import asyncio
import sys

from packwire.device import open_device
from packwire.errors import PackwireError


async def main(address: str) -> None:
    """Print every value of every node."""
    async with open_device(address, can_ids=()) as device:
        print(device.name, device.firmware, device.where)
        for sample in await device.read():
            print(sample.node, sample.condition, sample.reason)
            for key, value in sample.values.items():
                print(f"  {key:<24} {value}")


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1]))
    except PackwireError as error:
        sys.exit(f"{error}")
