"""`make esphome`: each configuration that packwire exports, checked by ESPHome itself."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packwire.errors import BadOptionError
from packwire.export.esphome import esphome
from packwire.models.load import model
from packwire.models.store import library
from tests.export.test_hostile import NASTY, given_in_turn, protocol

if TYPE_CHECKING:
    from packwire.export.exported import Over


def exported():
    """Yield the configurations: of each model on each link, and one with hostile words in every field."""
    for name in library():
        each = model(name)
        spoken: dict[Over, bool] = {"ble": bool(each.gatt), "serial": each.serial, "can": each.can}
        for over, is_spoken in spoken.items():
            if is_spoken:
                try:
                    yield f"{name}-{over}", esphome(each, over).text
                except BadOptionError as error:
                    print(f"{name}: {error}")
    yield "hostile", esphome(protocol(given_in_turn(NASTY))).text


def main(command: str) -> int:
    wrong = checked = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, text in exported():
            path = Path(folder) / f"{name}.yaml"
            path.write_text(text, encoding="utf-8")
            run = subprocess.run([command, "config", path], capture_output=True, text=True, check=False)
            checked += 1
            if run.returncode:
                wrong += 1
                print(f"{name}: {(run.stdout + run.stderr)[-2000:]}")
    print(f"{checked} configurations, {checked - wrong} of them right to ESPHome")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
