"""The environment of a packwire that is installed: its modules are compiled once, as pip compiles them."""

import os
from pathlib import Path


def installed(folder: str | Path) -> dict[str, str]:
    """Return environment variables that keep what the first run compiles in a folder, for the others."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return environment | {"PYTHONPYCACHEPREFIX": str(folder)}


def uncompiled() -> dict[str, str]:
    """Return environment variables that keep nothing: what is not compiled yet is, at each start."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPYCACHEPREFIX"}
    return environment | {"PYTHONDONTWRITEBYTECODE": "1"}
