"""An exported ESPHome configuration run on this computer: its lambda, compiled against a stub of ESPHome."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

#: What ESPHome gives a lambda, as far as an exported one uses it.
_STUB = """
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>
#define id(name) name
[[maybe_unused]] static uint32_t millis() { return 0; }
static void say(const char *name, const std::string &value) {
  std::printf("%s ", name);
  for (unsigned char letter : value) std::printf("%02x", letter);
  std::printf("\\n");
}
struct sensor { const char *name; void publish_state(float value) {
  char said[64]; std::snprintf(said, sizeof(said), "%.9g", value); say(name, said); } };
struct binary_sensor { const char *name; void publish_state(bool value) { say(name, value ? "true" : "false"); } };
struct text_sensor { const char *name; void publish_state(const std::string &value) { say(name, value); } };
struct bytes_of_a_line {
  std::vector<uint8_t> rest;
  bool available() { return !rest.empty(); }
  bool read_byte(uint8_t *one) { *one = rest.front(); rest.erase(rest.begin()); return true; }
} line;
"""
_MAIN = """
int main() {
  char text[65536];
  while (std::fgets(text, sizeof(text), stdin)) {
    std::vector<uint8_t> x;
    for (char *at = text; std::isxdigit(at[0]) && std::isxdigit(at[1]); at += 2) {
      char two[3] = {at[0], at[1], 0};
      x.push_back(std::strtoul(two, nullptr, 16));
    }
    line.rest = x;
    run(x);
  }
}
"""
KINDS = ("sensor", "binary_sensor", "text_sensor")


def lambda_of(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the lambda of a configuration, and its sensors with their kinds."""
    content = yaml.safe_load(text)
    sensors, code = [], ""
    for kind in KINDS:
        for each in content.get(kind, ()):
            if each["platform"] == "template":
                sensors.append((kind, each["id"]))
            else:
                code = each["lambda"]
    for each in content.get("interval", ()):
        code = next((step["lambda"] for step in each["then"] if "lambda" in step), code)
    for each in content.get("canbus", ()):
        code = each["on_frame"][0]["then"][0]["lambda"]
    return code, sensors


def source(text: str) -> str:
    """Return a C++ program around the lambda of a configuration; bytes come as hex, a line a piece."""
    code, sensors = lambda_of(text)
    made = "".join(f'static {kind} {name} = {{"{name}"}};\n' for kind, name in sensors)
    if "can_id" in code:
        code = (
            "uint32_t can_id = (x[0] << 24 | x[1] << 16 | x[2] << 8 | x[3]) & 0x1fffffff; "
            "x.erase(x.begin(), x.begin() + 4);\n" + code
        )
    if "id(line)" in code:
        code = code.replace("std::vector<uint8_t> x;", "x.clear();", 1)
    returns = "return x.size();" in code
    head = f"static {'float' if returns else 'void'} run(std::vector<uint8_t> x) {{"
    return f"{_STUB}{made}{head}\n{code}\n}}\n{_MAIN}"


_FLAGS = ("-std=gnu++17", "-O0", "-Wall", "-Werror", "-Wno-unused-but-set-variable")


def compiled(text: str, folder: Path, *, checked: bool = False) -> Path:
    """Return the program, whose text must be right C++; `checked`: it ends where it does what is undefined."""
    (folder / "main.cpp").write_text(source(text))
    command = [
        "g++",
        "-std=gnu++17",
        "-O0",
        "-Wall",
        "-Werror",
        "-Wno-unused-but-set-variable",
        "-fsanitize=undefined,address",
        "-o",
        "program",
        "main.cpp",
    ]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[:4000]
    return folder / "program"


def said(program: Path, pieces: list[bytes]) -> dict[str, Any]:
    """Return what the sensors showed last, lists put together, by quantity."""
    run = subprocess.run(
        [program],
        input="\n".join(each.hex() for each in pieces) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    latest = {
        name.removeprefix("pack_"): bytes.fromhex(value).decode()
        for name, _, value in (line.partition(" ") for line in run.stdout.splitlines())
    }
    values: dict[str, Any] = {}
    for name, value in latest.items():
        if value in {"", "nan"}:
            continue  # not known
        item = re.fullmatch(r"(.*)_(\d+)", name)
        if item is None:
            values[name] = value
        else:
            values.setdefault(item[1], {})[int(item[2])] = value
    return {
        name: tuple(value[number] for number in sorted(value)) if isinstance(value, dict) else value
        for name, value in values.items()
    }
