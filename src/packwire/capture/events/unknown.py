"""What programs say that are not known here, in the words that all of them use.

It counts where the sentences of known programs decide nothing: what such words mean, only their program
knows.
"""

import re
from typing import NamedTuple

from packwire.event import EventKind


class Common(NamedTuple):
    """Words that many programs use: the event's code and kind, and the words."""

    code: str
    kind: EventKind
    pattern: re.Pattern[str]


def _common(code: str, kind: EventKind, pattern: str) -> Common:
    return Common(code, kind, re.compile(pattern, re.IGNORECASE))


_OF_A_REPLY = r"(?:response|reply|answer|read|receive|request|communication|command|data|serial)"
_CHECK = r"\b(?:l?crc\d{0,2}|l?ch(?:ec)?ks?(?:um)?|check ?sums?|lrc|crc_?\w{1,8})"
_BAD = (
    r"(?:invalid|unvalid|wrong|bad|incorrect|corrupt\w*|unexpected|implausible|malformed"
    r"|unidentifiable)"
)
_NOT = r"(?:failed to|could ?n[o']t|cannot|can't|unable to)"
_LINE = r"(?:serial(?: port)?|uart|rs-?(?:485|232))"
_PART = (
    r"(?:crc|check ?sum|frame|packet|header|length|len(?:id)?|size|start ?(?:byte|bit|of frame)?|end ?byte"
    r"|preamble|prefix|suffix|terminator|footer|so[if]|eo[if]|marker|reply|response|data|payload|values?)\b"
)

