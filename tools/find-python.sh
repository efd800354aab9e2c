#!/bin/sh
# Print the path of a Python that truly runs, is new enough and can make a venv; or one line that
# says what to install, and fail. A name on the PATH proves nothing: it may be a shim that fails.
set -u

names="python3.13 python3.12 python3.14 python3 python"
# pyenv's shims obey the folder one is in; the interpreters behind them always work
shims=$(printf '%s\n' "$PATH" | tr ':' '\n' | sed -n 's|/shims/*$|/versions|p')
home=${HOME:-/nonexistent}
places="$shims ${PYENV_ROOT:-$home/.pyenv}/versions $home/.local/share/uv/python"

probe='
import sys
if sys.version_info < (3, 12):
    sys.exit(3)
try:
    import ensurepip, ssl, venv, zlib
except ImportError as error:
    print("Python %d.%d" % sys.version_info[:2], "at", sys.executable, "has no", error.name)
    sys.exit(4)
print(getattr(sys, "_base_executable", "") or sys.executable)
'

candidates() {
    for name in $names; do
        command -v "$name"
    done
    for place in $places; do
        for version in 3.13 3.12 3.14 3; do
            for found in "$place"/*"$version".*/bin/python3; do
                [ -x "$found" ] && echo "$found"
            done
        done
    done
}

unfit=
for candidate in $(candidates); do
    said=$("$candidate" -I -c "$probe" 2>/dev/null)
    case $? in
    0)
        echo "$said"
        exit 0
        ;;
    4) unfit=${unfit:-$said} ;;
    esac
done

if [ -n "$unfit" ]; then
    version=${unfit#Python }
    echo "$unfit: install it, on Debian and Ubuntu with apt-get install python${version%% *}-venv" >&2
else
    echo "Python 3.12 or newer is missing: install it, for example with" \
        "'uv python install 3.13' or 'pyenv install 3.13'" >&2
fi
exit 1
