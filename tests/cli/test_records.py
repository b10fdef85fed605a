"""Every command's --json is one dialect: each record is one of packwire.cli.records, as json.md lists it."""

import pytest

from packwire.cli.records.kinds import WRITTEN_BY
from packwire.protocols import model_names
from tests.cli.every_command import commands, lines
from tests.cli.records import checked
from tests.cli.test_streams import NAMES, folder, run  # noqa: F401 - a fixture

#: Commands that have --json, by their own argument collections.
WITH_JSON = sorted(
    name
    for name, command in commands()
    if any("--json" in each.names for each in command.assemble_argument_collection())
)
#: What else there is to ask of a command, so that every kind of record is seen.
MORE = {"read": "read sim:jbd", "decode": "decode --hex --fields {}/session.pcap"}


def test_every_kind_is_of_a_command_that_is_there():
    for kind, names in WRITTEN_BY.items():
        for name in names:
            command = name.split(" --")[0]
            assert command in NAMES, kind
            if command != "hub":  # whose log is --log-json
                assert command in WITH_JSON, kind
    assert set(WITH_JSON) <= {name for names in WRITTEN_BY.values() for name in names}


def test_only_known_commands_lack_json():
    assert set(NAMES) - set(WITH_JSON) == {
        "capture", "convert", "demo", "hub", "hub password", "log", "model check", "model new",
        "model show", "model test", "name", "sim faults", "sim hub", "sim vesc",
        *(f"sim {name}" for name in model_names()),
    }  # fmt: skip


@pytest.mark.parametrize("name", WITH_JSON)
async def test_what_a_command_writes_is_as_it_is_documented(name, folder):  # noqa: F811
    own = {kind for kind, names in WRITTEN_BY.items() if name in names}
    for line in (lines(str(folder))[name], MORE.get(name, "").format(folder)):
        if line:
            code, out, err = await run(f"{line} --json", folder)
            records = checked(out.decode())
            assert {record["kind"] for record in records} <= own
            assert records or (name in {"scan", "tap"}), (code, err)
