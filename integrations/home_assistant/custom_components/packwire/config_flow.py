"""Adding a VESC: through a hub, at an address, or one that was heard; and changing what was said before."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, override

import voluptuous as vol
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.util.hass_dict import HassKey

from packwire.address import HUB_PORT, VESC_PORT
from packwire.errors import PackwireError

from .connection import Identity, address_of, identify
from .const import (
    CONF_BMS_EXPECTED,
    CONF_CELLS,
    CONF_HUB_ID,
    CONF_INTERVAL,
    CONF_LINK,
    CONF_REPAIR_AFTER,
    CONF_STALE_AFTER,
    DEFAULT_INTERVAL,
    DEFAULT_REPAIR_AFTER,
    DEFAULT_STALE_AFTER,
    DOMAIN,
    LINK_HUB,
    LINK_TCP,
    LOGGER,
)
from .discovery import dialling, scan
from .plain import in_markdown
from .reasons import examine

_PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))


def _number(least: float, most: float, unit: str | None = None, step: float = 1) -> NumberSelector:
    config = NumberSelectorConfig(min=least, max=most, step=step, mode=NumberSelectorMode.BOX)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


_HOST_AND_PORT = {
    LINK_TCP: {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=VESC_PORT): _number(1, 65535),
    },
    LINK_HUB: {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=HUB_PORT): _number(1, 65535),
    },
}
SCHEMAS = {
    LINK_TCP: vol.Schema(_HOST_AND_PORT[LINK_TCP]),
    LINK_HUB: vol.Schema(
        {
            **_HOST_AND_PORT[LINK_HUB],
            vol.Required(CONF_HUB_ID): TextSelector(),
            vol.Required(CONF_PASSWORD): _PASSWORD,
        }
    ),
}
OPTIONS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_INTERVAL, default=DEFAULT_INTERVAL): _number(1, 3600, "s"),
        vol.Required(CONF_STALE_AFTER, default=DEFAULT_STALE_AFTER): _number(1, 86_400, "s"),
        vol.Required(CONF_REPAIR_AFTER, default=DEFAULT_REPAIR_AFTER): _number(1, 10_080, "min"),
        vol.Required(CONF_CELLS, default=False): BooleanSelector(),
    }
)
#: The unique id of each VESC that was heard, by what it announced: host, port and name.
_MOST_IDENTIFIED = 256
_IDENTIFIED: HassKey[dict[tuple[str, int, str | None], str]] = HassKey(f"{DOMAIN}_identified")


class PackwireConfigFlow(ConfigFlow, domain=DOMAIN):
    """Each way ends with a connection that was tried, and with one entry a VESC."""

    VERSION = 1

    def __init__(self) -> None:
        """Know nothing yet."""
        self._data: dict[str, Any] = {}
        self._identity: Identity | None = None
        self._heard: dict[str, dict[str, Any]] = {}
        self._reason = ""

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        return PackwireOptionsFlow()

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:  # noqa: ARG002
        """Ask where the VESC is."""
        return self.async_show_menu(step_id="user", menu_options=["scan", LINK_TCP, LINK_HUB])

    async def async_step_tcp(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take host and port."""
        return await self._step_connect(LINK_TCP, LINK_TCP, user_input)

    async def async_step_hub(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a hub's host and port, and the VESC's id and password there."""
        return await self._step_connect(LINK_HUB, LINK_HUB, user_input)

    async def async_step_scan(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Listen for VESCs and let the owner choose one."""
        if user_input is not None:
            self._data = self._heard[user_input[CONF_HOST]]
            self._async_abort_entries_match(self._data)
            if await self._identify():
                return await self._add()
            return self.async_show_form(
                step_id="scan", data_schema=self._choice(), errors={"base": self._reason}
            )
        self._heard = {
            f"{host}:{announcement.port}": _tcp_data(host, announcement.port)
            for host, announcement in await scan()
        }
        if not self._heard:
            return await self.async_step_nothing_heard()
        return self.async_show_form(step_id="scan", data_schema=self._choice())

    async def async_step_nothing_heard(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:  # noqa: ARG002
        """Say what to look at, and offer the same choice again."""
        return self.async_show_menu(step_id="nothing_heard", menu_options=["scan", LINK_TCP, LINK_HUB])

    async def async_step_no_bms(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say that this VESC hears no BMS; add it all the same if that is wanted."""
        if user_input is None:
            placeholders = {CONF_NAME: in_markdown(self._name)}
            return self.async_show_form(step_id="no_bms", description_placeholders=placeholders)
        return self._create()

    async def async_step_integration_discovery(self, discovery_info: dict[str, Any]) -> ConfigFlowResult:
        """Take a VESC that was heard."""
        self._data = _tcp_data(discovery_info[CONF_HOST], discovery_info[CONF_PORT])
        self._async_abort_entries_match(self._data)
        # It is heard again and again: asked once who it is, it is left in peace while it is offered, ignored
        # or set up through a hub. One flow at a time for an address that is new.
        announced = (discovery_info[CONF_HOST], discovery_info[CONF_PORT], discovery_info.get(CONF_NAME))
        identified = self.hass.data.setdefault(_IDENTIFIED, {})
        known = await self.async_set_unique_id(identified.get(announced, str(address_of(self._data))))
        if not _may_move(known):
            self._abort_if_unique_id_configured()
        async with dialling(self.hass):
            if not await self._identify():
                return self.async_abort(reason=self._reason)
        identified[announced] = self._known.unique_id
        while len(identified) > _MOST_IDENTIFIED:
            del identified[next(iter(identified))]
        entry = await self.async_set_unique_id(self._known.unique_id)
        self._abort_if_unique_id_configured(updates=self._data if _may_move(entry) else None)
        self.context["title_placeholders"] = {CONF_NAME: self._name}
        return await self.async_step_confirm()

    async def async_step_dhcp(self, discovery_info: DhcpServiceInfo) -> ConfigFlowResult:
        """Take a device that might be a VESC: it is one if it announces itself."""
        await self.async_set_unique_id(discovery_info.ip)
        for host, announcement in await scan():
            if host == discovery_info.ip:
                heard = {**_tcp_data(host, announcement.port), CONF_NAME: announcement.name}
                return await self.async_step_integration_discovery(heard)
        return self.async_abort(reason="not_a_vesc")

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether to add what was discovered."""
        if user_input is None:
            self._set_confirm_only()
            placeholders = {CONF_NAME: in_markdown(self._name), CONF_HOST: self._data[CONF_HOST]}
            return self.async_show_form(step_id="confirm", description_placeholders=placeholders)
        return await self._add()

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:  # noqa: ARG002
        """Begin again with the password."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the password that the hub now wants."""
        entry = self._get_reauth_entry()
        errors = {}
        if user_input is not None:
            self._data = {**entry.data, **user_input}
            if await self._identify(entry):
                return await self._update(entry, user_input)
            errors["base"] = self._reason
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=vol.Schema({vol.Required(CONF_PASSWORD): _PASSWORD}),
            errors=errors,
            description_placeholders={
                CONF_HUB_ID: in_markdown(entry.data[CONF_HUB_ID]),
                CONF_HOST: entry.data[CONF_HOST],
            },
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:  # noqa: ARG002
        """Ask whether the same VESC is now reached directly or through a hub."""
        return self.async_show_menu(
            step_id="reconfigure", menu_options=["reconfigure_tcp", "reconfigure_hub"]
        )

    async def async_step_reconfigure_tcp(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a new host and port for the same VESC."""
        return await self._step_connect(
            "reconfigure_tcp", LINK_TCP, user_input, self._get_reconfigure_entry()
        )

    async def async_step_reconfigure_hub(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a new hub, id or password for the same VESC."""
        return await self._step_connect(
            "reconfigure_hub", LINK_HUB, user_input, self._get_reconfigure_entry()
        )

    async def _step_connect(
        self, step_id: str, link: str, user_input: dict[str, Any] | None, entry: ConfigEntry | None = None
    ) -> ConfigFlowResult:
        """Show the form of a link until its connection works; then add the VESC, or update its entry."""
        errors = {}
        if user_input is not None:
            typed = {key: user_input[key].strip() for key in (CONF_HOST, CONF_HUB_ID) if key in user_input}
            self._data = {CONF_LINK: link, **user_input, **typed, CONF_PORT: int(user_input[CONF_PORT])}
            if entry is None:
                # A second connection would only take the VESC away from the first.
                self._async_abort_entries_match({k: v for k, v in self._data.items() if k != CONF_PASSWORD})
            if await self._identify(entry):
                return await (self._add() if entry is None else self._update(entry, self._data))
            errors["base"] = self._reason
        suggested = user_input or (entry.data if entry and entry.data[CONF_LINK] == link else {})
        shown = {key: value for key, value in suggested.items() if key != CONF_PASSWORD}
        schema = self.add_suggested_values_to_schema(SCHEMAS[link], shown)
        return self.async_show_form(step_id=step_id, data_schema=schema, errors=errors)

    async def _identify(self, entry: ConfigEntry | None = None) -> bool:
        """Try the connection; keep who answered, or the reason why nobody did.

        The entry's own connection is closed meanwhile: a VESC serves one client at a time.
        """
        ours = entry.runtime_data if entry is not None and entry.state is ConfigEntryState.LOADED else None
        address = address_of(self._data)
        async with ours.paused() if ours else nullcontext():
            try:
                self._identity = await identify(address)
            except PackwireError as error:
                LOGGER.debug("%s: %s", address, error)
                self._reason = (await examine(error, address)).reason
                return False
            return True

    @property
    def _known(self) -> Identity:
        assert self._identity is not None
        return self._identity

    @property
    def _name(self) -> str:
        return self._known.name

    def _choice(self) -> vol.Schema:
        """Return the form that offers what was heard."""
        options = [SelectOptionDict(value=key, label=key) for key in self._heard]
        return vol.Schema({vol.Required(CONF_HOST): SelectSelector(SelectSelectorConfig(options=options))})

    async def _add(self) -> ConfigFlowResult:
        """Add the VESC that answered, unless it is there already."""
        await self.async_set_unique_id(self._known.unique_id, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        return self._create() if self._known.has_bms else await self.async_step_no_bms()

    def _create(self) -> ConfigFlowResult:
        data = {**self._data, CONF_BMS_EXPECTED: self._known.has_bms}
        return self.async_create_entry(title=self._name, data=data)

    async def _update(self, entry: ConfigEntry, changes: Mapping[str, Any]) -> ConfigFlowResult:
        """Keep the changes, if it is still the same VESC that answers."""
        await self.async_set_unique_id(self._known.unique_id, raise_on_progress=False)
        self._abort_if_unique_id_mismatch(reason="another_vesc")
        return self.async_update_reload_and_abort(entry, data_updates=changes)


class PackwireOptionsFlow(OptionsFlow):
    """How often to read, how long old values are shown, when to speak up, and whether every cell is shown."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the options and keep them."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        schema = self.add_suggested_values_to_schema(OPTIONS_SCHEMA, self.config_entry.options)
        return self.async_show_form(step_id="init", data_schema=schema)


def _may_move(entry: ConfigEntry | None) -> bool:
    """Tell whether a VESC's own address is what its entry connects to; one that is ignored has none."""
    return entry is not None and entry.data.get(CONF_LINK) == LINK_TCP


def _tcp_data(host: str, port: int) -> dict[str, Any]:
    return {CONF_LINK: LINK_TCP, CONF_HOST: host, CONF_PORT: port}
