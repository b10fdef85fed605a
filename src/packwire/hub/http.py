"""`/metrics` and `/healthz`, on the loopback interface alone."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from packwire.hub.listening import cannot_listen
from packwire.hub.metrics import exposition
from packwire.hub.server import Hub

HOST = "127.0.0.1"


@contextlib.asynccontextmanager
async def http_server(hub: Hub, port: int) -> AsyncIterator[int]:
    """Serve while the context lasts; yields the port. Raises BadOptionError where it is taken."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=await exposition(hub), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_: web.Request) -> web.Response:
        connected = sum(device.connection is not None for device in hub.registry.devices.values())
        state = {"status": "stopping" if hub.stopping else "ok", "devices": connected}
        return web.json_response(state, status=503 if hub.stopping else 200)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", health)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            raise cannot_listen(HOST, port, "--http-port", error) from None
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
