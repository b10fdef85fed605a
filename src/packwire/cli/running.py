"""Running something until the user stops it: Ctrl-C and SIGTERM end it cleanly."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

from packwire.cli.exit_codes import ExitCode


def run_until_stopped(work: Coroutine[Any, Any, int]) -> int:
    """Run `work`; return its exit code, or 0 where a signal ended it, which is the usual way."""
    return asyncio.run(_run(work))


async def _run(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return ExitCode.OK
