"""Write docs/reference/formats.md from the formats and writers that there are.

.venv/bin/python docs/reference/make_formats.py
"""

from pathlib import Path

from packwire.capture.formats import BINARY, DECIMAL, PACKED_ROWS, TEXTS, gzipped, reader, text_format
from packwire.capture.links import LINKS as LINK_TYPES
from packwire.capture.links import Layer
from packwire.capture.text.table import MAX_CHANNELS, MAX_ROWS
from packwire.capture.writers import PACKET_FORMATS, TABLE_FORMATS

#: Wi-Fi has a name because it is told apart, and nothing in it is read.
_NOT_READ = (Layer.NOTHING, Layer.WIFI)
PAGE = Path(__file__).with_name("formats.md")

INTRODUCTION = """# Capture formats

Files are recognised by their content, never by their name. They may be packed with gzip or lie in a zip
archive; `-` is standard input. Of a damaged file everything before the damage is read. This page is made from
the code by `docs/reference/make_formats.py`.

A few kilobytes of gzip or zip can unpack to gigabytes. So only the first {free} MiB are unpacked, or {ratio}
times the packed size where that is more, and at most {packets} packets taken, or one for every
{bytes_a_packet} bytes of the packed file. What is left out is said: unpack such a file yourself, and all of
it is read. Of a text log, {rows} messages ({packed} of a packed one) in {channels} channels are taken: give a
longer one in parts.

## Read

"""

TEXT_FORMS = """
### Texts

A text format is told by the form of its lines, shown below each. One file may hold lines of several forms, in
UTF-8 or UTF-16. Before the bytes stand nothing but a time, a level and a logger, a direction, or words that
lead to bytes; addresses, UUIDs, offsets, dates and numbers are none. Lines of digits that may be something
else are taken only where the same file shows bytes in the same form, and decimal numbers only with `--bytes
decimal` or where the checksum of a known framing confirms them in two different lines. All other lines are
counted by reason, with the first of them (`packwire info`).

"""

WRITTEN = """
## Written by `packwire convert`

| format | holds |
| --- | --- |
"""

LINKS = """
## Link types

Within pcap, pcapng and the Bluetooth logs, packets of these links are understood
([numbers](https://www.tcpdump.org/linktypes.html)); others are counted and left out.

| number | link |
| --- | --- |
"""


def page() -> str:
    """Return the page's text."""
    read = "".join(
        f"- **{each.NAME}**: {_about(each.__doc__)}\n" for each in map(reader, (*BINARY, "btsnooz"))
    )
    read += TEXT_FORMS
    for each in map(text_format, (*TEXTS, DECIMAL)):
        read += f"- **{each.NAME}**: {_about(each.__doc__)}\n"
        read += "".join(f"\n{_example(example)}" for example in each.EXAMPLES) + "\n"
    written = "".join(f"| {name} | packets |\n" for name in PACKET_FORMATS)
    written += "".join(f"| {name} | messages |\n" for name in TABLE_FORMATS)
    kinds = [each for each in LINK_TYPES.values() if each.number >= 0 and each.layer not in _NOT_READ]
    links = "".join(
        f"| {each.number} | {each.name} |\n" for each in sorted(kinds, key=lambda each: each.number)
    )
    introduction = INTRODUCTION.format(
        free=gzipped.FREE_EXPANDED >> 20,
        ratio=gzipped.MAX_RATIO,
        packets=gzipped.FREE_PACKETS,
        bytes_a_packet=gzipped.BYTES_A_PACKET,
        rows=MAX_ROWS,
        packed=PACKED_ROWS,
        channels=MAX_CHANNELS,
    )
    return introduction + read + WRITTEN + written + LINKS + links


def _about(text: str | None) -> str:
    """Return the first sentence of a module's docstring, as far as it says what the format is."""
    return (text or "").split("\n\n", 1)[0].replace("\n", " ").strip()


def _example(text: str) -> str:
    """Return an example as an indented block."""
    return "".join(f"      {line}\n" for line in text.splitlines())


if __name__ == "__main__":
    PAGE.write_text(page())
