"""The hub's parts that need no socket: credentials, back-off, settings, and its log."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.errors import BadFileError, BadOptionError
from packwire.hub.back_off import BackOff, network_of
from packwire.hub.credentials import PasswordHash, parse_credentials, read_credentials, store_credential
from packwire.hub.events import LONGEST, HubEventLog, JsonFormat, TextFormatter
from packwire.hub.settings import read_settings
from packwire.share.permissions import Effect
from tests.hub.hubs import cheap_hash


def test_a_hash_knows_its_password_and_never_shows_it():
    hashed = PasswordHash.of("secret42")
    assert hashed.text.startswith("$scrypt$ln=14,r=8,p=5$")
    assert hashed.check("secret42")
    assert not hashed.check("secret43")
    assert "secret42" not in hashed.text


def test_two_hashes_of_one_password_differ():
    assert cheap_hash().text != cheap_hash().text


@given(st.text(max_size=80))
def test_any_text_as_a_hash_has_a_problem_or_can_be_checked(text):
    for hashed in (
        PasswordHash(text),
        PasswordHash(f"$scrypt${text}"),
        PasswordHash(f"$scrypt$ln=1,r=8,p=1${text}"),
    ):
        assert hashed.problem() or hashed.check("x") is False


@given(st.integers(1, 20), st.integers(1, 16), st.integers(1, 16))
def test_work_that_is_let_through_can_be_done(log_n, block_size, parallel):
    hashed = PasswordHash(
        f"$scrypt$ln={log_n},r={block_size},p={parallel}$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"
    )
    if hashed.problem() is None and log_n + block_size.bit_length() < 12:
        assert hashed.check("x") is False


@pytest.mark.parametrize("work", ["ln=16,r=1,p=1", "ln=18,r=16,p=1"])
def test_work_that_scrypt_refuses_is_a_problem_of_the_file(work):
    hashed = PasswordHash(f"$scrypt${work}$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")
    with pytest.raises(ValueError, match="memory"):
        hashed.check("x")
    assert hashed.problem()


def test_a_link_to_a_credentials_file_stays_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "c")
    store_credential(tmp_path / "link", "PACK", cheap_hash())
    assert (tmp_path / "link").is_symlink()
    assert "PACK" in read_credentials(tmp_path / "c")


def test_those_who_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / "c"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store_credential(path, f"PACK{number}", cheap_hash()), range(40)))
    assert len(read_credentials(path)) == 40


@given(st.text(max_size=200))
def test_any_text_as_a_credentials_file_is_read_or_refused_in_one_line(text):
    try:
        parse_credentials(text, "file")
    except BadFileError as error:
        assert str(error).startswith("file line ")
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("TESTPACK", "it is no ID:hash"),
        ("TESTPACK:secret42", "set it with `packwire hub password TESTPACK`"),
        ("AB:$scrypt$", "at least 3 characters"),
        ("TESTPACK:$scrypt$ln=40,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "more work than"),
    ],
)
def test_a_wrong_line_is_named_but_a_password_in_it_is_not_repeated(line, problem):
    with pytest.raises(BadFileError, match="c line 2: .*") as caught:
        parse_credentials(f"# a comment\n{line}\n", "c")
    assert problem in str(caught.value)
    assert "secret42" not in str(caught.value)


def test_storing_leaves_all_other_lines_as_they_are(tmp_path):
    path = tmp_path / "c"
    first, second = cheap_hash("one"), cheap_hash("two")
    assert not store_credential(path, "first pack", first)
    path.write_text(path.read_text() + "# mine\n")
    store_credential(path, "SECOND", first)
    assert store_credential(path, "second", second)
    assert "# mine" in path.read_text()
    assert read_credentials(path) == {"FIRSTPACK": first, "SECOND": second}
    assert store_credential(path, "FIRSTPACK", None)
    assert read_credentials(path) == {"SECOND": second}
    assert path.stat().st_mode & 0o077 == 0


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limits(clock):
    return BackOff(3, 20, 300.0, clock)


def wrong(limits, address="10.0.0.1", device="PACK"):
    limits.failed(address, device)


def test_waits_double_up_to_the_longest(limits, clock):
    waits = []
    for _ in range(14):
        wrong(limits)
        waits.append(limits.wait("10.0.0.1", "PACK"))
        clock.now += waits[-1]
    assert waits[:7] == [0, 0, 1, 2, 4, 8, 16]
    assert max(waits) == 300


def test_a_right_login_ends_the_count(limits):
    wrong(limits)
    wrong(limits)
    limits.succeeded("10.0.0.1", "PACK")
    wrong(limits)
    assert limits.wait("10.0.0.1", "PACK") == 0


def test_a_thousand_strangers_do_not_lock_the_owner_out(limits):
    for number in range(1000):
        wrong(limits, f"10.1.{number // 250}.{number % 250}")
    assert limits.wait("10.1.0.7", "PACK") > 0  # one wrong guess, at an id under attack
    assert limits.wait("192.168.1.5", "PACK") == 0


def test_one_address_that_tries_many_ids_waits_for_all_of_them(limits):
    for number in range(20):
        wrong(limits, device=f"PACK{number}")
    assert limits.wait("10.0.0.1", "ANOTHER") > 0
    assert limits.wait("10.0.0.2", "ANOTHER") == 0


def test_a_remembered_login_has_one_try_a_second_during_a_wait(limits, clock):
    for _ in range(8):
        wrong(limits)
    assert [limits.grace("10.0.0.1", "PACK"), limits.grace("10.0.0.1", "PACK")] == [True, False]
    clock.now += 1
    assert limits.grace("10.0.0.1", "PACK")


def test_wrong_logins_are_forgotten(limits, clock):
    for _ in range(5):
        wrong(limits)
    clock.now += 1000
    wrong(limits)
    assert limits.wait("10.0.0.1", "PACK") == 0


def test_one_ipv6_user_is_one_address():
    assert (
        network_of("2001:db8:0:1::5") == network_of("2001:db8:0:1:ffff::9") != network_of("2001:db8:0:2::5")
    )
    assert network_of("::ffff:10.0.0.1") == "10.0.0.1"
    assert network_of("fe80::1%eth0") == "fe80::/64"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[limits]\nunread_bytez = 1\n", "limits.unread_bytez: there is no such setting"),
        ('allow = ["fly"]\n', "allow: "),
        ('[devices."A:B"]\n', "devices: a colon in a hub id"),
        ("port = 70000\n", "port: "),
        ("[limits]\nlogin_seconds = inf\n", "limits.login_seconds: "),
        ("port = [\n", "cannot be read"),
    ],
)
def test_a_mistake_in_the_configuration_is_named_by_its_key(tmp_path, text, key):
    path = tmp_path / "hub.toml"
    path.write_text(text)
    with pytest.raises(BadFileError) as caught:
        read_settings(path, {})
    assert key in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_mistake_in_an_option_is_one_of_use():
    with pytest.raises(BadOptionError, match="allow"):
        read_settings(None, {"allow": "fly"})


def test_options_count_more_than_the_file_and_its_paths_start_at_its_folder(tmp_path):
    path = tmp_path / "hub.toml"
    path.write_text('port = 1\ncredentials = "c"\n[devices."test pack"]\nallow = "control"\nmax_age = 2.0\n')
    settings = read_settings(path, {"port": 2, "allow": "terminal"})
    assert (settings.port, settings.credentials) == (2, tmp_path / "c")
    assert settings.policy("TESTPACK").allowed == {Effect.CONTROL}
    assert settings.policy("OTHER").allowed == {Effect.TERMINAL}
    assert (settings.age("TESTPACK"), settings.age("OTHER")) == (2.0, 0.0)


def record(event="login refused", **fields):
    made = logging.LogRecord("packwire.hub", logging.WARNING, "", 0, "%s", (event,), None)
    made.packwire_fields = fields
    return made


def test_no_text_of_a_stranger_can_pass_for_a_line_or_a_field_of_its_own():
    line = TextFormatter().format(record(id='X" reason=ok\n00:00:00 hub stopped', address="10.0.0.1:5"))
    assert len(line.splitlines()) == 1
    assert line.endswith('id="X\\" reason=ok\\n00:00:00 hub stopped" address=10.0.0.1:5')


@given(st.text(max_size=400))
def test_every_json_line_is_one_object(text):
    line = JsonFormat().format(record(id=text, clients=3))
    assert "\n" not in line
    assert json.loads(line)["id"] == text[:LONGEST]


def test_what_strangers_repeat_is_counted_instead(clock, caplog):
    caplog.set_level("INFO", "packwire.hub")
    events = HubEventLog(clock)
    for _ in range(100):
        events.say_seldom("login refused", "10.0.0.1", reason="wrong password")
        clock.now += 0.01
    clock.now += 10
    events.say_seldom("login refused", "10.0.0.1", reason="wrong password")
    assert [each.__dict__["packwire_fields"].get("again") for each in caplog.records] == [None, 99]
