"""Words that say of what follows them that it is a password or a key; in settings, AT commands, and logs."""

import re

WORDS = (b"pass", b"pwd", b"psk", b"pin", b"secret", b"token", b"key", b"cwjap", b"cwsap")

HIDDEN = "(hidden)"
_NAMED = re.compile(
    rf"(?:{'|'.join(word.decode() for word in WORDS if word != b'pin')}|(?<![a-z])pin)[a-z_]*\b"
    r"|(?<![a-z])pw\b"
    r"|vesc *(?:tool *)?:",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """Return a line of somebody's text as it may be quoted: up to the first such word."""
    found = _NAMED.search(text)
    return text if found is None or found.end() == len(text) else f"{text[: found.end()]} {HIDDEN}"
