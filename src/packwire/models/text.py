"""How bytes are written in a model: `dd a5 03`, `dd ?? 80`, `aa 55 .. {pin} 00*8`."""

from dataclasses import dataclass

#: No frame that is sent, and no beginning of one, is longer.
LONGEST = 512
_DIGITS = frozenset("0123456789abcdefABCDEF \t\n")


def read_hex(text: object) -> bytes:
    """Read bytes as they are written in a model: `dd a5 03`; YAML takes `77` for a number.

    Raises ValueError, in words for a user.
    """
    digits = _text(text)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        count = len("".join(digits.split()))
        if count % 2 and count > 2 and not set(digits) - _DIGITS:
            raise ValueError(f"{digits[:40]!r} has {count} digits: each byte has two") from None
        raise ValueError(
            f"{str(text)[:40]!r} is no hexadecimal: write two digits a byte, such as 'dd a5 03'"
        ) from None


def read_pattern(text: object) -> tuple[int | None, ...]:
    """Read bytes of which some may be anything: `dd 03 ??`; None stands for those. Raises ValueError."""
    words = _text(text).split()
    if not 0 < len(words) <= LONGEST:
        raise ValueError("the beginning of a frame is written as 'dd 03 ??'")
    return tuple(None if word == "??" else _byte(word) for word in words)


def _text(text: object) -> str:
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
        return text if len(text) % 2 == 0 else f"0{text}"
    if not isinstance(text, str):
        raise ValueError("bytes are written as two hexadecimal digits each, such as 'dd a5 03'")  # noqa: TRY004
    return text


def _byte(digits: str) -> int:
    if len(digits) != 2 or not set(digits) <= set("0123456789abcdefABCDEF"):
        raise ValueError(f"{digits[:40]!r} is no byte: write two hexadecimal digits, or ??")
    return int(digits, 16)


@dataclass(frozen=True, slots=True)
class Made:
    """So many bytes that the framing fills in: a length, a checksum."""

    size: int


@dataclass(frozen=True, slots=True)
class Named:
    """The bytes of a parameter."""

    name: str


type Part = bytes | Made | Named


def read_template(text: object) -> tuple[Part, ...]:
    """Read a frame with places that are filled in: `..` by the framing, `{pin}` by a parameter.

    `00*8` is eight times the same. Raises ValueError, in words for a user.
    """
    parts: list[Part] = []
    size = 0
    for word in _text(text).split():
        what, star, times = word.partition("*")
        if star and not (times.isdecimal() and len(times) < 4):
            raise ValueError(f"{word[:40]!r}: behind a * comes how many times")
        many = int(times) if star else 1
        if what.startswith("{") and what.endswith("}") and not star:
            parts.append(Named(what[1:-1]))
            continue
        if what == "..":
            part: Part = Made(many)
            size += many
        else:
            part = read_hex(what) * many
            size += len(part)
        if size > LONGEST:
            raise ValueError(f"a frame that is sent has at most {LONGEST} bytes")
        last = parts[-1] if parts else None
        if isinstance(last, bytes) and isinstance(part, bytes):
            parts[-1] = last + part
        elif isinstance(last, Made) and isinstance(part, Made):
            parts[-1] = Made(last.size + part.size)
        else:
            parts.append(part)
    if not parts or isinstance(parts[0], Made):
        raise ValueError("a frame begins with bytes, such as 'dd a5 03', or with the address that is asked")
    return tuple(parts)
