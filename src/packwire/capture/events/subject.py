"""Of which device a line of a log speaks: its address and its name, in the forms of all programs."""

import re

from packwire.capture.events.address import ADDRESS, plain_address

_ADDRESS = re.compile(rf"(?<![0-9A-Fa-f:*]){ADDRESS}(?!:?[0-9A-Fa-f*]{{2}}|[0-9A-Fa-f*])")
#: An adapter's or a proxy's own address.
_OWN = re.compile(
    r"(?:\bhci\d{1,2} \(|bdaddr': '|with mac address |source['\"]: ?['\"]|MAC: |BD Address: |Controller "
    r"|\baddr )$",
    re.IGNORECASE,
)
#: How what stands before it ends.
_BEFORE_OWN = ("(", "'", '"', " ")
_NAMED = re.compile(
    r"_bms\] (?:\((?P<bracketed>[^)]{1,48})\)|(?P<plain>[^|\]\s][^|\]]{0,48}?)\|(?P<tail>[0-9A-Za-z*]{2,6}):)"
    r"|::(?P<old>[^:\]]{1,48}):(?P<old_tail>[0-9A-Fa-f*]{2,6})\)?\]"
    r"|bms_ble\] (?:(?:Error|Timeout) fetching |BMS |Finished fetching |Fetching )?"
    r"(?P<coordinator>\S[^:\n]{0,40}?)(?: data|: (?:BMS data|advertisement))"
    r"|\[sampling\] (?P<batmon>\S[^:=(]{0,40}?)(?: error| volt=|: BmsSampl)"
    r"|onnecting BMS \((?P<older>[^)]{1,48})\)|Initializing coordinator for (?P<setup>[^\s(]{1,48})"
)
_BEFORE_ADDRESS = re.compile(r"(?:\] |for |Setup of )(?P<name>\S[^\]\[]{0,40}?) (?:- |\()$")
_BEHIND_ADDRESS = re.compile(r",(?P<name>[^,)]{1,40})\)")


def _may_name(line: str) -> bool:
    """Tell whether a line has a word that stands beside a device's name; written out, as many are asked."""
    return (
        "_bms" in line
        or "bms_ble" in line
        or "[sampling]" in line
        or "BMS (" in line
        or "coordinator for" in line
    )


def subject_of(line: str) -> tuple[str, str, str]:
    """Return the address, the name and the address's end of the device of a line, as far as it says."""
    address = name = tail = ""
    for found in _ADDRESS.finditer(line) if line.count(":") > 4 or "dev_" in line else ():
        before = line[max(found.start() - 24, 0) : found.start()]
        if before.endswith(_BEFORE_OWN) and _OWN.search(before):
            continue
        address = plain_address(found[0])
        told = None
        if before.endswith(("- ", "(")):
            told = _BEFORE_ADDRESS.search(line[max(found.start() - 64, 0) : found.start()])
        told = told or _BEHIND_ADDRESS.match(line, found.end())
        name = told["name"].strip() if told else ""
        break
    named = _NAMED.search(line) if _may_name(line) else None
    if named:
        name = next(group for group in named.groups() if group).strip()
        tail = (named["tail"] or named["old_tail"] or "").upper()
    if _ADDRESS.fullmatch(name) or name == "device":
        return address, "", ""
    return address, name, tail if len(tail) == 4 else ""
