"""A started Home Assistant, a simulated VESC behind a hub, and a browser that sets one up for the other.

    make homeassistant-page

Everything runs on this computer alone: Home Assistant on loopback, onboarded by its API; the hub and the
VESC in this process; a headless chromium. It ends with 0 when Home Assistant's own page has shown the pack,
its loss, the repair, and its return.
"""

import argparse
import asyncio
import json
import logging
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from playwright.async_api import BrowserContext, Page, Route, async_playwright, expect
from playwright.async_api import Error as PlaywrightError

from packwire.hub.credentials import PasswordHash
from packwire.hub.server import Hub
from packwire.hub.settings import HubSettings
from packwire.sim.server import DEVICE_ID, PASSWORD, SimOptions, SimulatedVesc
from started_home_assistant import LOOPBACK, free_port, home_assistant, onboard

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "docs" / "pictures" / "home-assistant"
WIDTH, HEIGHT = 1280, 960
CELLS = 20
VOLTAGE = "83.91 V"
REPAIR_AFTER = 1
"""Minutes: the least that the options take."""

BROWSER_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Pictures:
    """Takes screenshots into a folder, or none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    async def take(self, page: Page, name: str, height: int = HEIGHT) -> None:
        """Take what the page shows now, once nothing moves any more."""
        if self._folder is not None:
            await page.set_viewport_size({"width": WIDTH, "height": height})
            await page.wait_for_timeout(1500)
            await page.screenshot(path=self._folder / f"{name}.png")
            await page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


async def logged_in(context: BrowserContext, url: str, tokens: dict[str, object]) -> Page:
    """Return a page of Home Assistant with its owner logged in; nothing else is asked for anything."""

    async def only_home_assistant(route: Route) -> None:
        if route.request.url.startswith(url):
            await route.continue_()
        elif "/packwire/" in route.request.url:  # its icon; from 2026.3 on, Home Assistant serves that itself
            await route.fulfill(path=HERE / "custom_components/packwire/brand/icon.png")
        else:
            await route.abort()

    await context.route("**/*", only_home_assistant)
    await context.add_init_script(f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))})")
    page = await context.new_page()
    page.set_default_timeout(20_000)
    return page


async def configure(page: Page, url: str, hub: Hub, pictures: Pictures) -> None:
    """Add the VESC as an owner would: choose the hub, type a wrong password first, then the right one."""
    await page.goto(f"{url}/config/integrations/dashboard/add?domain=packwire")
    await (
        page.get_by_role("button", name="OK")
        .or_(page.locator("dialog-box ha-button, dialog-box mwc-button"))
        .last.click()
    )
    await page.get_by_text("It is behind a TCP hub").wait_for()
    await pictures.take(page, "1-where")
    await page.get_by_text("It is behind a TCP hub").click()
    await page.locator("step-flow-form").wait_for()
    await type_into(page, "Hub", LOOPBACK)
    await type_into(page, "Port", str(hub.port))
    await type_into(page, "Id", DEVICE_ID)
    await type_into(page, "Password", "wrong")
    await submit(page)
    await page.get_by_text("the password is wrong").wait_for()
    await pictures.take(page, "2-wrong-password")
    await type_into(page, "Password", PASSWORD)
    await submit(page)
    await page.locator("step-flow-create-entry").wait_for()
    await pictures.take(page, "3-added")


async def type_into(page: Page, field: str, text: str) -> None:
    """Fill the field of a form that has this label."""
    labelled = page.locator("step-flow-form ha-textfield").filter(has_text=re.compile(rf"^\s*{field}"))
    await labelled.locator("input").fill(text)


async def submit(page: Page) -> None:
    """Press the button of a form."""
    button = page.locator("step-flow-form").get_by_role("button", name="Submit")
    await button.or_(page.locator("step-flow-form mwc-button, step-flow-form ha-button")).last.click()


async def choose_options(page: Page, url: str, pictures: Pictures) -> None:
    """Turn every cell on, and let the repair come as soon as it may, by the page of the options."""
    await page.goto(f"{url}/config/integrations/integration/packwire")
    configure_button = page.get_by_role("button", name="Configure").or_(
        page.get_by_text("Configure", exact=True)
    )
    await configure_button.first.click()
    await page.locator("step-flow-form").wait_for()
    await type_into(page, "Speak up after", str(REPAIR_AFTER))
    await page.locator("step-flow-form ha-selector-boolean").locator("ha-switch, ha-formfield").first.click()
    await pictures.take(page, "4-options")
    await submit(page)
    await page.get_by_text("Options successfully saved").wait_for()


async def battery(url: str, tokens: dict[str, object]) -> str:
    """Return the id of the battery's device."""
    async with aiohttp.ClientSession(url) as session, session.ws_connect("/api/websocket") as socket_:
        await socket_.receive_json()
        await socket_.send_json({"type": "auth", "access_token": tokens["access_token"]})
        await socket_.receive_json()
        await socket_.send_json({"id": 1, "type": "config/device_registry/list"})
        devices = (await socket_.receive_json())["result"]
    (found,) = [device["id"] for device in devices if device["name"] == "VESC Express T battery"]
    return str(found)


