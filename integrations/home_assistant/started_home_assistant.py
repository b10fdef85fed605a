"""A Home Assistant of its own, on loopback: started, onboarded by its API, and stopped."""

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

HERE = Path(__file__).parent
LOOPBACK = "127.0.0.1"
OWNER = {"name": "Owner", "username": "owner", "password": "only for this test", "language": "en"}

#: Home Assistant as it is after onboarding, so that it asks the internet for nothing.
ONBOARDED = {
    "version": 4,
    "minor_version": 1,
    "key": "onboarding",
    "data": {"done": ["core_config", "analytics", "integration"]},
}
CONFIGURATION = """
homeassistant: {{name: Home, time_zone: UTC, country: DE, unit_system: metric}}
http: {{server_host: 127.0.0.1, server_port: {port}}}
frontend:
config:
history:
system_health:
recorder: {{db_url: "sqlite:///{folder}/home-assistant_v2.db", commit_interval: 1, auto_purge: false}}
logger: {{default: warning, logs: {{custom_components.packwire: info}}}}
"""


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def home_assistant(folder: Path, port: int) -> AsyncGenerator[str]:
    """Run Home Assistant with the integration in its configuration; yield where its page is."""
    (folder / ".storage").mkdir(parents=True)
    (folder / ".storage" / "onboarding").write_text(json.dumps(ONBOARDED))
    (folder / "custom_components").symlink_to(HERE / "custom_components")
    (folder / "configuration.yaml").write_text(CONFIGURATION.format(port=port, folder=folder))
    with (folder / "output").open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            *(Path(sys.executable).with_name("hass"), "-c", folder, "--skip-pip"),
            stdout=output,
            stderr=output,
        )
        try:
            url = f"http://{LOOPBACK}:{port}"
            await answers(url, running)
            yield url
        finally:
            if running.returncode is None:
                running.send_signal(signal.SIGTERM)
            await running.wait()


async def answers(url: str, running: asyncio.subprocess.Process) -> None:
    """Wait until Home Assistant serves its page."""
    async with aiohttp.ClientSession() as session:
        while running.returncode is None:
            try:
                async with session.get(f"{url}/manifest.json"):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.3)
    sys.exit(f"Home Assistant ended with {running.returncode}; see its output in the folder named above")


async def onboard(url: str) -> dict[str, object]:
    """Make the owner's account by the API; return the tokens as the page keeps them."""
    client = f"{url}/"
    async with aiohttp.ClientSession(url, raise_for_status=True) as session:
        async with session.post("/api/onboarding/users", json={**OWNER, "client_id": client}) as reply:
            code = (await reply.json())["auth_code"]
        fields = {"grant_type": "authorization_code", "code": code, "client_id": client}
        async with session.post("/auth/token", data=fields) as reply:
            tokens: dict[str, object] = await reply.json()
    expires = int(time.time() * 1000) + 1_800_000
    return {**tokens, "hassUrl": url, "clientId": client, "expires": expires}
