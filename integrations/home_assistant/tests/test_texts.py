"""What hassfest asks of texts and icons: its rules restated, because Home Assistant's wheel does not hold it.

[home-assistant/core script/hassfest: translations.py, icons.py, config_flow.py, dhcp.py]
"""

import ast
import json
import re
import string
from pathlib import Path

import pytest
import voluptuous as vol
from homeassistant.const import EntityCategory
from homeassistant.helpers import config_validation as cv

import custom_components.packwire as integration
from custom_components.packwire import config_flow, reasons
from custom_components.packwire.descriptions import Part, binary_sensor, sensor
from packwire.doctor.registry import every_rule
from packwire.quantity import QUANTITIES
from packwire.sample import Condition

HERE = Path(integration.__file__).parent
FILES = ["strings.json", "translations/en.json", "translations/de.json"]
MANIFEST = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
ICONS = json.loads((HERE / "icons.json").read_text(encoding="utf-8"))


def read(name):
    """Return the texts of a file."""
    return json.loads((HERE / name).read_text(encoding="utf-8"))


# What a text and a key may be


def text(value):
    """Take a text without HTML, without space around it, and with placeholders that can be filled in."""
    value = cv.string_with_no_html(value)
    if value != value.strip():
        raise vol.Invalid("space before or after it")
    if re.search(r"'\{\w+\}'", value):
        raise vol.Invalid("a placeholder in single quotes is not filled in")
    for _, field, spec, conversion in string.Formatter().parse(value):
        if field is not None and (not field.isidentifier() or spec or conversion):
            raise vol.Invalid(f"{field!r} is no placeholder")
    return value


def key(value):
    """Take a key of small letters, digits, and single - and _ between them."""
    if not re.fullmatch(r"(?!.+[_-]{2})(?![_-])[a-z0-9_-]+(?<![_-])", value):
        raise vol.Invalid(f"{value!r} is no translation key")
    return value


TEXTS = {key: text}
STEP = {
    vol.Optional("title"): text,
    vol.Optional("description"): text,
    vol.Optional("data"): TEXTS,
    vol.Optional("data_description"): TEXTS,
    vol.Optional("menu_options"): TEXTS,
    vol.Optional("submit"): text,
}
FLOW = {
    vol.Optional("flow_title"): text,
    vol.Required("step"): {key: STEP},
    vol.Optional("error"): TEXTS,
    vol.Optional("abort"): TEXTS,
    vol.Optional("progress"): TEXTS,
    vol.Optional("create_entry"): TEXTS,
}
SCHEMA = vol.Schema(
    {
        vol.Required("config"): FLOW,
        vol.Required("options"): {k: v for k, v in FLOW.items() if k != "flow_title"},
        vol.Optional("device"): {key: {vol.Optional("name"): text}},
        vol.Optional("entity"): {
            vol.In(["sensor", "binary_sensor"]): {
                key: {vol.Required("name"): text, vol.Optional("state"): TEXTS},
            }
        },
        vol.Optional("issues"): {key: {vol.Required("title"): text, vol.Required("description"): text}},
        vol.Optional("exceptions"): {key: {vol.Required("message"): text}},
        vol.Optional("system_health"): {vol.Required("info"): TEXTS},
    }
)


@pytest.mark.parametrize("name", FILES)
def test_the_texts_have_home_assistants_schema(name):
    SCHEMA(read(name))


@pytest.mark.parametrize("wrong", ["<b>bold</b>", " space", "{0}", "'{quoted}'", "{a!r}"])
def test_the_schema_refuses_what_hassfest_refuses(wrong):
    with pytest.raises((vol.Invalid, ValueError)):
        text(wrong)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("flow", ["config", "options"])
def test_every_field_is_described(name, flow):
    for step, words in read(name)[flow]["step"].items():
        assert set(words.get("data", ())) == set(words.get("data_description", ())), step


@pytest.mark.parametrize("name", FILES)
def test_names_of_entities_are_told_apart(name):
    """Two entities of one name would get ids that end in _2."""
    for platform, entities in read(name)["entity"].items():
        names = [words["name"] for words in entities.values()]
        assert len(names) == len(set(names)), platform


# The code uses what the texts have, and has no text that it does not use


def steps_of(*classes):
    """Return the steps of flows."""
    return {
        name.removeprefix("async_step_")
        for each in classes
        for name in vars(each)
        if name.startswith("async_step_")
    }


def test_every_step_that_shows_something_has_texts_and_no_other_has():
    silent = {"integration_discovery", "dhcp", "reauth"}
    assert set(read("strings.json")["config"]["step"]) == steps_of(config_flow.PackwireConfigFlow) - silent
    assert set(read("strings.json")["options"]["step"]) == steps_of(config_flow.PackwireOptionsFlow)


