"""VESCs on the network, by the broadcasts that they send (UDP port 65109)."""

from datetime import datetime, timedelta

from homeassistant.config_entries import SOURCE_INTEGRATION_DISCOVERY
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.event import async_track_time_interval

from packwire.errors import UnreachableError
from packwire.link import discovery
from packwire.vesc.announcement import ANNOUNCEMENT_PORT, Announcement

from .const import DOMAIN, LOGGER

#: A VESC announces itself once a second.
LISTEN_SECONDS = 2.5
LISTEN_AGAIN = timedelta(minutes=5)
PORT = ANNOUNCEMENT_PORT


async def scan() -> list[tuple[str, Announcement]]:
    """Listen for LISTEN_SECONDS; return (address, announcement) of each VESC heard.

    Nothing is heard where another program holds the port.
    """
    try:
        return await discovery.discover(LISTEN_SECONDS, PORT)
    except UnreachableError as error:
        LOGGER.debug("%s", error)
        return []


@callback
def start_discovery(hass: HomeAssistant) -> None:
    """Listen now and then until Home Assistant stops; offer every VESC that is heard."""

    async def listen(_now: datetime | None = None) -> None:
        for host, announcement in await scan():
            discovery_flow.async_create_flow(
                hass,
                DOMAIN,
                context={"source": SOURCE_INTEGRATION_DISCOVERY},
                data={CONF_HOST: host, CONF_PORT: announcement.port, CONF_NAME: announcement.name},
            )

    hass.async_create_background_task(listen(), f"{DOMAIN}: listen for VESCs")
    async_track_time_interval(hass, listen, LISTEN_AGAIN, cancel_on_shutdown=True)
