"""A BMS as a model: served as a simulated device, and read from it. Nothing but YAML says how it speaks."""

import asyncio

from packwire.device.client import Client
from packwire.device.reader import Reader
from packwire.link.tcp import TcpLink
from packwire.models.load import parse
from packwire.protocol.base import Options
from packwire.sim.model import SimulatedModel
from packwire.sim.server import SimOptions

ACME = """
packwire: 1
name: acme
title: Acme BMS
links:
  serial: {baud: 9600}
  tcp: true
framings:
  - start: aa 55
    size: [{at: 2, add: 5}]
    checksum: {name: CRC-16/MODBUS, to: -2, at: -2, order: little}
    kind: 4
requests:
  status: {send: aa 55 .. 10 .. .., reply: status}
replies:
  status:
    begins: aa 55 ?? 90
    fields:
      - {name: voltage, at: 4, type: u16, scale: 0.01, quantity: voltage}
      - {name: current, type: i16, scale: 0.1, quantity: current}
      - {name: cells, type: u16, scale: 0.001, count: to the end, most: 32, quantity: cell_voltages}
"""


async def main() -> None:
    """Serve it and read it."""
    acme = parse(ACME, "acme.yaml")
    async with SimulatedModel(acme, SimOptions(cells=4)) as simulated:
        client = Client(TcpLink("127.0.0.1", simulated.port), acme)
        async with Reader(client, Options()) as device:
            (sample,) = await device.read()
            print(f"{device.name}: {sample.values['voltage']} V, cells {sample.values['cell_voltages']}")


if __name__ == "__main__":
    asyncio.run(main())
