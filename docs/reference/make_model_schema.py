"""Write docs/reference/model.schema.json from the classes that check a model file.

.venv/bin/python docs/reference/make_model_schema.py
"""

import json
from pathlib import Path

from packwire.models.schema import ModelFile

PAGE = Path(__file__).with_name("model.schema.json")


def page() -> str:
    """Return the schema's text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ModelFile.model_json_schema(by_alias=True),
        "title": "packwire model of a BMS protocol, version 1",
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
