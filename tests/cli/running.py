"""The command line run as a user runs it: a process of its own."""

import asyncio
import os
import sys
from dataclasses import dataclass

COMMAND = (sys.executable, "-m", "packwire")


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


async def packwire(*arguments: str, stdin: bytes | None = None, **variables: str) -> Result:
    """Run `packwire` to its end and return what it said."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"} | variables,
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate(stdin or b"")
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return Result(process.returncode, out.decode(), err.decode())
