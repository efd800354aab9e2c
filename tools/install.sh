#!/bin/sh
# Make .venv with exactly the packages of a lock file, or do nothing when they are there already.
#   sh tools/install.sh requirements.lock
set -eu
cd "$(dirname "$0")/.."
lock=$1
base=requirements.lock
unset PYTHONHOME PYTHONPATH

# What was installed where: the mark is written last, so an interrupted installation has none, and
# a folder that was moved, whose scripts point to where it was, does not count.
mark() { printf '%s\n' "$PWD" | cat - "$1"; }
is_installed() {
    mark "$1" | cmp -s - ".venv/$1" && .venv/bin/python -c '' 2>/dev/null
}

is_installed "$lock" && exit 0

# two at once: one installs, the other waits and finds it done
if command -v flock >/dev/null; then
    exec 9<.
    flock 9
    is_installed "$lock" && exit 0
fi

installed=
if is_installed "$base"; then
    # the lock files agree with each other, so that what one has installed stays under another
    for other in requirements*.lock; do
        if is_installed "$other"; then installed="$installed $other"; fi
    done
    rm -f .venv/*.lock
else
    python=$(sh tools/find-python.sh)
    rm -rf .venv
    echo "Making .venv with $python"
    "$python" -m venv .venv
fi
echo "Installing the packages of $lock, which takes about a minute the first time"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --require-hashes --requirement "$lock"
# what an editable installation comes to, without build tools from outside the lock file
echo "$PWD" >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/project.pth"
for file in $base $lock $installed; do
    mark "$file" >".venv/$file"
done
