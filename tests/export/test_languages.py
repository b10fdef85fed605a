"""What a language has to say, each of them says, of as many things."""

from string import Formatter

import pytest

from packwire.export.cpp import Cpp
from packwire.export.language import ProgramLanguage
from packwire.export.python import Python
from packwire.export.wireshark import Lua

FORMS = [name for name, kind in ProgramLanguage.__annotations__.items() if kind != "int"]


@pytest.mark.parametrize("form", [name for name in FORMS if name != "called"])
def test_each_language_has_each_form_of_as_many_things(form: str):
    counted = set()
    for language in (Python, Lua, Cpp):
        written = getattr(getattr(language, form), "__self__", None)
        if isinstance(written, str):
            fields = [name for _, name, _, _ in Formatter().parse(written) if name is not None]
            counted.add(max(map(int, fields)) + 1 if fields and fields[0] else len(fields))
    assert len(counted) <= 1
    assert all(callable(getattr(each, form)) for each in (Python, Lua, Cpp))
