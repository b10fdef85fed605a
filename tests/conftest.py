"""What every test has: a cache folder of its own, and no password or terminal setting from outside."""

import contextlib
import os

import pytest
from hypothesis import settings

# How long an example takes is the machine's business.
settings.register_profile("packwire", deadline=None)
settings.load_profile("packwire")


@pytest.fixture(scope="session")
def _models(tmp_path_factory):
    """Return where compiled models are kept: by their content, so that all tests of a run may share them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled-models"
    folder.mkdir(exist_ok=True)
    return folder


def pytest_xdist_auto_num_workers():
    """Return two workers more than there are cores: many tests only wait for a link or for silence."""
    return (os.cpu_count() or 1) + 2


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path, monkeypatch, _models):
    cache = tmp_path.with_name(f"{tmp_path.name}-cache")
    (cache / "packwire").mkdir(parents=True)
    with contextlib.suppress(OSError):  # Windows lets not everybody make one
        (cache / "packwire" / "models").symlink_to(_models, target_is_directory=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
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
