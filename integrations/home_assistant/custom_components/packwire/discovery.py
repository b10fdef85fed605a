"""VESCs on the network, by the broadcasts that they send (UDP port 65109)."""

import asyncio
import random
from datetime import datetime, timedelta

from homeassistant.config_entries import SOURCE_INTEGRATION_DISCOVERY
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util.hass_dict import HassKey

from packwire.errors import UnreachableError
from packwire.link import discovery
from packwire.protocol.announcing import Announcement
from packwire.protocols import announcing

from .const import DOMAIN, LOGGER

#: A VESC announces itself once a second.
LISTEN_SECONDS = 2.5
LISTEN_AGAIN = timedelta(minutes=5)
#: VESCs that wait to be asked who they are, or to be added, at most: anybody can say that he is one.
MOST_OFFERED = 16
#: Connections at one time to those that were heard.
DIALLED_AT_ONCE = 2
_DIALLING: HassKey[asyncio.Semaphore] = HassKey(f"{DOMAIN}_dialling")
PORT = announcing()[0].port


async def scan() -> list[tuple[str, Announcement]]:
    """Listen for LISTEN_SECONDS; return (address, announcement) of each VESC heard.

    Nothing is heard where another program holds the port.
    """
    try:
        return await discovery.discover(LISTEN_SECONDS, PORT)
    except UnreachableError as error:
        LOGGER.debug("%s", error)
        return []


def dialling(hass: HomeAssistant) -> asyncio.Semaphore:
    """Return what is held while one that was heard is connected to."""
    return hass.data.setdefault(_DIALLING, asyncio.Semaphore(DIALLED_AT_ONCE))


def _is_known(hass: HomeAssistant, host: str, announcement: Announcement) -> bool:
    """Tell whether an entry reads this VESC there."""
    place = (host, announcement.port)
    entries = hass.config_entries.async_entries(DOMAIN)
    return any((entry.data.get(CONF_HOST), entry.data.get(CONF_PORT)) == place for entry in entries)


@callback
def start_discovery(hass: HomeAssistant) -> None:
    """Listen now and then until Home Assistant stops; offer every VESC that is heard."""

    async def listen(_now: datetime | None = None) -> None:
        heard = await scan()
        new = [each for each in heard if not _is_known(hass, *each)]
        random.shuffle(new)  # nobody keeps another from being offered for ever
        room = MOST_OFFERED - len(hass.config_entries.flow.async_progress_by_handler(DOMAIN))
        if len(new) > room:
            LOGGER.debug("%d VESCs are heard and %d offered: too many at once", len(new), max(room, 0))
        for host, announcement in new[: max(room, 0)]:
            discovery_flow.async_create_flow(
                hass,
                DOMAIN,
                context={"source": SOURCE_INTEGRATION_DISCOVERY},
                data={CONF_HOST: host, CONF_PORT: announcement.port, CONF_NAME: announcement.name},
            )

    hass.async_create_background_task(listen(), f"{DOMAIN}: listen for VESCs")
    async_track_time_interval(hass, listen, LISTEN_AGAIN, cancel_on_shutdown=True)
