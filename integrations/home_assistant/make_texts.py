"""Write the integration's texts and icons from the registry of quantities and from texts/*.toml.

.venv/bin/python integrations/home_assistant/make_texts.py
"""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packwire.quantity import QUANTITIES, Kind, Quantity
from packwire.sample import Condition

HERE = Path(__file__).parent
COMPONENT = HERE / "custom_components" / "packwire"

#: Icons of the kinds that have no device class, whose icon Home Assistant knows by itself.
ICONS = {
    Kind.CHARGE: "mdi:battery-charging-medium",
    Kind.PERCENT: "mdi:percent",
    Kind.ROTATION: "mdi:rotate-right",
    Kind.RESISTANCE: "mdi:omega",
    Kind.COUNT: "mdi:counter",
    Kind.FLAG: "mdi:toggle-switch-outline",
    Kind.TEXT: "mdi:text-short",
}
CONDITION_ICONS = {
    Condition.FRESH: "mdi:check-circle-outline",
    Condition.STALE: "mdi:clock-alert-outline",
    Condition.ABSENT: "mdi:battery-off-outline",
    Condition.SILENT: "mdi:message-off-outline",
}


def files() -> dict[Path, str]:
    """Return what each generated file holds."""
    english, german = (_texts(HERE / "texts" / f"{language}.toml") for language in ("en", "de"))
    named_in_english = _strings(
        english,
        {quantity.key: quantity.name for quantity in QUANTITIES.values()},
        {quantity.key: quantity.element for quantity in QUANTITIES.values() if quantity.array},
    )
    named_in_german = _strings(german, german["quantities"], german["elements"])
    return {
        COMPONENT / "strings.json": _json(named_in_english),
        COMPONENT / "translations" / "en.json": _json(named_in_english),
        COMPONENT / "translations" / "de.json": _json(named_in_german),
        COMPONENT / "icons.json": _json(_icons()),
    }


def _texts(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _strings(texts: dict[str, Any], names: dict[str, str], elements: dict[str, str]) -> dict[str, Any]:
    """Put the texts where Home Assistant looks for them."""
    reasons = texts["reasons"]
    condition = dict(texts["condition"])
    entity: dict[str, dict[str, Any]] = {"sensor": {}, "binary_sensor": {}}
    for platform, key, quantity in _translation_keys():
        named = names if key == quantity.key else elements
        entity[platform][key] = {"name": named[quantity.key]}
    entity["sensor"]["condition"] = {"name": condition.pop("name"), "state": condition}
    return {
        "config": {
            **texts["config"],
            "error": reasons,
            "abort": {**texts["config"]["abort"], **reasons},
        },
        "options": texts["options"],
        "device": {key: {"name": name} for key, name in texts["device"].items()},
        "entity": entity,
        "issues": _issues(texts["issues"], reasons, texts["verdicts"]),
        "exceptions": {key: {"message": message} for key, message in texts["exceptions"].items()},
        "system_health": {"info": texts["system_health"]},
    }


def _issues(issues: dict[str, Any], reasons: dict[str, str], verdicts: dict[str, str]) -> dict[str, Any]:
    """Make an issue for each reason, and for each verdict with words of its own, why a VESC is silent."""
    others = dict(issues)
    silent = others.pop("not_answering")
    for told, words in (reasons | verdicts).items():
        by_doctor = told != "bad_login"  # that is seen without connecting
        parts = (words, silent["verdict"], silent["over"]) if by_doctor else (words, silent["over"])
        others[f"not_answering_{told}"] = {"title": silent["title"], "description": "\n\n".join(parts)}
    return others


def _icons() -> dict[str, Any]:
    entity: dict[str, dict[str, Any]] = {"sensor": {}, "binary_sensor": {}}
    for platform, key, quantity in _translation_keys():
        if quantity.kind in ICONS:
            entity[platform][key] = {"default": ICONS[quantity.kind]}
    default, *others = CONDITION_ICONS.items()
    entity["sensor"]["condition"] = {
        "default": default[1],
        "state": {condition.value: icon for condition, icon in others},
    }
    return {"entity": entity}


def _translation_keys() -> Iterator[tuple[str, str, Quantity]]:
    """Yield platform, translation key and quantity of every entity, as descriptions.py makes them.

    An array has a key for each of its values; an array of flags also one that tells whether any is set.
    """
    for quantity in QUANTITIES.values():
        platform = "binary_sensor" if quantity.kind is Kind.FLAG else "sensor"
        if quantity.array:
            yield platform, f"{quantity.key}_each", quantity
        if not quantity.array or quantity.kind is Kind.FLAG:
            yield platform, quantity.key, quantity


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