async def shown(page: Page) -> str:
    """Return the texts of the device's entities, as a reader of the page hears them."""
    cards = await page.locator("ha-device-entities-card").all()
    return "\n".join([await card.aria_snapshot() for card in cards])


async def shows_the_pack(page: Page) -> None:
    """Wait until the device's page shows the voltage, and a voltage of each cell."""
    await page_shows(page, lambda text: f" Voltage {VOLTAGE}" in text and len(cells_in(text)) == CELLS)


async def shows_no_pack(page: Page) -> None:
    """Wait until the device's page shows neither any more."""
    await page_shows(page, lambda text: " Voltage Unavailable" in text and not cells_in(text))


def cells_in(text: str) -> set[str]:
    """Return the numbers of the cells whose voltage is among the texts."""
    return set(re.findall(r"Cell (\d\d) voltage [34]\.\d{3} V", text))


async def page_shows(page: Page, enough: Callable[[str], bool]) -> None:
    """Wait until the device's page shows enough; say what it shows where it never does."""
    text = ""
    for _ in range(240):
        try:
            text = await shown(page)
        except PlaywrightError:  # it is being drawn
            text = ""
        if enough(text):
            return
        await asyncio.sleep(0.25)
    sys.exit(f"This is not what the page should show:\n{text}")


def hub_settings(folder: Path) -> HubSettings:
    """Let the simulated VESC, and who knows its password, in at any free port of this computer."""
    credentials = folder / "hub-credentials"
    credentials.write_text(f"{DEVICE_ID}:{PasswordHash.of(PASSWORD).text}\n")
    credentials.chmod(0o600)
    return HubSettings(host=LOOPBACK, port=0, credentials=credentials)


class Plug:
    """The simulated VESC's plug: pulled, it is gone; put in again, it dials its hub anew."""

    def __init__(self, hub: int) -> None:
        self._options = SimOptions(scenario="rest", speed=0, port=None, hub=(LOOPBACK, hub), cells=CELLS)
        self._vesc: SimulatedVesc | None = None

    async def put_in(self) -> None:
        """Switch it on."""
        self._vesc = await SimulatedVesc(self._options).__aenter__()

    async def pull(self) -> None:
        """Switch it off."""
        if self._vesc is not None:
            vesc, self._vesc = self._vesc, None
            await vesc.__aexit__(None, None, None)


