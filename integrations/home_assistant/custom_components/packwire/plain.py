"""Texts that devices and strangers send, made fit to be shown: short, on one line, and nothing but text."""

import re

from packwire.visible import printable

#: A state may have 255 characters, and an entity id that is made of names too.
MOST_OF_A_STATE = 255
MOST_OF_A_NAME = 60
#: What Markdown (with bare links, as GitHub has them) may take for more than text; not `_` inside words.
_MARKS = re.compile(r"[\\`*{}\[\]()<>#!|~&:@/.]|(?<![^\W_])_|_(?![^\W_])")


def plain(text: str, most: int) -> str:
    """Return a text without control, direction and other unseen characters, `most` long at most."""
    shown = " ".join(printable(text[: 4 * most]).replace("\N{REPLACEMENT CHARACTER}", " ").split())
    return shown if len(shown) <= most and len(text) <= 4 * most else shown[: most - 1] + "\u2026"


def name(text: str) -> str:
    """Return what a device calls itself, fit for titles and names."""
    return plain(text, MOST_OF_A_NAME) or "VESC"


def in_markdown(text: str) -> str:
    """Return a text so that Markdown shows it as it is: a name may try to be a link, or a picture."""
    return _MARKS.sub(r"\\\g<0>", text)
