"""What the house promises of itself and no import contract can say."""

import ast
import sys
from collections import Counter
from pathlib import Path

import grimp

import packwire

SOURCES = Path(packwire.__file__).parent

#: Modules of more lines, and why each is one file.
LONG = {
    "address.py": "each way to write an address, with what reads it",
    "models/replies.py": "what a model says of its replies, read and asked",
    "protocol/exchange.py": "the one engine that pairs requests with replies, in its roles",
    "share/device.py": "the core of a shared device; its parts are files of their own already",
    "models/protocol.py": "what a protocol is asked, answered from a model's parts",
    "sim/nodes.py": "the replies of three kinds of VESC nodes, side by side",
    "wire/codec.py": "one engine for decoding, encoding and spans",
}
#: Where a class has the name of what it writes down: the form of a thing in JSON, or in a model's YAML.
FORMS = ("cli/records/", "models/schema/")
#: Class names that occur twice, and why.
TWICE = {
    "Grammar": "each text format has its own, behind one interface",
    "JsonView": "each view has its own, behind one interface",
    "TextView": "each view has its own, behind one interface",
}
#: Class names that came to occur twice for different things, not to grow: one of each wants another name.
STILL: frozenset[str] = frozenset()
#: Where VESC is the subject: itself, what serves or passes on VESCs, and its own checks.
OF_VESC = ("vesc", "protocols", "hub", "share", "tap", "sim", "doctor.vesc")
#: So many other modules may know VESC; the number is to fall.
OTHERS = 7


def graph():
    return grimp.build_graph("packwire")


def circles(found):
    """Return the strongly connected parts of more than one module (Tarjan)."""
    sys.setrecursionlimit(10_000)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    result: set[frozenset[str]] = set()

    def visit(module):
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in found.find_modules_directly_imported_by(module):
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            part = set()
            while module not in part:
                part.add(stack.pop())
            if len(part) > 1:
                result.add(frozenset(part))

    for module in sorted(found.modules):
        if module not in index:
            visit(module)
    return result


def test_no_file_grows_long_without_a_reason():
    long = {
        str(path.relative_to(SOURCES))
        for path in SOURCES.rglob("*.py")
        if path.read_text(encoding="utf-8").count("\n") > 400
    }
    assert long <= set(LONG), "split it, or say why it is one file"
    assert set(LONG) <= long, "no longer long: take it off the list"


def test_no_modules_import_each_other():
    assert circles(graph()) == set()


def test_a_class_name_means_one_thing():
    names = Counter(
        node.name
        for path in SOURCES.rglob("*.py")
        if not str(path.relative_to(SOURCES)).startswith(FORMS)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} <= set(TWICE) | STILL


def test_vesc_is_one_protocol_among_others():
    found = graph()
    at_home = tuple(f"packwire.{name}" for name in OF_VESC)
    others = [
        module
        for module in found.modules
        if not module.startswith(at_home)
        and any(
            imported == "packwire.vesc" or imported.startswith("packwire.vesc.")
            for imported in found.find_modules_directly_imported_by(module)
        )
    ]
    assert len(others) <= OTHERS, sorted(others)


def test_one_place_says_what_a_forwarded_request_is():
    loops = [
        str(path.relative_to(SOURCES))
        for path in SOURCES.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "while" in line and "FORWARD_CAN" in line
    ]
    assert loops == ["vesc/requests.py"]