def constants_in(path, keyword):
    """Return the texts that a module passes as an argument of this name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == keyword and isinstance(node.value, ast.Constant)
    }


def test_every_reason_to_abort_has_texts():
    aborts = set(read("strings.json")["config"]["abort"])
    by_home_assistant = {
        "already_configured",
        "already_in_progress",
        "reauth_successful",
        "reconfigure_successful",
    }
    assert aborts == constants_in(HERE / "config_flow.py", "reason") | by_home_assistant | reasons.REASONS


RAISED = {
    "UpdateFailed",
    "ConfigEntryAuthFailed",
    "ConfigEntryNotReady",
    "ConfigEntryError",
    "HomeAssistantError",
}


def test_every_exception_is_translated():
    """None is raised with words of its own, which nobody could translate."""
    used = set()
    for path in HERE.glob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        for call in (each for each in calls if each.func.id in RAISED):
            assert not call.args, path
            used.add({each.arg: each.value for each in call.keywords}["translation_key"].value)
    assert used == set(read("strings.json")["exceptions"])


def descriptions():
    """Yield platform and description of each entity that a quantity can become."""
    for quantity in QUANTITIES.values():
        parts = [Part(quantity)] if not quantity.array else [Part(quantity, 0, "1")]
        if quantity.array and parts[0].is_flag:
            parts.append(Part(quantity))
        for part in parts:
            make = binary_sensor if part.is_flag else sensor
            yield make.__name__, make(part, cells=False)


def test_every_entity_has_a_name_and_an_icon_or_a_device_class():
    keys = {"sensor": {"condition"}, "binary_sensor": set()}
    for platform, description in descriptions():
        keys[platform].add(description.translation_key)
        named = read("strings.json")["entity"][platform][description.translation_key]["name"]
        assert set(re.findall(r"{(\w+)}", named)) == set(description.translation_placeholders or ())
        icon = ICONS["entity"][platform].get(description.translation_key)
        assert (icon is None) == (description.device_class is not None), description.key
    assert keys == {platform: set(texts) for platform, texts in read("strings.json")["entity"].items()}


def test_no_state_has_the_icon_that_it_has_anyway():
    for entities in ICONS["entity"].values():
        for icons in entities.values():
            assert set(icons) <= {"default", "state"}
            assert icons["default"] not in icons.get("state", {}).values()
    states = set(read("strings.json")["entity"]["sensor"]["condition"]["state"])
    assert states == set(Condition)
    assert set(ICONS["entity"]["sensor"]["condition"]["state"]) < states


def test_only_what_helps_to_find_a_fault_is_diagnostic():
    categories = {description.entity_category for _, description in descriptions()}
    assert categories == {None, EntityCategory.DIAGNOSTIC}


# The doctor


def test_every_verdict_that_is_told_exists():
    there = {rule.key for rule in every_rule()}
    assert set(reasons._OF_VERDICT) <= there
    assert set(reasons._OF_VERDICT) >= reasons.TOLD_BY_THEMSELVES


def test_every_verdict_on_a_device_that_gives_nothing_has_words():
    """What is left is found on a device that answers, or only when more is asked of the doctor."""
    others = {
        *("hung", "cold-parser", "corrupt", "truncated", "own-id", "no-such-id", "hub-blocks", "other-node"),
        *("no-bms", "needs-handshake", "pack-unanswered", "bms-gone", "frozen-bms", "joined", "slow-link"),
        *("slow-can", "junk", "split", "chatter", "lossy", "scripted-bms", "old-firmware", "dead-node"),
        *("ok", "inconclusive"),
    }
    assert {rule.key for rule in every_rule()} - set(reasons._OF_VERDICT) == others


# The manifest


def test_the_manifest_says_how_it_is_found_and_what_it_needs():
    assert all(re.fullmatch(r"[a-z0-9_-]+==[0-9.]+", each) for each in MANIFEST["requirements"]), "pinned"
    for matcher in MANIFEST["dhcp"]:
        assert set(matcher) <= {"hostname", "macaddress", "registered_devices"}
        assert matcher.get("hostname", "") == matcher.get("hostname", "").lower()
    for address in (MANIFEST["documentation"], MANIFEST["issue_tracker"]):
        vol.Url()(address)
        assert address.startswith("https://")
    allowed = {
        *("domain", "name", "codeowners", "config_flow", "dependencies", "after_dependencies", "dhcp"),
        *("documentation", "integration_type", "iot_class", "issue_tracker", "loggers", "quality_scale"),
        *("requirements", "version"),
    }
    assert set(MANIFEST) <= allowed


def test_what_is_discovered_has_a_unique_id():
    code = (HERE / "config_flow.py").read_text(encoding="utf-8")
    assert "async_set_unique_id" in code
    for source in ("dhcp", "integration_discovery", "reauth", "reconfigure", "user"):
        assert f"async def async_step_{source}(" in code


def test_the_package_tells_its_types():
    """Home Assistant's rule strict-typing asks that of what an integration depends on."""
    import packwire

    assert (Path(packwire.__file__).parent / "py.typed").exists()
