#!/bin/sh
# Print the path of a CPython that can make virtual environments.
#
#   scripts/find_python.sh [VERSION [MODULE...]]    VERSION: the least that will do, 3.12 if not given;
#                                                   =3.13 is that one alone
#                                                   MODULE: what it must also be able to import
#
# With UV set to a uv, the interpreters uv has fetched count too, and as a last resort it fetches one.
set -eu

least=${1:-3.12}
[ $# -eq 0 ] || shift
modules=$*
case $least in
    =*) said="${least#=}" range="=$least.*" ;;
    *) said="$least or newer" range=">=$least" ;;
esac

# A candidate counts only once it has run. A pyenv shim on PATH may stand for a version that is not installed,
# and some distributions leave out parts of the standard library.
probe='
import importlib, sys
least, *modules = sys.argv[1:]
wanted = tuple(map(int, least.removeprefix("=").split(".")))
if sys.implementation.name != "cpython" or sys.version_info < wanted:
    sys.exit(1)
if least.startswith("=") and sys.version_info[: len(wanted)] != wanted:
    sys.exit(1)
for module in ("ssl", "venv", *modules):
    importlib.import_module(module)
# Inside a virtual environment, name the interpreter it was made from: the environment may go.
print(getattr(sys, "_base_executable", None) or sys.executable)
'

works() { # prints the real path of interpreter $1, if it will do
    # shellcheck disable=SC2086  # modules is a list
    "$1" -I -c "$probe" "$least" $modules 2>/dev/null </dev/null
}

pyenv_roots() {
    [ -z "${PYENV_ROOT:-}" ] || echo "$PYENV_ROOT"
    [ -z "${HOME:-}" ] || echo "$HOME/.pyenv"
    # HOME may have been pointed elsewhere: the shims on PATH and the account's own home tell too.
    echo "$PATH" | tr ':' '\n' | sed -n 's,/shims/*$,,p'
    eval "echo ~$(id -un)/.pyenv"
}

candidates() { # the versions that packwire is tested with come first
    echo python3
    for version in 3.13 3.12 3.14 3.11; do
        echo "python$version"
        pyenv_roots | while read -r root; do
            for python in "$root/versions/$version".*/bin/python3; do echo "$python"; done
        done
    done
    for folder in /usr/bin /usr/local/bin /opt/homebrew/bin; do
        for name in python3 python3.13 python3.12 python3.14 python3.11; do echo "$folder/$name"; done
    done
}

if [ -n "${PACKWIRE_PYTHON:-}" ]; then # somebody has chosen: take it, or say why not
    works "$PACKWIRE_PYTHON" && exit
    echo "PACKWIRE_PYTHON is '$PACKWIRE_PYTHON': not a CPython $said that imports: ssl venv${modules:+ $modules}" >&2
    exit 1
fi

found=$(candidates | while read -r python; do works "$python" && break; done) || true
if [ -z "$found" ] && [ -n "${UV:-}" ]; then
    fetched() { "$UV" python find --managed-python --no-python-downloads "$range" 2>/dev/null; }
    found=$(works "$(fetched)") || {
        echo "No Python $said here; fetching one" >&2
        "$UV" python install --no-bin 3.13 2>&1 | tail -n 1 >&2 # the last line names the cause of a failure
        found=$(works "$(fetched)")
    } || true
fi
if [ -z "$found" ]; then
    echo "packwire needs Python $said (CPython; imports: ssl venv${modules:+ $modules}); none was found." >&2
    echo "Install one ('apt install python3 python3-venv', 'brew install python', 'pyenv install 3.13', ...)," >&2
    echo "or name one that is there: PACKWIRE_PYTHON=/path/to/python3 make ..." >&2
    exit 1
fi
echo "$found"
