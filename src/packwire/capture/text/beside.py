"""The column of text that dumps put beside the bytes: what it shows may itself look like bytes."""

import re

_GAP = re.compile(r"[ \t]{2,}\|?|[ \t]\|")
_BYTES = re.compile(r"(?:[0-9A-Fa-f]{2}|[ \t])+")
#: A row has so many bytes at most, and so many gaps are looked at: between its halves, and before its text.
_LONGEST, _MOST_GAPS = 64, 6


def bytes_end(line: str, at: int) -> int:
    """Return where the bytes end that begin at a place: before a column with their text, if there is one.

    That column stands behind two blanks or more and has as many characters as there are bytes: each printed
    byte's own, and a sign for the others. Blanks do not count: tools put some in or cut them off.
    """
    for number, gap in enumerate(_GAP.finditer(line, at)):
        left = line[at : gap.start()]
        if number >= _MOST_GAPS or len(left) > 4 * _LONGEST:
            break
        if not left.strip():
            continue
        if not _BYTES.fullmatch(left):
            break
        try:
            data = bytes.fromhex(left)
        except ValueError:
            break
        if _shows(line[gap.end() : gap.end() + 4 * _LONGEST].rstrip("| \t"), data):
            return gap.start()
    return len(line)


def _shows(text: str, data: bytes) -> bool:
    shown, printed = text.replace(" ", ""), data.replace(b" ", b"")
    return len(shown) == len(printed) > 0 and all(
        chr(byte) == each or (not 32 < byte < 127 and not (each.isascii() and each.isalnum()))
        for byte, each in zip(printed, shown, strict=True)
    )
