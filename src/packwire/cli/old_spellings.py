"""Spellings of options that were once right: still understood, no longer shown."""

from typing import Final

_OLD: Final[dict[str, dict[str, str]]] = {
    "watch": {"-c": "--count", "-r": "--rate"},
    "read": {"-n": "--node"},
    "scan": {"--port": "--udp-port"},
    "doctor": {"--limit": "--for", "--listen": "--listen-for"},
    "compare": {"--html": "--report"},
    "tap": {"-r": "--record"},
    "decode": {"-f": "--fields"},
    "capture": {"--seconds": "--for", "--from": "--recordings"},
    "messages": {"-a": "--absolute"},
    "convert": {"--to": "--format", "-t": "--format", "--no-redact": "--keep-secrets"},
    "model": {"--to": "--format"},
    "sim": {"--broadcast": "--announce", "--broadcast-to": "--announce-to"},
}
#: These had a host and a port apart, each with what it was where it was not given.
_APART: Final = {
    "share": ("--host", "--listen", "65102"),
    "sim vesc": ("--host", "--port", "65102"),
    "sim hub": ("--host", "--port", "65101"),
}


def renewed(words: list[str]) -> list[str]:
    """Return a command line with today's spellings."""
    if not words:
        return words
    old = _OLD.get(words[0], {})
    result = words[:1]
    for word in words[1:]:
        name, equals, value = word.partition("=")
        result.append(old.get(name, name) + equals + value if name in old else word)
    for command, (host, port, usual) in _APART.items():
        if " ".join(words[:2]).startswith(command) and host in result:
            return _together(result, host, port, usual)
    if words[0] == "sim":
        return ["--listen" if word == "--port" else word for word in result]
    return result


def _together(words: list[str], host: str, port: str, usual: str) -> list[str]:
    """Make `--listen HOST:PORT` of two options."""
    rest, said = [], {host: "127.0.0.1", port: usual}
    parts = iter(words)
    for word in parts:
        if word in said:
            said[word] = next(parts, "")
        else:
            rest.append(word)
    place = f"[{said[host]}]" if ":" in said[host] else said[host]
    return [*rest, "--listen", f"{place}:{said[port]}"]
