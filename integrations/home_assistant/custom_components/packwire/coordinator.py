"""One connection to one VESC: read in one sequence, given up when it breaks, made again by itself."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from packwire.device import follow
from packwire.device.base import Device, Node, NodeKind
from packwire.errors import DisplacedError, PackwireError
from packwire.quantity import Value
from packwire.sample import Condition, Sample

from .connection import UUID_PREFIX, address_of, open_vesc, unique_id_of
from .const import (
    CONF_BMS_EXPECTED,
    CONF_CAN_IDS,
    CONF_INTERVAL,
    CONF_STALE_AFTER,
    DEFAULT_INTERVAL,
    DEFAULT_STALE_AFTER,
    DOMAIN,
    LOGGER,
)
from .issues import Issues
from .plain import MOST_OF_A_STATE, name, plain
from .reasons import is_wrong_password

type PackwireConfigEntry = ConfigEntry["PackwireCoordinator"]

#: A login that worked before and is refused once may have met another client's; twice in a row, the password
#: has changed.
REFUSALS = 2


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node, its last sample, and its last values with the moment (s, monotonic) when they were fresh."""

    node: Node
    sample: Sample
    values: Mapping[str, Value]
    fresh_at: float


class PackwireCoordinator(DataUpdateCoordinator[dict[str, NodeState]]):
    """Keeps the states of all nodes by their keys; `device` is None while there is no connection."""

    config_entry: PackwireConfigEntry

    def __init__(self, hass: HomeAssistant, entry: PackwireConfigEntry) -> None:
        """Prepare; the first refresh connects."""
        self._interval = timedelta(seconds=entry.options.get(CONF_INTERVAL, DEFAULT_INTERVAL))
        super().__init__(hass, LOGGER, config_entry=entry, name=entry.title, update_interval=self._interval)
        self.data = {}
        self.address = address_of(entry.data)
        self.device: Device | None = None
        self.issues = Issues(hass, entry)
        self.failure = ""
        """Why the last reading failed; empty where it did not."""
        self._stale_after: float = entry.options.get(CONF_STALE_AFTER, DEFAULT_STALE_AFTER)
        self._turn = asyncio.Lock()
        self._finding: asyncio.Task[None] | None = None
        self._connected_at = 0.0
        self._settled_after = 0.0
        self._attempt = 0
        self._refusals = 0
        self._ever_connected = False
        self._quiet: set[str] = set()

    @property
    def closing(self) -> bool:
        """Tell whether the entry is being unloaded."""
        return self._shutdown_requested

    def usable(self, key: str) -> bool:
        """Tell whether a node's last values may still be shown: not those of a battery long silent."""
        state = self.data.get(key)
        if state is None:
            return False
        return state.node.kind is NodeKind.GATEWAY or monotonic() - state.fresh_at <= self._stale_after

    @contextlib.asynccontextmanager
    async def paused(self) -> AsyncGenerator[None]:
        """Hang up and stay away for as long as the context lasts: a VESC serves one client at a time."""
        async with self._turn:
            await self._disconnect()
            yield

    @override
    async def async_shutdown(self) -> None:
        await super().async_shutdown()
        await self._disconnect()

    @override
    async def _async_update_data(self) -> dict[str, NodeState]:
        async with self._turn:
            try:
                device = self.device or await self._connect()
                return self._succeeded(device, await device.read())
            except PackwireError as error:
                await self._disconnect()
                if self._shutdown_requested:  # it was we who hung up
                    return self.data
                raise await self._failed(error) from error
            except BaseException:
                await self._disconnect()
                raise

    async def _connect(self) -> Device:
        self.device = device = open_vesc(self.address, _EntryMemory(self.hass, self.config_entry))
        await device.open()
        self._refuse_another(device)
        self._connected_at = monotonic()
        self._ever_connected = True
        self._refusals = 0
        self._finding = self.config_entry.async_create_background_task(
            self.hass, self._find_nodes(device), f"{DOMAIN} {self.name}: look for nodes on the CAN bus"
        )
        return device

    def _refuse_another(self, device: Device) -> None:
        """Show no other VESC's values, should one have taken this one's address."""
        ours = self.config_entry.unique_id or ""
        theirs = unique_id_of(device, self.address)
        if ours.startswith(UUID_PREFIX) and theirs.startswith(UUID_PREFIX) and ours != theirs:
            self.update_interval = max(self._interval, timedelta(seconds=max(follow.DELAYS)))
            self.failure = (
                f"{name(device.name)} answers at {self.address}, and it is not the VESC of this entry"
            )
            raise UpdateFailed(translation_domain=DOMAIN, translation_key="another_vesc")

    async def _disconnect(self) -> None:
        device, self.device = self.device, None
        finding, self._finding = self._finding, None
        if finding is not None:
            finding.cancel()
            await asyncio.wait([finding])
        if device is not None:
            await device.close()

    async def _find_nodes(self, device: Device) -> None:
        """Ask the CAN bus, which takes seconds, beside the readings; read again if somebody is new there."""
        known = len(device.nodes)
        with contextlib.suppress(PackwireError):  # a connection that ended is told by the reading
            await device.find_nodes()
        if len(device.nodes) > known:
            # A task of its own: should that reading fail, it will cancel this one.
            self.config_entry.async_create_background_task(
                self.hass, self.async_request_refresh(), f"{DOMAIN} {self.name}: read new nodes"
            )

    def _succeeded(self, device: Device, samples: tuple[Sample, ...]) -> dict[str, NodeState]:
        now = monotonic()
        self.failure = ""
        self.update_interval = self._interval
        # Two clients that displace each other at a hub must wait longer and longer: a connection counts once
        # it has outlived the wait before it.
        settled = now - self._connected_at > self._settled_after
        if settled:
            self._attempt = 0
        nodes = {node.key: node for node in device.nodes}
        self.data = {sample.node: self._state(nodes[sample.node], sample, now) for sample in samples}
        self._say_who_is_quiet()
        self.issues.answered(settled=settled)
        self._judge_battery()
        return self.data

    def _state(self, node: Node, sample: Sample, now: float) -> NodeState:
        before = self.data.get(node.key)
        if sample.condition is Condition.FRESH or before is None:
            return NodeState(node, sample, sample.values, now)
        return NodeState(node, sample, sample.values or before.values, before.fresh_at)

    def _is_quiet(self, state: NodeState) -> bool:
        """Tell whether a node says nothing new although its VESC answers, and has answered for long enough.

        A pack that is switched on hears its BMS and its controllers a little later than it answers.
        """
        since = max(state.fresh_at, self._connected_at)
        return state.node.kind is not NodeKind.GATEWAY and monotonic() - since > self._stale_after

    def _say_who_is_quiet(self) -> None:
        """Log one line when a node stops reporting while its VESC answers, and one when it reports again."""
        for key, state in self.data.items():
            if self.usable(key) and key in self._quiet:
                self._quiet.discard(key)
                LOGGER.info("%s: %s reports again", self.name, name(state.node.name))
            elif self._is_quiet(state) and key not in self._quiet:
                self._quiet.add(key)
                LOGGER.warning(
                    "%s: %s no longer reports: %s",
                    self.name,
                    name(state.node.name),
                    plain(state.sample.reason, MOST_OF_A_STATE),
                )

    def _judge_battery(self) -> None:
        battery = next((state for state in self.data.values() if state.node.kind is NodeKind.BATTERY), None)
        if battery is None:
            return
        condition = battery.sample.condition
        if condition is Condition.FRESH:
            self.issues.bms_reports()
        elif not self._is_quiet(battery):
            return  # what was told before may still hold
        elif condition is not Condition.ABSENT:
            self.issues.bms_silent(condition)
        elif self.config_entry.data.get(CONF_BMS_EXPECTED, True):
            self.issues.no_bms()

    async def _failed(self, error: PackwireError) -> Exception:
        """Wait longer next time, and say what an owner should know."""
        delay = follow.retry_delay(error, self._attempt)
        self._attempt += 1
        self._settled_after = 2 * delay
        self.update_interval = max(self._interval, timedelta(seconds=delay))
        self.failure = plain(str(error), MOST_OF_A_STATE)
        if isinstance(error, DisplacedError):
            self.issues.displaced()
        await self.issues.unanswered(error, self.address)
        if await self._password_has_changed(error):
            return ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="wrong_password")
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="not_answering",
            translation_placeholders={"reason": self.failure},
        )

    async def _password_has_changed(self, error: PackwireError) -> bool:
        if not await is_wrong_password(error, self.address):
            return False
        self._refusals += 1
        return self._refusals >= REFUSALS or not self._ever_connected

    @callback
    def unique_id_of_node(self, key: str) -> str:
        """Return what names a node in the world: the VESC that it hangs on, and its role there."""
        return f"{self.config_entry.unique_id}-{key.replace('/', '-')}"


class _EntryMemory:
    """Keeps the CAN ids behind a VESC in its config entry."""

    def __init__(self, hass: HomeAssistant, entry: PackwireConfigEntry) -> None:
        self._hass = hass
        self._entry = entry

    def recall(self, identity: str) -> list[int] | None:  # noqa: ARG002 - an entry is of one VESC
        ids: list[int] | None = self._entry.data.get(CONF_CAN_IDS)
        return ids

    def remember(self, identity: str, can_ids: list[int]) -> None:  # noqa: ARG002
        if can_ids != self.recall(""):
            self._hass.config_entries.async_update_entry(
                self._entry, data={**self._entry.data, CONF_CAN_IDS: can_ids}
            )
