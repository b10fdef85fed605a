"""The Home Assistant integration's texts and icons are made from the registry, and are current.

What it does is tested in a real Home Assistant, in an environment of its own: `make homeassistant`.
"""

import json
import runpy
import tomllib

from packwire import __version__
from packwire.quantity import QUANTITIES
from tests.shared_data import ROOT

HOME = ROOT / "integrations" / "home_assistant"


def test_the_generated_files_are_current():
    make = runpy.run_path(str(HOME / "make_texts.py"))
    for path, text in make["files"]().items():
        assert path.read_text(encoding="utf-8") == text, "run integrations/home_assistant/make_texts.py"


def test_every_quantity_has_a_german_name():
    german = tomllib.loads((HOME / "texts" / "de.toml").read_text(encoding="utf-8"))
    assert list(german["quantities"]) == list(QUANTITIES)
    arrays = {quantity.key: quantity for quantity in QUANTITIES.values() if quantity.array}
    assert set(german["elements"]) == set(arrays)
    for key, quantity in arrays.items():
        assert "{number}" in quantity.element
        assert "{number}" in german["elements"][key]


def test_the_manifest_asks_for_this_version():
    manifest = json.loads((HOME / "custom_components/packwire/manifest.json").read_text(encoding="utf-8"))
    assert manifest["requirements"] == [f"packwire=={__version__}"]
