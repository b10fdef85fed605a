"""Hub credentials: a text file with one `ID:$scrypt$...` line a device; passwords are kept hashed alone.

The hash is written in the PHC string format (`$scrypt$ln=14,r=8,p=5$salt$hash`, base64 without padding), so
that it says itself how it was made. Parameters: OWASP Password Storage Cheat Sheet, scrypt.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from packwire.errors import BadFileError, BadOptionError
from packwire.vesc.hublogin import id_problem, normal_id, password_problem

#: 16 MiB, five times over: about 0.2 s of a core for every guess.
LOG_N, BLOCK_SIZE, PARALLEL = 14, 8, 5
SALT_SIZE = 16
HASH_SIZE = 32
#: A file may ask for more work than ours, but not for any amount of it.
MOST_LOG_N, MOST_BLOCK_SIZE, MOST_PARALLEL = 18, 16, 16
MOST_MEMORY = 1 << 29

#: More than any number of ids takes.
MOST_FILE = 64 << 20
#: Stands for bytes that were no UTF-8: not to be told from other such bytes.
_NO_TEXT = "\ufffd"

_HEADER = """\
# Credentials of a packwire hub: ID:hash, one a line. Set one with `packwire hub password ID`.
"""


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A hashed password as its PHC string. `of` and `check` take 0.2 s: never on an event loop."""

    text: str

    @classmethod
    def of(cls, password: str, *, log_n: int = LOG_N, parallel: int = PARALLEL) -> Self:
        """Hash a password with a salt of its own (slow on purpose)."""
        salt = secrets.token_bytes(SALT_SIZE)
        key = _scrypt(password, salt, log_n, BLOCK_SIZE, parallel, HASH_SIZE)
        return cls(f"{_cost(log_n, parallel)}${_encoded(salt)}${_encoded(key)}")

    def check(self, password: str) -> bool:
        """Tell whether it is this password (slow on purpose; the comparison takes constant time)."""
        log_n, block_size, parallel, salt, key = self._parts()
        return hmac.compare_digest(_scrypt(password, salt, log_n, block_size, parallel, len(key)), key)

    @property
    def cost(self) -> str:
        """Return the part that says how much work a check is: `$scrypt$ln=14,r=8,p=5`."""
        return self.text.rsplit("$", 2)[0]

    def problem(self) -> str | None:
        """Say why this is no hash that can be used, or None."""
        try:
            log_n, block_size, parallel, salt, key = self._parts()
        except (ValueError, binascii.Error):
            return "no $scrypt$ln=..,r=..,p=..$salt$hash"
        if not (
            1 <= log_n <= MOST_LOG_N and 1 <= block_size <= MOST_BLOCK_SIZE and 1 <= parallel <= MOST_PARALLEL
        ):
            return f"more work than ln={MOST_LOG_N},r={MOST_BLOCK_SIZE},p={MOST_PARALLEL}"
        if log_n >= 16 * block_size:  # RFC 7914, section 2: N is less than 2^(128 r / 8)
            return f"ln={log_n}, which needs a larger r"
        if 128 * block_size * ((1 << log_n) + parallel + 2) > MOST_MEMORY:
            return f"more memory than {MOST_MEMORY >> 20} MiB"
        if len(salt) < 8 or len(key) < 16:
            return "a salt or hash that is too short"
        return None

    def _parts(self) -> tuple[int, int, int, bytes, bytes]:
        nothing, name, parameters, salt, key = self.text.split("$")
        work = dict(part.split("=") for part in parameters.split(","))
        if nothing or name != "scrypt" or work.keys() != {"ln", "r", "p"}:
            raise ValueError(name)
        return int(work["ln"]), int(work["r"]), int(work["p"]), _decoded(salt), _decoded(key)


def _cost(log_n: int, parallel: int) -> str:
    return f"$scrypt$ln={log_n},r={BLOCK_SIZE},p={parallel}"


def decoy(device_id: str, key: bytes, costs: Sequence[str]) -> PasswordHash:
    """Return the same hash for an id each time, which no password fits: as much work as one of `costs`."""
    seed = hmac.digest(key, device_id.encode(errors="surrogateescape"), "sha512")
    cost = costs[int.from_bytes(seed[-8:]) % len(costs)] if costs else _cost(LOG_N, PARALLEL)
    return PasswordHash(
        f"{cost}${_encoded(seed[:SALT_SIZE])}${_encoded(seed[SALT_SIZE : SALT_SIZE + HASH_SIZE])}"
    )