#: The words of failures; a line may have several.
COMMON = (
    _common(
        "unknown-silence",
        EventKind.TIMED_OUT,
        r"\bno (?:valid |more |bms |battery |pack |serial )?(?:response|reply|answer|data|bytes|packets?)\b"
        r"|\bno (?:\w+ )?(?:messages|frames|telegrams) received|\b(?:bms|vesc|battery|pack|slave)"
        r" (?:\w+ )?time-?(?:d )?out|empty (?:response|reply)"
        r"|(?:not|n't|never) respond|not (?:been )?responding|stopped responding|went offline"
        rf"|{_OF_A_REPLY}s? (?:has |have )?(?:timed? ?-?out|timeout)"
        r"|time-?(?:d )?out (?:while )?(?:waiting|reading|receiving)"
        r"|timeout (?:for|of|from|when|while|after|during|with|exceeded|command)"
        r" (?!initiali[sz]ing hci)|(?:read|write) timeout"
        r"|Timeout(?:Error|Exception)\b|\btimed out\b"
        r"|\bfailed after \d+ (?:tries|attempts|retries)"
        rf"|waiting for {_OF_A_REPLY}.{{0,40}}(?:time|after)"
        r"|\b(?:read|received|got|returned) 0 (?:of \d+ )?bytes|\b0 bytes (?:read|received)"
        r"|(?:retry count|retries) exceeded"
        r"|(?:not|n't) sent any data"
        rf"|{_NOT} (?:init(?:ialize)?|query|poll|reach|retrieve|read|get|fetch)(?: \w+)?"
        r" (?:bms|battery|pack|cell)"
        rf"|{_NOT} (?:get|fetch|read|retrieve|obtain) (?:\w+ )?(?:data|values|registers?)\b"
        rf"|\b(?:bms|battery|{_LINE}) comm(?:unication)?s? (?:fail|error|lost)"
        r"|\bkeine (?:daten|antwort)|zeitüberschreitung"
        r"|(?:received|recieved)(?: data)?(?: from \w{1,12})?:\s*$"
        r"|connection (?:with|to) (?:the )?(?:pylontech|bms|battery|pack|vesc)\b.{0,12}failed",
    ),
    _common(
        "unknown-damage",
        EventKind.DAMAGED,
        rf"{_CHECK}\b.{{0,40}}(?:\berror|\bfail|mismatch|invalid|wrong|\bbad\b|incorrect|\bn(?:ot )?ok\b"
        rf"|!=|should be|not match|expected)|{_BAD} (?:\w+ )?{_PART}"
        r"|\bframe ?error|does not start with|too short\b"
        r"|\b(?:unable to|lost|out[ -]of)[ -]sync\b|desync"
        r"|\b(?:no|missing) (?:prefix|suffix|so[if]\b|eo[if]\b)"
        r"|\b(?:frame|length|data|size)s? (?:are |is |length )?"
        r"(?:incorrect|wrong|error|mismatch|truncated)"
        r"|\b(?:parser?|decod(?:e|ing)|framing|validation|rx|receive) error\b|\bshort (?:packet|frame|read)\b"
        r"|\boctets? incorrect|\bodd[- ]length|\bunexpected (?:\w+ ){1,3}count\b|\bout of sequence"
        r"|(?:incomplete|partial|insufficient) data|response incomplete|expected \d{1,4} bytes,? got \d"
        r"|unexpected end of (?:packet|frame|message|data)"
        r"|parse failed|(?:unable|failed) to (?:parse|decode)|format error"
        rf"|invalid literal for int\(\) with base \d+: (?!'[/A-Za-z])|\b(?:error|fail\w*)\b.{{0,4}} {_CHECK}",
    ),
    _common(
        "unknown-port",
        EventKind.PORT,
        rf"\b{_LINE} (?:read |recv |receive |i/o )?error\b"
        rf"|\b(?:error|fehler)\b.{{0,12}} (?:reading|lesen).{{0,24}}\b{_LINE}"
        rf"|\b{_LINE} (?:\w+ )?(?:init\w*|open\w*) (?:failed|error)|{_NOT} open (?:the )?{_LINE}",
    ),
    _common(
        "unknown-can",
        EventKind.BUS,
        r"\b(?:twai\w*|can ?bus|can[ -](?:controller|interface|frames?|messages?)|mcp25\w+|socketcan)\b"
        r".{0,60}(?:\berror|fail|passive|bus.?off|recover|time-?(?:d )?out)"
        r"|\bcan (?:transmit|tx|write|send)(?:ting)? (?:fail|error|time)"
        # The controller warns from 96 on.
        r"|\b[tr]x error count(?:er)?:? (?:9[6-9]|1\d\d|2[0-5]\d)\b"
        r"|\bbus error count:? [1-9]|error has occurred on the bus"
        r"|(?:error|fail\w*|unable|timeout).{0,30}\b(?:twai|can[ -]?bus|can (?:frame|message))",
    ),
    _common(
        "unknown-address",
        EventKind.DAMAGED,
        r"(?<!mac )(?<!ip )(?<!accepting )\b(?:address|adr|addr|bms id|unit id|slave id)\b.{0,16}"
        r"(?:\berror|mismatch|incorrect|wrong|instead of)"
        r"|(?:wrong|unknown|unexpected|other) (?:slave |bms |unit |bus |device )?"
        r"(?:adr|addr|bms id|unit id|slave)\b"
        r"|(?:cid2|rtn|return code|response code)\b.{0,24}\b9[01]\b",
    ),
    _common(
        "modbus-exception",
        EventKind.REFUSED,
        r"modbus\W{1,3}exception|modbus error\b|illegal (?:data (?:address|value)|function)\b",
    ),
    _common(
        "pack-refuses",
        EventKind.REFUSED,
        r"\b(?:cid ?[12]|ver|version|command format|info data)\b (?:error|invalid|not supported|unsupported)"
        r"|(?:cid2|rtn)\b.{0,12}\berror code: 0?[1-6]\b|unsupported (?:protocol )?version",
    ),
    _common(
        "bad-setting",
        EventKind.INFO,
        r"\b(?:invalid|unknown|missing|unsupported|required|no such) (?:\w+ )?"
        r"(?:option|setting|parameter|config\w*|property|bms[_ ]?type|battery type)\b"
        r"|\bno \w+ (?:definitions?|configurations?|settings) found",
    ),
    _common(
        "no-bridge",
        EventKind.FAILED,
        r"connection refused|no route to host|\berrno 11[13]\b|name or service not known|getaddrinfo failed"
        r"|network is unreachable|host is (?:down|unreachable)"
        r"|econnre(?:fused|set)|ehostunreach|\beof received|reset by peer"
        r"|connection (?:was |unexpectedly )?closed by (?:the )?(?:remote|peer|host)",
    ),
    _common(
        "unknown-idle",
        EventKind.DAMAGED,
        r"(?:\b(?:0x)?ff[ .:,-]{1,2}){16}|(?:\b(?:0x)?00[ .:,-]{1,2}){32}"
        r"|(?:\\xff){16}|(?:\\x00){32}|\bb'(?:\\x00){6,}'",
    ),
    _common(
        "unknown-garbled",
        EventKind.DAMAGED,
        r"(?:[?\ufffd]{6,}.{1,40}){3}",
    ),
    _common(
        "unknown-adapter",
        EventKind.ADAPTER,
        r"(?:time-?(?:d )?out|fail\w*|unable|cannot|can't|could not|broken pipe).{0,50}"
        r"\b(?:hci\d?|(?:bluetooth )?(?:adapter|controller))\b|/hci\d/.{0,50}broken pipe",
    ),
    _common(
        "unknown-secret",
        EventKind.PAIRING,
        r"\b(?:key|pin(?:code)?|pass(?:key|word|code|phrase)|secret)\b.{0,20}(?:not match|mismatch|incorrect"
        r"|invalid|wrong|missing|reject)"
        r"|(?:invalid|wrong|incorrect) (?:\w+ )?(?:key|pin(?:code)?|pass(?:key|word|code))\b"
        r"|\bauth(?:entication|orization)? (?:has )?(?:fail|error|reject|denied)",
    ),
    _common(
        "unknown-no-notify",
        EventKind.FAILED,
        r"(?:could ?n[o']t|cannot|can't|unable to|fail(?:ed|s)? to|error)"
        r" (?:start|enable|subscribe|register|get).{0,30}\b(?:notif|indicat)",
    ),
    _common(
        "unknown-no-link",
        EventKind.FAILED,
        r"(?:could ?n[o']t|cannot|can't|unable to|fail(?:ed|s)? to|failure to|error) (?:re)?connect"
        r"|(?:re)?connect(?:ion|ing)?(?: attempt)? (?:has )?(?:fail|timed ?out|timeout|error|lost|aborted)"
        r"|failed connect|unexpected(?:ly)? disconnect|\bno (?:\w+ )?device connected|lost connection"
        r"|\bdevice (?:is )?not connected",
    ),
    _common(
        "unknown-not-found",
        EventKind.NOT_SEEN,
        r"\b(?:device|battery|bms|sensor)s? .{0,24}(?:not (?:be )?found|out of range|unreachable)"
        r"|\bno (?:\w+ )?(?:device|batter|bms|pack|slave)\w* (?:was |were )?"
        r"(?:found|detected|discovered|seen|online|recogni[sz]ed)\b",
    ),
)
#: What stands behind the words of a failure where they name a counter that is 0, or a setting.
_NO_FAILURE = re.compile(
    r"(?:\w{0,3}| count(?:er)?s?)[\"']?\s?[:=]\s?[\"']?"
    r"(?:0(?![\dx.])|\d{1,6}(?:\.\d{1,3})? ?m?s\b|false\b|off\b|none\b|null\b)",
    re.IGNORECASE,
)


def says(line: str, common: Common) -> bool:
    """Tell whether a line says so, and does not only name what it counts or is set to."""
    if common.kind is EventKind.INFO:
        return common.pattern.search(line) is not None
    return any(not _NO_FAILURE.match(line, found.end()) for found in common.pattern.finditer(line))


#: Words that tell over what the pack is spoken to, or that one is.
BLUETOOTH = _common(
    "names-bluetooth",
    EventKind.INFO,
    r"bluetooth|\bble\b|(?-i:[a-z]BLE)\b|\bgatt|\bhci\d|\brssi\b|\bbleak|characteristic|advertis|peripheral"
    r"|\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b",
)
WIRE = _common(
    "names-wire",
    EventKind.INFO,
    r"/dev/(?:tty|serial)|tty(?:usb|acm|ama|sc?|o|ths|mxc)\d|\bcom\d{1,3}\b|\bserial|\buart|rs-?(?:485|232|422)"
    r"|\bbaud|modbus|\bpylon|pytes|\bvesc|pipsolar|\bbms|batter(?:y|ies)\b|\bcells?\b|\bmodule \d|inverter"
    r"|\bdaly|seplos|\bjbd\b|renogy"
    r"|\bmeter\b|\bcrc\b",
)
