"""What every test has: a cache folder of its own, and no password or terminal setting from outside."""

import pytest


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in (
        "PACKWIRE_PASSWORD",
        "PACKWIRE_PASSWORD_FILE",
        "FORCE_COLOR",
        "NO_COLOR",
        "COLUMNS",
        "LINES",
    ):
        monkeypatch.delenv(name, raising=False)
