"""What a hub is told: its settings with their defaults, and the TOML file that they are read from."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from packwire.address import HUB_PORT
from packwire.errors import BadFileError, BadOptionError
from packwire.hub.credentials import read_file
from packwire.share.permissions import Policy, parse_policy
from packwire.vesc.hublogin import LOGIN_TIMEOUT, id_problem, normal_id


def _joined(given: object) -> object:
    return (
        ",".join(given) if isinstance(given, list) and all(isinstance(word, str) for word in given) else given
    )


def _checked(words: str) -> str:
    parse_policy(words)
    return words


def _by_id(given: object) -> object:
    if not isinstance(given, dict):
        return given
    for device_id in given:
        if problem := id_problem(str(device_id)):
            raise ValueError(problem)
    return {normal_id(str(device_id)): settings for device_id, settings in given.items()}


#: What `allow` may be written as: `"control,config"` or a list of such words.
type _Words = Annotated[str, BeforeValidator(_joined), AfterValidator(_checked)]
type _Port = Annotated[int, Field(ge=0, le=65535)]
type _Count = Annotated[int, Field(ge=1)]
type _Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Table):
    """How much anybody may take. The same numbers hold for every address, and /64 of IPv6."""

    connections_per_address: _Count = 256
    logins_per_address: _Count = 32
    """Connections that have not logged in yet."""
    connects_per_second: _Seconds = 50.0
    """New connections of an address, in the long run; four seconds' worth may come at once."""
    checks_per_address: _Count = 16
    """Passwords of an address that are being checked at one time; a check takes 0.2 s of a core."""
    clients_per_device: _Count = 16
    login_seconds: _Seconds = LOGIN_TIMEOUT
    refusal_seconds: Annotated[float, Field(ge=0, le=10)] = 0.25
    """How long a refused connection is kept, so that what dials again at once does so more seldom."""
    unread_bytes: Annotated[int, Field(ge=4096)] = 256 * 1024
    """What may wait for a client that does not read, before it is cut off; a device: `sharing.UNSENT`."""
    absence_seconds: _Seconds = 30.0
    """How long the clients of a device that has gone may wait for it to come back."""
    lost_link_seconds: _Seconds = 60.0
    """When a peer that went without a word is taken for gone (TCP keep-alive and user timeout)."""
    registrations: Annotated[int, Field(ge=0)] = 10_000
    """Ids that may be registered by whoever comes first."""
    wrong_logins: _Count = 5
    """Wrong passwords of one address for one id until it has to wait: 1 s, 2 s, 4 s..."""
    wrong_logins_per_address: _Count = 40
    longest_wait: _Seconds = 300.0


class DeviceSettings(_Table):
    """What is different for one device."""

    allow: _Words | None = None
    max_age: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class TlsSettings(_Table):
    """A second port with TLS."""

    port: _Port
    certificate: Path
    """PEM: the certificate and those that lead to its authority."""
    key: Path | None = None
    """PEM: the private key; None where it is in the certificate's file."""


class HubSettings(_Table):
    """All settings of a hub. Keys are those of the TOML file."""

    host: str = "0.0.0.0"  # noqa: S104 - a hub is there to be reached
    port: _Port = HUB_PORT
    tls: TlsSettings | None = None
    credentials: Path | None = None
    open: bool = False
    """Whoever logs in a device first sets its password."""
    allow: _Words = ""
    max_age: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    http_port: _Port | None = None
    limits: Limits = Limits()
    devices: Annotated[dict[str, DeviceSettings], BeforeValidator(_by_id)] = {}

    def policy(self, device_id: str) -> Policy:
        """Return what clients of this device may send."""
        own = self.devices.get(device_id)
        return parse_policy(self.allow if own is None or own.allow is None else own.allow)

    def age(self, device_id: str) -> float:
        """Return for how many seconds a reading of this device is given to whoever asks the same."""
        own = self.devices.get(device_id)
        return self.max_age if own is None or own.max_age is None else own.max_age


def read_settings(path: Path | None, options: dict[str, Any]) -> HubSettings:
    """Read the TOML file, if there is one, and put the command line's options over it.

    Relative paths in the file start at its folder. Raises BadFileError or BadOptionError with the key's name.
    """
    told = {} if path is None else _read_toml(path)
    try:
        from_file = HubSettings.model_validate(told)
    except ValidationError as error:
        raise BadFileError(f"{path}: {_first_problem(error)}") from None
    if path is not None:
        told = _with_absolute_paths(told, path.parent)
    if not options:
        return HubSettings.model_validate(told) if path is not None else from_file
    try:
        return HubSettings.model_validate(told | options)
    except ValidationError as error:
        raise BadOptionError(_first_problem(error)) from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_file(path))
    except FileNotFoundError:
        raise BadFileError(f"there is no configuration file {path}") from None
    except RecursionError:
        raise BadFileError(f"the configuration file {path} cannot be read: it is nested too deeply") from None
    except (OSError, ValueError) as error:  # no UTF-8, no TOML, a path with a NUL
        raise BadFileError(f"the configuration file {path} cannot be read: {error}") from None


def _with_absolute_paths(told: dict[str, Any], folder: Path) -> dict[str, Any]:
    told = dict(told)
    if told.get("credentials"):
        told["credentials"] = folder / told["credentials"]
    if tls := told.get("tls"):
        told["tls"] = tls | {key: folder / tls[key] for key in ("certificate", "key") if tls.get(key)}
    return told


def _first_problem(error: ValidationError) -> str:
    """Return `limits.unread_bytes: Input should be ...`; never the value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "there is no such setting"
    more = error.error_count() - 1
    return f"{key}: {message}" + (f" (and {more} more)" if more else "")
