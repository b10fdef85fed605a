"""Every command's --json is one dialect: each record is one of packwire.cli.records, as json.md lists it."""

from pathlib import Path

import pytest

from packwire.cli.records.kinds import WRITTEN_BY
from tests.cli.every_command import NAMES, commands, lines, run
from tests.cli.records import checked

#: Commands that have --json, by their own argument collections.
WITH_JSON = sorted(
    name
    for name, command in commands()
    if any("--json" in each.names for each in command.assemble_argument_collection())
)
#: What else there is to ask of a command, so that every kind of record is seen.
MORE = {
    "read": "read sim:jbd",
    "doctor": "doctor --for 0.1",
    "decode": "decode --hex --fields {}/session.pcap",
}


def test_every_kind_is_of_a_command_that_is_there():
    for kind, names in WRITTEN_BY.items():
        for name in names:
            if name == "all":
                continue
            command = name.split(" --")[0]
            assert command in NAMES, kind
            if command != "hub":  # whose log is --log-json
                assert command in WITH_JSON, kind
    assert set(WITH_JSON) <= {name for names in WRITTEN_BY.values() for name in names}


def test_only_known_commands_lack_json():
    assert set(NAMES) - set(WITH_JSON) == {
        "capture", "convert", "demo", "events", "settings", "hub", "hub password", "log", "model check", "model export",
        "model new",
        "model show", "model test", "name", "record", "sim", "sim faults", "sim hub", "sim jbd", "sim vesc",
    }  # fmt: skip


@pytest.mark.parametrize("name", WITH_JSON)
async def test_what_a_command_writes_is_as_it_is_documented(name, folder):
    own = {kind for kind, names in WRITTEN_BY.items() if name in names}
    for line in (lines(str(folder))[name], MORE.get(name, "").format(folder)):
        if line:
            code, out, err = await run(f"{line} --json", folder)
            records = checked(out.decode())
            assert {record["kind"] for record in records} <= own
            assert records or (name in {"scan", "tap"}), (code, err)


@pytest.mark.parametrize(
    ("line", "reason", "code"),
    [
        ("read vesc://127.0.0.1:9", "port-refused", 3),
        ("doctor nonsense", "bad-address", 2),
        ("info no-such-file", "bad-file", 9),
    ],
)
async def test_an_error_is_a_record_too(line, reason, code, folder):
    exit_code, out, err = await run(f"{line} --json", folder)
    (record,) = checked(out.decode())
    assert (record["kind"], record["reason"], record["exit_code"], exit_code) == ("error", reason, code, code)
    assert record["error"] in err


async def test_the_address_may_come_from_the_environment(folder):
    code, out, err = await run("read --node bms", folder, PACKWIRE_ADDRESS="sim:vesc")
    assert code == 0, err
    assert b"20 cells" in out


@pytest.mark.parametrize("name", [*WITH_JSON, "an error"])
async def test_json_to_an_output_that_is_full_or_closed(name, folder):
    line = lines(str(folder)).get(name, "read vesc://127.0.0.1:9") + " --json"
    with Path("/dev/full").open("wb") as full:
        for output, closed in ((full, False), (None, True)):
            code, _, err = await run(line, folder, output, closed=closed)
            assert "Traceback" not in err, err
            assert "Exception ignored" not in err, err
            # A tap without a client has nothing to write.
            assert code == {"an error": 3, "tap": 0}.get(name, 9), err
