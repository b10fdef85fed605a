"""What hassfest asks of an integration's files, as far as it can be asked outside Home Assistant's repository."""

import json
import re
import struct
from importlib import metadata
from pathlib import Path

import homeassistant
import pytest
import yaml
from awesomeversion import AwesomeVersion
from homeassistant.const import Platform
from homeassistant.const import __version__ as homeassistant_version
from homeassistant.loader import async_get_integration
from packaging.requirements import Requirement

import custom_components.packwire as integration
import packwire
from custom_components.packwire.const import DOMAIN

HERE = Path(integration.__file__).parent
MANIFEST = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
STRINGS = json.loads((HERE / "strings.json").read_text(encoding="utf-8"))
ICONS = json.loads((HERE / "icons.json").read_text(encoding="utf-8"))
#: The Home Assistant that requirements/homeassistant.txt holds; the tests run in others too.
LOCKED = "2025.4.4"
PLACEHOLDER = re.compile(r"{(\w+)}")


def leaves(tree, path=()):
    """Yield the path and text of every leaf."""
    if isinstance(tree, dict):
        for key, branch in tree.items():
            yield from leaves(branch, (*path, key))
    else:
        yield path, tree


def test_the_manifest_is_complete_and_in_order():
    keys = list(MANIFEST)
    assert keys == ["domain", "name", *sorted(keys[2:])]
    assert MANIFEST["domain"] == DOMAIN == HERE.name
    assert MANIFEST["integration_type"] == "hub"
    assert MANIFEST["iot_class"] == "local_polling"
    assert MANIFEST["config_flow"] is True
    assert AwesomeVersion(MANIFEST["version"]).valid
    assert {"codeowners", "documentation", "issue_tracker", "requirements", "loggers"} <= set(keys)


async def test_home_assistant_takes_the_manifest(hass):
    loaded = await async_get_integration(hass, DOMAIN)
    assert loaded.version == MANIFEST["version"]
    assert loaded.requirements == [f"packwire=={packwire.__version__}"]
    assert loaded.dhcp == MANIFEST["dhcp"]


def test_each_platform_has_its_file():
    for platform in integration.PLATFORMS:
        assert isinstance(platform, Platform)
        assert (HERE / f"{platform}.py").exists()


def test_no_service_is_offered():
    """Read-only: nothing here could write to a device."""
    assert not (HERE / "services.yaml").exists()
    for path in HERE.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "services.async_register" not in text
        assert not re.search(r"\b(SwitchEntity|NumberEntity|SelectEntity|ButtonEntity)\b", text)


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_translation_has_the_same_texts_with_the_same_placeholders(language):
    translated = json.loads((HERE / "translations" / f"{language}.json").read_text(encoding="utf-8"))
    ours, theirs = dict(leaves(STRINGS)), dict(leaves(translated))
    assert set(ours) == set(theirs)
    for path, text in ours.items():
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(theirs[path])), path
        assert theirs[path].strip(), path


def test_texts_are_as_home_assistant_wants_them():
    for path, text in leaves(STRINGS):
        assert all(re.fullmatch(r"[a-z0-9_]+", key) for key in path), path
        assert "<" not in text, path
        if path[-1] in {"name", "title"}:
            assert text == text.strip(), path
            assert not text.endswith("."), path


def test_icons_are_for_entities_that_have_names():
    for path, icon in leaves(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", icon), path
        assert path[2] in STRINGS["entity"][path[1]], path


def test_every_rule_of_the_quality_scale_has_a_status():
    ours = yaml.safe_load((HERE / "quality_scale.yaml").read_text(encoding="utf-8"))["rules"]
    core = Path(homeassistant.__file__).parent / "components"
    known = set()
    for path in core.glob("*/quality_scale.yaml"):
        known |= set(yaml.safe_load(path.read_text(encoding="utf-8"))["rules"])
    assert len(known) > 50
    assert set(ours) == known
    for rule, status in ours.items():
        if isinstance(status, dict):
            assert status["status"] in {"exempt", "todo"}, rule
            assert status["comment"], rule
        else:
            assert status == "done", rule


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_the_icon_has_the_size_that_home_assistant_wants(name, size):
    data = (HERE / "brand" / name).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (size, size)


def constraints():
    """Yield what Home Assistant allows beside itself."""
    path = Path(homeassistant.__file__).with_name("package_constraints.txt")
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield Requirement(line)


def test_packwire_fits_beside_home_assistant():
    """Its base dependencies, and theirs, are met by the very versions that Home Assistant allows."""
    allowed = {requirement.name.lower(): requirement.specifier for requirement in constraints()}
    assert {"numpy", "pydantic", "pyyaml"} <= set(allowed)
    if homeassistant_version == LOCKED:
        assert str(allowed["numpy"]) == "==2.2.2"
        assert str(allowed["pydantic"]) == "==2.10.6"
    open_ends, seen = ["packwire"], set()
    while open_ends:
        name = open_ends.pop()
        for text in metadata.requires(name) or ():
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            installed = metadata.version(requirement.name)
            assert requirement.specifier.contains(installed), f"{name} needs {requirement}"
            assert allowed.get(requirement.name.lower(), requirement.specifier).contains(installed), (
                requirement
            )
            if requirement.name.lower() not in seen:
                seen.add(requirement.name.lower())
                open_ends.append(requirement.name)
    assert {"numpy", "pydantic", "pyyaml"} <= seen
    assert "bleak" not in seen, "the base pulls no Bluetooth: Home Assistant has its own"


@pytest.mark.skipif(homeassistant_version != LOCKED, reason="another Home Assistant than the locked one")
def test_home_assistant_has_beside_it_what_it_wants():
    """All that is installed is of the version that Home Assistant allows, but for four that packwire never uses."""
    root = Path(__file__).parents[3]
    overrides = (root / "requirements" / "homeassistant-overrides.txt").read_text(encoding="utf-8")
    overridden = {Requirement(line).name for line in overrides.splitlines() if not line.startswith("#")}
    assert len(overridden) == 4
    checked = 0
    for requirement in constraints():
        try:
            installed = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            continue
        assert requirement.name in overridden or requirement.specifier.contains(installed), requirement
        checked += 1
    assert checked > 50


def test_nothing_but_packwires_base_is_imported():
    """What an extra brings is not there on an owner's machine."""
    extras = {"serialx", "keyring", "matplotlib", "pyarrow", "cyclopts", "rich"}
    for path in HERE.glob("*.py"):
        imported = set(re.findall(r"^(?:from|import) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert not imported & extras, path
        assert "packwire.sim" not in path.read_text(encoding="utf-8"), path
