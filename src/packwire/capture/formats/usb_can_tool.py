"""USB-CAN adapters' tables with blanks or NULs between the columns: `NO  Frame ID  Length  Data`."""

import re

from packwire.capture.text.can_rows import HeadedRows

NAME = "USB-CAN tool table"
EXAMPLES = ("NO   Frame ID   Length Data\n0    0001d4 8 a0 6d 00 00 42 06 40 60",)


class Grammar(HeadedRows):
    """Takes a header and the rows below it."""

    header = re.compile(r"No\.?\s+(?:Frame )?ID\s+(?:Length|Len|DLC)\s+Data(?:\s*\(hex\))?\s*", re.IGNORECASE)
    frame = re.compile(r"\s*\d+\s+(?:0x)?(?P<id>[0-9A-Fa-f]{3,8})\s+(?P<size>[0-8])(?:\s+(?P<data>.*))?")
