"""An app's recording beside a client's own: both made on the virtual air."""

import pytest

from packwire.capture import open_capture
from packwire.doctor.compare.causes import Cause
from packwire.doctor.compare.choose import choose
from packwire.doctor.compare.verdict import Comparison, compare, evidence_lines
from tests.bluetooth.clients import CLIENTS, record

ADDRESS = "A4:C1:38:00:00:01"


@pytest.fixture
async def compared(air, tmp_path):
    async def run(client: str, name: str = "jbd") -> Comparison:
        paths = [tmp_path / f"{each}.btsnoop" for each in ("right", client)]
        for path, each in zip(paths, ("right", client), strict=True):
            await record(air, path, name, CLIENTS[each], ADDRESS, rounds=3)
        theirs, ours = choose((open_capture(paths[0]), open_capture(paths[1])))
        return compare(theirs.session, ours.session)

    return run


@pytest.mark.parametrize(
    ("client", "cause", "said"),
    [
        ("no-subscription", Cause.NEVER_SUBSCRIBES, "this one never does"),
        ("write-type", Cause.WRITE_MODE, "with response (Write Request), and nothing is answered"),
        ("other-family", Cause.OTHER_PROTOCOL, "are Daly frames"),
        ("no-login", Cause.PASSWORD_NEEDED, "There it is told the password first (login)"),
        ("request-missing", Cause.NEVER_ASKED, "It never asks cell voltages (JBD dd a5 04)"),
        ("wrong-checksum", Cause.WRONG_CHECKSUM, "Right would be dd a5 03 00 ff fd 77"),
        ("wrong-length", Cause.WRONG_LENGTH, "its header announces 7"),
    ],
)
async def test_what_is_wrong_is_named(compared, client, cause, said):
    found = await compared(client)
    assert (found.key, found.swapped) == (cause, False)
    assert found.main is not None
    assert said in " ".join(evidence_lines(found.main, "mine"))


async def test_a_right_client_is_not_accused(compared):
    found = await compared("right-reversed")
    assert found.key in ("no-difference", Cause.CANNOT_TELL)
    assert {each.cause for _, each in found.also} <= {Cause.CANNOT_TELL}


async def test_frames_without_a_start_are_known_by_what_the_other_asks(compared):
    found = await compared("wrong-checksum", "renogy")
    assert found.key == Cause.WRONG_CHECKSUM