async def run(pictures: Pictures, folder: Path) -> None:
    """Start all there is, and go through all of it."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(Hub(hub_settings(folder)))
        plug = Plug(hub.port)
        stack.push_async_callback(plug.pull)
        await plug.put_in()
        say(f"a simulated VESC at rest, behind a hub on {LOOPBACK}:{hub.port}")
        url = await stack.enter_async_context(home_assistant(folder, free_port()))
        tokens = await onboard(url)
        say(f"Home Assistant is there, and onboarded: {url}")
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium(), args=BROWSER_ARGUMENTS)
        stack.push_async_callback(browser.close)
        context = await browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, locale="en-US", service_workers="block"
        )
        page = await logged_in(context, url, tokens)
        await configure(page, url, hub, pictures)
        say("the VESC is configured, through the page")
        await choose_options(page, url, pictures)
        say("the options are chosen, through the page")
        device = f"{url}/config/devices/device/{await battery(url, tokens)}"
        await watch(page, url, device, plug, pictures)
    complaints = complaints_in((folder / "output").read_text(encoding="utf-8"))
    if complaints:
        sys.exit("Home Assistant complains in its log:\n" + "\n".join(complaints))
    say("the log has no complaint about packwire, but for one line when the VESC went")


def complaints_in(log: str) -> list[str]:
    """Return the lines that should not be there: blocking calls, wrong entities, errors of packwire."""
    complaints = re.compile(
        r"Detected |deprecated|(ERROR|WARNING).*packwire|File .*(custom_components|src).packwire"
    )
    expected = re.compile(
        r"custom integration packwire which has not been tested|Error fetching VESC Express T data"
    )
    return [line for line in log.splitlines() if complaints.search(line) and not expected.search(line)]


async def watch(page: Page, url: str, device: str, plug: Plug, pictures: Pictures) -> None:
    """Look at the pack, pull its plug, wait for the repair, put it in again."""
    await page.goto(device)
    await shows_the_pack(page)
    await pictures.take(page, "5-battery", height=3480)
    say(f"the device's page shows {CELLS} cells and {VOLTAGE}")
    await plug.pull()
    say("the plug is pulled")
    await shows_no_pack(page)
    await pictures.take(page, "6-unavailable")
    say("the device's page shows: unavailable")
    title = f"VESC Express T has not answered for {REPAIR_AFTER} min"
    await page.goto(f"{url}/config/repairs")
    await page.get_by_text(title).first.wait_for(timeout=(REPAIR_AFTER * 60 + 60) * 1000)
    await page.get_by_text(title).first.click()
    await page.get_by_text("The verdict of packwire's doctor: unknown-id").wait_for()
    await pictures.take(page, "7-repair")
    say(f"the repairs show: {title}")
    await plug.put_in()
    say("the plug is in again")
    await expect(page.locator("ha-config-repairs").get_by_text(title)).to_have_count(0, timeout=120_000)
    say("the repair is gone")
    await page.goto(device)
    await shows_the_pack(page)
    await pictures.take(page, "8-back")
    say(f"the device's page shows {CELLS} cells and {VOLTAGE}, and nothing was restarted")
    since = datetime.now(UTC) - timedelta(minutes=2.5)
    entities = "sensor.vesc_express_t_battery_voltage"
    await page.goto(f"{url}/history?entity_id={entities}&start_date={since:%Y-%m-%dT%H:%M:%S.000Z}")
    await page.locator("state-history-chart-line canvas").first.wait_for()
    await pictures.take(page, "9-history")
    say("the history shows a graph, with a gap")


def chromium() -> str:
    """Return the browser that this computer has."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    sys.exit("No chromium here: apt-get install chromium")


def main() -> None:
    """Run it; keep Home Assistant's folder where something went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--pictures", nargs="?", type=Path, const=PICTURES, help="keep screenshots (in docs/)"
    )
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="packwire-homeassistant-"))
    logging.basicConfig(filename=folder / "hub-and-vesc", level=logging.INFO)
    say(f"Home Assistant's folder: {folder}")
    asyncio.run(run(Pictures(chosen.pictures), folder))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
