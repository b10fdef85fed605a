"""The options that several commands share, each said once: its name, its letter, what it means.

docs/reference/options.md lists every option; a test holds it against the commands.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from packwire.address import FORMS, FORMS_OF_A_VESC, listed
from packwire.cli import completion
from packwire.errors import BadOptionError

type Numbers = Literal["hex", "decimal"]

AddressArgument = Annotated[
    str,
    Parameter(
        help=f"{listed(FORMS)}, or a name of your own (packwire name); /can/84 behind a VESC's is one node "
        "alone.",
        completer=completion.addresses,
        env_var="PACKWIRE_ADDRESS",
        show_env_var=False,
    ),
]
VescAddressArgument = Annotated[
    str,
    Parameter(
        help=f"{listed(FORMS_OF_A_VESC)}, or a name of your own (packwire name).",
        completer=completion.addresses,
        env_var="PACKWIRE_ADDRESS",
        show_env_var=False,
    ),
]
BytesOption = Annotated[
    Numbers,
    Parameter(
        name="--bytes",
        help="How a text log writes bytes where nothing in it tells: decimal takes lines of numbers from 0 to"
        " 255 as bytes.",
    ),
]
ForOption = Annotated[float | None, Parameter(name="--for", help="End after so many seconds.")]
JsonOption = Annotated[
    bool, Parameter(name="--json", negative=(), help="JSON lines for programs: docs/reference/json.md.")
]
RedactOption = Annotated[
    bool,
    Parameter(
        name="--redact",
        negative=(),
        help="To be shared: made-up Bluetooth addresses and names, and all masked that `packwire convert`"
        " masks.",
    ),
]
KeepSecretsOption = Annotated[
    bool,
    Parameter(
        name="--keep-secrets",
        negative=(),
        help="Show hub logins, passwords and configurations (with their Wi-Fi keys) in clear.",
    ),
]
ScenarioOption = Annotated[
    str,
    Parameter(
        name="--scenario",
        completer=completion.scenarios,
        help="What the pack goes through: rest, ride, charge, or cycle (these in turn).",
    ),
]
AllOption = Annotated[bool, Parameter(name="--all", alias="-a", negative=())]
RawOption = Annotated[bool, Parameter(name="--raw", negative=())]
CountOption = Annotated[int | None, Parameter(name="--count", alias="-n")]
OutOption = Annotated[Path | None, Parameter(name="--out", alias="-o")]
ReportOption = Annotated[
    tuple[Path, ...],
    Parameter(
        name="--report",
        negative=(),
        consume_multiple=False,
        help="Write a page fit for a forum, without secrets: a file that ends in .html or .md; may be given"
        " several times.",
    ),
]
AllowOption = Annotated[
    tuple[str, ...],
    Parameter(
        name="--allow",
        negative=(),
        consume_multiple=False,
        completer=completion.allowable,
        help="What clients may do besides reading: control, config, firmware, terminal, lisp, can, custom,"
        " unknown; repeated, or with commas between them.",
    ),
]
ModelsOption = Annotated[
    tuple[Path, ...],
    Parameter(
        name="--models",
        negative=(),
        consume_multiple=False,
        help="A folder of models of your own, beside that in your configuration; may be given several times.",
    ),
]
ListenOption = Annotated[str | None, Parameter(name="--listen", alias="-l")]


def words(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of an option that may be repeated or have commas in it."""
    return tuple(word.strip() for text in given for word in text.split(",") if word.strip())


LOOPBACK: Final = "127.0.0.1"


def listen_place(text: str) -> tuple[str, int]:
    """Read `PORT` (of this computer alone) or `HOST:PORT`, with brackets around an IPv6 address.

    Raises BadOptionError.
    """
    host, _, port = text.rpartition(":")
    odd = any(character in "/@? " for character in host) or (":" in host and not host.startswith("["))
    if odd or not (port.isascii() and port.isdecimal()) or int(port[:6]) > 65_535:
        raise BadOptionError(
            f"--listen {text}: give PORT, or HOST:PORT (0.0.0.0:65102 lets other computers in); a port is"
            " 0 to 65535"
        )
    return host.removeprefix("[").removesuffix("]") or LOOPBACK, int(port)
