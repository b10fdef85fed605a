"""The beginning of a model file for a device that was explored: what is known, and what is left to do."""

import json
import re

from packwire.att import short_uuid
from packwire.cli.exploration import Explored
from packwire.visible import printable

_DIGITS = re.compile(r"\d+")
_NO_NAME = re.compile(r"[^a-z0-9_-]+")


def draft(found: Explored, name: str) -> str:
    """Return the text of the file."""
    said = found.advertisement
    title = printable(said.name) or "My BMS"
    parts = [
        f"# The beginning of a model of {title}, made by `packwire explore`.\n",
        "# docs/how-to/add-your-bms.md leads on from here; `packwire model check FILE` says what is wrong.\n",
        "packwire: 1\n",
        f"name: {_NO_NAME.sub('-', name.lower()).strip('-')[:32] or 'mybms'}\n",
        f"title: {_text(title[:80])}\n",
        "order: big  # or little: which byte of a number comes first\n",
        *_links(found),
        *_recognition(found),
        *_framings(found),
    ]
    return "".join(parts)


def _text(text: str) -> str:
    """Return a text as YAML takes it; JSON's strings are YAML's."""
    return json.dumps(text, ensure_ascii=False)


def _links(found: Explored) -> list[str]:
    if not found.pairs:
        return ["links: {}  # no pair of characteristics was found that notifies and can be written\n"]
    lines = ["links:\n", "  ble:\n"]
    answered = found.answered
    first, *others = found.pairs if answered is None else [answered.pair]
    for pair in (first, *others[:3]):
        gatt = pair.gatt
        way = f", write_type: {gatt.write_type}" if gatt.write_type else ""
        way += f", write_service: {_uuid(gatt.write_service)}" if gatt.write_service else ""
        written = f", write: {_uuid(gatt.write)}{way}" if gatt.write else ""
        mark = "    " if pair is first else "    # or "
        lines.append(
            f"{mark}- {{service: {_uuid(gatt.service)}, notify: {_uuid(gatt.notify)}{written}}}"
            f"{f'  # {pair.why}' if pair.why else ''}\n"
        )
    return lines


def _uuid(uuid: str) -> str:
    """Return a UUID quoted where YAML would take it for a number."""
    text = short_uuid(uuid)
    return f'"{text}"' if text.isdecimal() or re.fullmatch(r"\d+e\d+", text) else text


def _recognition(found: Explored) -> list[str]:
    said = found.advertisement
    if found.plugin is not None:
        return ["recognise:\n", f"  aiobmsble: {found.plugin.name}\n"]
    parts = []
    if said.name:
        # What others of the kind have in its place is not known; a number is mostly a serial number.
        parts.append(f"name: {_text(_DIGITS.sub('*', printable(said.name))[:64])}")
    if said.service_uuids:
        parts.append(f"service: {_uuid(said.service_uuids[0])}")
    elif said.manufacturer_data:
        maker, data = next(iter(said.manufacturer_data.items()))
        parts.append(f"manufacturer: {maker}")
        if data[:2]:
            parts.append(f"data: {data[:2].hex(' ')}")
    if not parts:
        return ["# It advertises nothing by which it could be recognised.\n"]
    return ["recognise:\n", "  advertisements:\n", f"    - {{{', '.join(parts)}}}\n"]


def _framings(found: Explored) -> list[str]:
    heard = [data for service in found.services for own in service.characteristics for data in own.heard]
    lines = [
        "\n",
        "# How a frame begins, how long it is, what checks it: a capture of the vendor's app shows it.\n",
        "#   packwire capture android, then packwire groups FILE and packwire pairs FILE\n",
        *(f"# it notified: {data.hex(' ')[:96]}\n" for data in heard[:3]),
        "framings:\n",
        "  # - start: dd\n",
        "  #   size: [{at: 3, add: 7}]  # the byte at 3 counts, and 7 are beside what it counts\n",
        '  #   checksum: {name: sum16 negated, from: 2, to: -3, at: -3}\n  #   end: "77"\n',
        "requests:\n",
        "  # status: {send: dd a5 03 00 ff fd 77, reply: status}\n",
        "replies:\n",
        "  # status:\n  #   begins: dd 03 00\n  #   fields:\n",
        "  #     - {name: voltage, at: 4, type: u16, scale: 0.01, quantity: voltage}\n",
    ]
    family = next(iter(found.families.values()), "")
    if family:
        lines.insert(1, f"# Its notifications hold frames of {family}.\n")
    return lines
