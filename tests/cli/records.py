"""Holds what `--json` writes against the classes of packwire.cli.records, nothing more and nothing less."""

import importlib
import json
from functools import cache
from typing import Any, is_typeddict

from pydantic import ConfigDict, TypeAdapter

from packwire.cli.records.kinds import KINDS
from packwire.visible import RECORD_VERSION

#: What a class does not list is wrong; a line of the hub's log alone has fields of its event.
for _name in ("conversation", "live", "recordings", "serving", "verdicts", "words"):
    for _each in vars(importlib.import_module(f"packwire.cli.records.{_name}")).values():
        if is_typeddict(_each):
            _extra: Any = "allow" if _each is KINDS["log"] else "forbid"
            _each.__pydantic_config__ = ConfigDict(extra=_extra, strict=True)


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(KINDS[kind])


def checked(text: str) -> list[dict[str, Any]]:
    """Return the records of an output; fail where one is not as it is documented."""
    records = [json.loads(line) for line in text.splitlines()]
    for record in records:
        assert list(record)[:2] == ["kind", "version"], record
        assert record["version"] == RECORD_VERSION
        rest = {key: value for key, value in record.items() if key != "version"}
        _adapter(record["kind"]).validate_json(json.dumps(rest))
    return records
