"""The beginning of a model file, for who writes one; and the schema that completes it in an editor."""

import json
import re

from packwire.errors import BadOptionError
from packwire.models.schema import ModelFile

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_BEGINNING = """# yaml-language-server: $schema=model.schema.json
# Each word is explained in docs/how-to/add-your-bms.md. Check it: packwire model check FILE
packwire: 1
name: {name}
title: {title}
order: big                    # of all numbers, where nothing else is said
links:
  ble:
    - {{service: ff00, notify: ff01, write: ff02}}
  serial: {{baud: 9600}}
recognise:
  advertisements:
    - {{name: {title}-*}}
framings:
  - start: aa 55              # how each frame begins
    size: [{{at: 2, add: 5}}]   # the number at byte 2, plus 5, is the size of the whole frame
    checksum: {{name: CRC-16/MODBUS, to: -2, at: -2, order: little}}
    kind: 4                   # so many bytes say what kind of message it is
requests:
  status: {{send: aa 55 .. 10 .. .., reply: status}}     # .. is filled in: length, checksum
replies:
  status:
    begins: aa 55 ?? 90       # ?? is any byte
    fields:
      - {{name: voltage, at: 4, type: u16, scale: 0.01, quantity: voltage}}
      - {{name: current, type: i16, scale: 0.1, quantity: current}}
      - {{name: cells, type: u16, scale: 0.001, count: to the end, most: 32, quantity: cell_voltages}}
examples:
  - frames: [aa 55 .. 90 05 34 ff e3 0d 03 0d 00 .. ..]
    values: {{voltage: 13.32, current: -2.9, cell_voltages: [3.331, 3.328]}}
"""


def beginning(name: str) -> str:
    """Return a whole, right model file to begin with. Raises BadOptionError for what can be no name."""
    if not _NAME.fullmatch(name):
        raise BadOptionError(f"{name!r} is no name: use small letters, digits, - and _, such as acme")
    return _BEGINNING.format(name=name, title=name.capitalize())


def schema_text() -> str:
    """Return the JSON schema of model files."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ModelFile.model_json_schema(by_alias=True),
        "title": "packwire model of a BMS protocol, version 1",
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
