"""Run all attacks on the hub and print what each came to, as a table: `python -m tests.hub.adversaries.figures`."""

# ruff: noqa: T201 - a command

import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.hub.adversaries.under_attack import FIGURES


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures"
        path.touch()
        os.environ[FIGURES] = str(path)
        code = pytest.main(["-q", "-p", "no:cacheprovider", str(Path(__file__).parent)])
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    print("| attack | memory, at most | replies meanwhile | lost or late |\n| --- | --- | --- | --- |")
    for attack, grown, replies, lost in lines:
        words = attack.replace("_", " ").replace("[", " (").replace("]", ")")
        print(f"| {words} | {grown:+.1f} MiB | {replies} | {lost} |")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
