"""Outputs of commands that name at their beginning what the lines below speak of.

`bluetoothctl info`, `hciconfig -a`, `rfkill list`, `systemctl status`, `ip -details link`: each line is read
with the head of its block before it, so that it says by itself of which device, adapter or service it is. Who
pastes such an output often loses the blanks at the beginning of its lines.
"""

import re

from packwire.capture.events.address import ADDRESS

_HEAD = re.compile(
    rf"(?:\[[^\]\n]{{1,60}}\][#>] ?)?(?P<head>(?:Device|Controller) {ADDRESS}(?: \(\w{{1,12}}\))?)"
    r"(?: \[default\])?$"
    r"|(?P<adapter>hci\d{1,2}):\s+(?:Type: |Primary controller|Secondary controller|AMP controller)"
    r"|(?P<switch>\d{1,3}: \S{1,24}: [A-Z][\w ]{1,24})$"
    r"|(?P<interface>(?:v|sl)?can\d{1,2}):? +(?:flags=|Link encap:)"
    r"|\W{0,3}(?P<service>bluetooth\.service) - "
    r"|\s{0,12}(?P<counters>re-started\s+bus-errors\s+arbit-lost\s+error-warn\s+error-pass\s+bus-off)$"
)
#: A longer line is no head.
LONGEST_HEAD = 100
#: What may stand in such a block without blanks before it.
_GOES_ON = re.compile(
    r"(?:Name|Alias|Class|Icon|Appearance|Paired|Bonded|Trusted|Blocked|Connected|WakeAllowed|LegacyPairing"
    r"|CablePairing|UUID|Modalias|ManufacturerData[\w. ]{0,16}|ServiceData[\w. ]{0,16}|RSSI|TxPower"
    r"|ServicesResolved|Manufacturer|Version|Powered|PowerState|Discoverable|DiscoverableTimeout|Pairable"
    r"|Discovering|Roles"
    r"|(?:Soft|Hard) blocked|BD Address|current settings|supported settings|addr|Loaded|Active|Docs|Main PID"
    r"|Status|AdvertisingFlags|AdvertisingData)\b:?|(?:UP|DOWN)(?: [A-Z]+)*$"
    r"|[RT]X (?:bytes|packets|errors):?|unspec "
)
#: What bluetoothctl prints meanwhile ends nothing.
_MEANWHILE = ("[CHG]", "[NEW]", "[DEL]")


class Blocks:
    """Puts the head of a block before each of its lines."""

    def __init__(self) -> None:
        self.head, self._counters = "", False

    def whole(self, line: str) -> str:
        """Return a line with the head of the block in which it stands, where it is in one."""
        found = _HEAD.match(line) if len(line) < LONGEST_HEAD else None
        if found is not None:
            self.head = found[found.lastgroup or 0].strip()
            self._counters = found.lastgroup == "counters"
            return line
        if not self.head:
            return line
        if self._counters:  # in the next line alone
            head, self.head = self.head, ""
            return " ".join(f"{head} {line}".split())
        rest = line.lstrip()
        if not rest:
            return line
        if line[0] in " \t" or _GOES_ON.match(rest):
            return f"{self.head} {rest}"
        if not rest.startswith(_MEANWHILE):
            self.head = ""
        return line
