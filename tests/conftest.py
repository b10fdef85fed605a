"""What every test has: a cache folder of its own, and no password or terminal setting from outside."""

import os

import pytest
from hypothesis import settings

# How long an example takes is the machine's business.
settings.register_profile("packwire", deadline=None)
settings.load_profile("packwire")


def pytest_xdist_auto_num_workers():
    """Return one worker more than there are cores: many tests only wait for a link or for silence."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in (
        "PACKWIRE_PASSWORD",
        "PACKWIRE_PASSWORD_FILE",
        "PACKWIRE_PIN",
        "PACKWIRE_PROXY_KEY",
        "FORCE_COLOR",
        "NO_COLOR",
        "COLUMNS",
        "LINES",
    ):
        monkeypatch.delenv(name, raising=False)