def _scrypt(password: str, salt: bytes, log_n: int, block_size: int, parallel: int, size: int) -> bytes:
    return hashlib.scrypt(
        password.encode(errors="surrogateescape"),
        salt=salt,
        n=1 << log_n,
        r=block_size,
        p=parallel,
        maxmem=MOST_MEMORY,
        dklen=size,
    )


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def unstorable(device_id: str) -> str | None:
    """Say why an id cannot stand in a credentials file, where it could pass for something else, or None."""
    if device_id.startswith("#"):
        return "an id that begins with # cannot be kept: it would be a comment"
    if not device_id.isprintable() or any(map(str.isspace, device_id)) or _NO_TEXT in device_id:
        return "an id with characters that cannot be printed cannot be kept"
    return None


def parse_credentials(text: str, name: str = "credentials") -> dict[str, PasswordHash]:
    """Read a credentials file: the hash of each id. Raises BadFileError that names the line."""
    found: dict[str, PasswordHash] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        device_id, colon, hashed = (part.strip() for part in line.partition(":"))
        device_id = normal_id(device_id)
        password = PasswordHash(hashed)
        problem = (id_problem(device_id) or unstorable(device_id)) if colon else "it is no ID:hash"
        if problem is None and device_id in found:
            problem = f"{device_id} is there twice"
        if problem is None and (wrong := password.problem()):
            # Somebody may have written the password itself here: it must not be repeated.
            problem = f"what follows the colon is {wrong}; set it with `packwire hub password {device_id}`"
        if problem:
            raise BadFileError(f"{name} line {number}: {problem}")
        found[device_id] = password
    return found


def read_credentials(path: Path, *, may_be_missing: bool = False) -> dict[str, PasswordHash]:
    """Read the file at `path`. Raises BadFileError."""
    try:
        return parse_credentials(read_file(path), str(path))
    except FileNotFoundError:
        if may_be_missing:
            return {}
        raise BadFileError(
            f"there is no credentials file {path}; begin one with "
            f"`packwire hub password ID --credentials {path}`"
        ) from None
    except (OSError, ValueError) as error:  # no UTF-8, a path with a NUL
        raise BadFileError(f"the credentials file {path} cannot be read: {error}") from None


def read_file(path: Path) -> str:
    """Return a file's text. Raises ValueError, and OSError as `check_file` does."""
    check_file(path)
    return path.read_text(encoding="utf-8")


def check_file(path: Path) -> None:
    """Raise OSError for a pipe or a device, which need not end, and for a file that is far too long."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no regular file")
    if found.st_size > MOST_FILE:
        raise OSError(f"it has more than {MOST_FILE >> 20} MiB")


def checked_id(device_id: str) -> str:
    """Return an id as hubs see it. Raises BadOptionError for one that no hub can ever know."""
    if problem := id_problem(device_id):
        raise BadOptionError(problem)
    return normal_id(device_id)


def hash_of(password: str) -> PasswordHash:
    """Return the hash of a new password. Raises BadOptionError for one that no hub can ever accept."""
    if problem := password_problem(password) or ("" if password else "an empty password lets everybody in"):
        raise BadOptionError(problem)
    return PasswordHash.of(password)


def store_credential(path: Path, device_id: str, password: PasswordHash | None) -> bool:
    """Set one id's hash in the file (None removes it), and leave all its other lines as they are.

    The file is replaced as a whole, readable by its owner alone, under a lock: a running hub may write too.
    Returns whether the id was there before. Raises BadFileError, and BadOptionError for an id that cannot be.
    """
    device_id = normal_id(device_id)
    if problem := id_problem(device_id) or unstorable(device_id):
        raise BadOptionError(problem)
    try:
        path = path.resolve()  # a link stays one
        with _locked(path):
            known = device_id in read_credentials(path, may_be_missing=True)
            before = path.read_text(encoding="utf-8") if path.exists() else _HEADER
            kept = [line for line in before.removesuffix("\n").split("\n") if _id_of(line) != device_id]
            if password is not None:
                kept.append(f"{device_id}:{password.text}")
            _replace(path, "".join(f"{line}\n" for line in kept))
    except (OSError, ValueError) as error:
        raise BadFileError(f"the credentials file {path} cannot be written: {error}") from None
    return known


def _id_of(line: str) -> str | None:
    return None if line.lstrip().startswith("#") else normal_id(line.partition(":")[0].strip())


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock beside the file; where there is no flock (Windows), go on without."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    lock = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _replace(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
