"""Models of one's own: found, said where they stand in for packwire's, trusted once by their content."""

import json

import pytest

from packwire import user_cache
from packwire.advertisement import Advertisement
from packwire.device import open_device
from packwire.errors import BadAddressError, BadFileError
from packwire.models import load, store
from packwire.models.beginning import beginning
from packwire.models.load import model
from packwire.models.store import library, sources
from packwire.models.trust import NotTrustedError, agree, frames_sent, is_trusted
from packwire.protocols import families, protocol, recognised


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(store, "_named", [])
    monkeypatch.setattr(store, "_kept", {})
    load._model.cache_clear()
    load._family.cache_clear()
    yield
    load._model.cache_clear()
    load._family.cache_clear()


@pytest.fixture
def folder():
    folder = store.models_folder()
    folder.mkdir(parents=True)
    return folder


def test_a_model_of_ones_own_is_found_and_read(folder):
    (folder / "acme.yaml").write_text(beginning("acme"))
    acme = model("acme")
    assert (acme.name, acme.origin, acme.shadows) == ("acme", str(folder / "acme.yaml"), False)
    assert "Acme" in {family.name for family in families()}


def test_folders_that_are_named_come_first(folder, tmp_path):
    (folder / "acme.yaml").write_text(beginning("acme"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "acme.yaml").write_text(beginning("acme").replace("title: Acme", "title: Other"))
    store.use([other])
    assert model("acme").title == "Other"
    with pytest.raises(BadFileError, match="no such folder of models"):
        store.use([tmp_path / "none"])


def test_one_that_stands_in_for_packwires_own_says_so(folder):
    text = store.Source("jbd").text().replace("title: JBD", "title: JBD of mine")
    (folder / "jbd.yaml").write_text(text)
    assert model("jbd").shadows
    assert protocol("jbd").title == "JBD of mine"


def test_one_that_is_wrong_harms_nobody_else(folder):
    (folder / "bad.yaml").write_text("packwire: 1\n")
    (folder / "loop.yaml").write_text("a: &a [*a]\n")
    assert {family.name for family in families()} >= {"JBD", "JK"}
    recognised(Advertisement("00:00:00:00:00:01", "JBD-X"))
    with pytest.raises(BadFileError, match=r"bad\.yaml, line 1: name is missing"):
        protocol("bad")


async def test_nothing_is_sent_before_the_user_agrees_and_then_always(folder):
    path = folder / "acme.yaml"
    path.write_text(beginning("acme"))
    with pytest.raises(NotTrustedError, match="agree once with --trust"):
        open_device("tcp://127.0.0.1:1?model=acme")
    assert frames_sent(model("acme")) == ["status (reads): aa 55 01 10 31 b0"]
    agree(model("acme"))
    assert is_trusted(model("acme"))
    open_device("tcp://127.0.0.1:1?model=acme")
    path.write_text(beginning("acme").replace("aa 55 .. 10 .. ..", "aa 55 .. 66 .. .."))
    load._model.cache_clear()
    with pytest.raises(NotTrustedError):
        open_device("tcp://127.0.0.1:1?model=acme")


def test_packwires_own_need_no_trust():
    assert all(is_trusted(protocol(name)) for name in library())


def test_what_was_checked_once_is_read_without_yaml_and_pydantic(monkeypatch):
    first = model("jbd")
    load._model.cache_clear()
    monkeypatch.setattr(load, "_from_yaml", lambda *_: pytest.fail("it was kept"))
    again = model("jbd")
    assert again is not first
    assert again.content == first.content


@pytest.mark.parametrize(
    "kept",
    ["", "[]", "{}", '{"form": 1}', '{"form": 1, "content": {}}', '{"form": 1, "content": {"name": 3}}'],
)
def test_a_damaged_cache_is_no_cache(kept):
    file = user_cache.cache_folder() / load._cache_name(sources()["jbd"].text())
    file.parent.mkdir(parents=True)
    file.write_text(kept)
    assert protocol("jbd").title == "JBD"
    assert json.loads(file.read_text())["content"]["name"] == "jbd"


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(BadAddressError, match="did you mean jk02"):
        protocol("jk2")
