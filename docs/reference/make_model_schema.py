"""Write docs/reference/model.schema.json from the classes that check a model file.

.venv/bin/python docs/reference/make_model_schema.py
"""

from pathlib import Path

from packwire.models.beginning import schema_text as page

PAGE = Path(__file__).with_name("model.schema.json")

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
