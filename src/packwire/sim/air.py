"""A Bluetooth air without a radio: devices on it are scanned, connected to and read, from any process.

Bumble's virtual link and controller, mended where they do what no radio does.

    async with Air() as air:
        central = await air.device("central")
        port = await air.serve()  # tcp-client:127.0.0.1:PORT is an adapter for another process

A device is bumble's whole host over a virtual controller; a client at the port brings a host of its own.
Every client gets a controller to itself, so that any number of them, central or peripheral, shares the air.
"""

import asyncio
import itertools
import logging
from types import TracebackType
from typing import Any, Self, override

from bumble import hci, ll
from bumble.controller import AdvertisingSet, Connection, Controller
from bumble.core import PhysicalTransport
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink, PacketParser, TransportSink

from packwire.sim.local_port import LOOPBACK, listen

log = logging.getLogger("packwire.sim")

RSSI = -55
"""dBm at which a device is heard that says nothing else."""
_Report = hci.HCI_LE_Extended_Advertising_Report_Event
_CENTRAL = "F0:F1:F2:00:00:%02X"


class AirController(Controller):
    """A virtual controller that does what a real one does where bumble's does not."""

    link: "Air"

    @override
    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """End the pending connection, and say so."""
        pending = self.pending_le_connection
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address.address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    @override
    def on_hci_reset_command(self, _command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        """Forget connections, advertising and scanning, as the specification says."""
        self.fall_silent()
        return super().on_hci_reset_command(_command)

    @override
    def on_hci_le_set_extended_scan_parameters_command(
        self, command: hci.HCI_LE_Set_Extended_Scan_Parameters_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Remember whether scan responses are asked for."""
        self.le_scan_type = command.scan_types[0]
        return super().on_hci_le_set_extended_scan_parameters_command(command)

    @override
    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Put the scan response and the strength of the sender into reports of advertisements."""
        if isinstance(packet, _Report):
            packet = _Report([each for each in map(self._heard, packet.reports) if each is not None])
            if not packet.reports:
                return
        super().send_hci_packet(packet)

    def _heard(self, report: Any) -> Any:
        advertising = self.link.advertising_of(report.address)
        if advertising is None:
            return None
        report.rssi = self.link.strengths.get(report.address, RSSI)
        if report.event_type == _Report.EventType.SCAN_RESPONSE:
            report.data = bytes(advertising.scan_response_data)
            if not report.data or self.le_scan_type == 0:
                return None
        elif report.address in self.link.closed:
            report.event_type = _Report.EventType.SCANNABLE_ADVERTISING
        return report

    @override
    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Connect to nobody who takes no connection."""
        pending = self.pending_le_connection
        takes_none = pdu.advertiser_address in self.link.closed | self.link.deaf
        if pending is None or not takes_none:
            super().on_advertising_pdu(pdu)
            return
        self.pending_le_connection = None
        super().on_advertising_pdu(pdu)
        self.pending_le_connection = pending

    def fall_silent(self, reason: int = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR) -> None:
        """Lose every connection, and stop scanning and advertising."""
        for connection in tuple(self.le_connections.values()):
            self.lose(connection, reason)
        for advertising in self.advertising_sets.values():
            advertising.stop()
        self.le_legacy_advertiser.stop()
        self.advertising_sets.clear()
        self.le_scan_enable = False
        self.pending_le_connection = None

    def lose(self, connection: Connection, reason: int = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR) -> None:
        """End a connection at both ends, as when the two cannot hear each other any more."""
        if self.link.find_le_controller(connection.peer_address) is not None:
            connection.send_ll_control_pdu(ll.TerminateInd(reason))
        self.on_le_disconnected(connection, reason)


class Air(LocalLink):
    """The air that devices share; use as an async context manager."""

    controllers: set[AirController]  # type: ignore[assignment]  # all of them are ours

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # bumble's
        self.strengths: dict[hci.Address, int] = {}
        """dBm at which devices are heard, where it is not RSSI."""
        self.closed: set[hci.Address] = set()
        """Those that advertise that they take no connection."""
        self.deaf: set[hci.Address] = set()
        """Those that take none though they do not say so."""
        self.server: asyncio.Server | None = None
        self._clients: set[_Client] = set()
        self._numbers = itertools.count(1)
        self._devices: list[Device] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def device(self, name: str, address: str = "") -> Device:
        """Return a powered-on Bluetooth device; with an address (a public one) or a random one."""
        controller = AirController(name, link=self, public_address=address or None)
        random = hci.Address(_CENTRAL % next(self._numbers), hci.Address.RANDOM_DEVICE_ADDRESS)
        host = Host(controller, AsyncPipeSink(controller))
        device = Device(config=DeviceConfiguration(name=name, address=random), host=host)
        await device.power_on()
        self._devices.append(device)
        return device

    async def serve(self, host: str = LOOPBACK, port: int = 0) -> int:
        """Let other processes in: each connection is an adapter of its own. Return the port's number."""
        self.server = await listen(lambda: _Client(self), host, port, option="--hci-port")
        number: int = self.server.sockets[0].getsockname()[1]
        return number

    async def close(self) -> None:
        """Let everybody fall silent, and close the port."""
        if self.server is not None:
            self.server.close()
            for client in tuple(self._clients):
                client.close()
            await self.server.wait_closed()
        for controller in tuple(self.controllers):
            controller.fall_silent()
            self.remove_controller(controller)
        await asyncio.sleep(0)  # what was on its way arrives nowhere

    def advertising_of(self, address: hci.Address) -> AdvertisingSet | None:
        """Return what is advertised under an address now."""
        for controller in self.controllers:
            for advertising in controller.advertising_sets.values():
                if advertising.address == address:
                    return advertising
        return None

    @override
    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        """Deliver a packet under the address that the connection was made with, public or random."""
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is None or receiver is None:
            return
        asyncio.get_running_loop().call_soon(
            receiver.on_link_acl_data, connection.self_address, transport, data
        )

    def joined(self, client: "_Client") -> None:
        """Take in a client at the port."""
        self._clients.add(client)

    def left(self, client: "_Client", controller: AirController) -> None:
        """Let a client go, and all that it was connected to."""
        self._clients.discard(client)
        controller.host = None
        controller.fall_silent()
        asyncio.get_running_loop().call_soon(self.controllers.discard, controller)


class _Client(asyncio.Protocol):
    """One client at the port: HCI packets over TCP, as bumble's transport `tcp-client:` speaks it."""

    def __init__(self, air: Air) -> None:
        self._air = air
        self._transport: asyncio.Transport
        self._controller: AirController
        self._parser: PacketParser

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give it a controller."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._controller = AirController("client", link=self._air)
        self._controller.host = _Sink(transport)
        self._parser = PacketParser(self._controller)
        self._air.joined(self)

    @override
    def data_received(self, data: bytes) -> None:
        """Take HCI packets; who sends anything else is no Bluetooth host."""
        try:
            self._parser.feed_data(data)
        except Exception:  # noqa: BLE001 - bumble's own, of many kinds, for bytes that are no HCI
            log.info("a client of the virtual air sent what is no HCI packet, and was let go")
            self.close()

    @override
    def connection_lost(self, error: Exception | None) -> None:
        """Let its connections break."""
        self._air.left(self, self._controller)

    def close(self) -> None:
        """Close the connection."""
        self._transport.abort()


class _Sink(TransportSink):
    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    @override
    def on_packet(self, packet: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(packet)
