"""`make install` finds a Python that works, and installs once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
# a shim of pyenv where its folder asks for a version that is not installed
BROKEN = "echo 'python3.13: command not found' >&2; exit 127"
TOO_OLD = "exit 3"
WITHOUT_ENSUREPIP = (
    f"exec '{PYTHON}' -c 'import sys; sys.modules[\"ensurepip\"] = None; exec(sys.argv[1])' \"$3\""
)


def find_python(path: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "tools/find-python.sh"],
        cwd=ROOT,
        env={"PATH": str(path), "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH with what the script itself needs, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("tr", "sed"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def put(file: Path, script: str) -> None:
    """Make a program of a line of shell."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_a_shim_that_fails_is_passed_over(path: Path, tmp_path: Path) -> None:
    put(path / "python3.13", BROKEN)
    put(path / "python3.12", TOO_OLD)
    put(path / "python3", f"exec '{PYTHON}' \"$@\"")
    found = find_python(path, tmp_path)
    assert found.returncode == 0, found.stderr
    assert Path(found.stdout.strip()).samefile(PYTHON)


def test_pythons_behind_shims_are_found_where_the_shims_all_fail(
    path: Path, tmp_path: Path
) -> None:
    shims = tmp_path / "pyenv" / "shims"
    put(shims / "python3", BROKEN)
    put(tmp_path / "pyenv/versions/3.13.0/bin/python3", f"exec '{PYTHON}' \"$@\"")
    found = find_python(Path(f"{shims}:{path}"), tmp_path)
    assert Path(found.stdout.strip()).samefile(PYTHON)


def test_pythons_of_pyenv_are_found_without_its_shims(path: Path, tmp_path: Path) -> None:
    put(tmp_path / ".pyenv/versions/3.12.1/bin/python3", f"exec '{PYTHON}' \"$@\"")
    assert find_python(path, tmp_path).returncode == 0


def test_without_a_new_python_one_line_says_what_to_install(path: Path, tmp_path: Path) -> None:
    put(path / "python3", TOO_OLD)
    found = find_python(path, tmp_path)
    assert found.returncode == 1
    assert found.stderr.startswith("Python 3.12 or newer is missing: install it")
    assert found.stderr.count("\n") == 1


def test_a_python_that_cannot_make_a_venv_is_named_with_the_package_it_needs(
    path: Path, tmp_path: Path
) -> None:
    put(path / "python3", WITHOUT_ENSUREPIP)
    found = find_python(path, tmp_path)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert found.returncode == 1
    assert "has no ensurepip" in found.stderr
    assert f"apt-get install python{version}-venv" in found.stderr
    assert found.stderr.count("\n") == 1


def test_an_installation_happens_once_and_one_that_was_cut_off_is_made_anew(
    tmp_path: Path,
) -> None:
    project = tmp_path / "a project"
    shutil.copytree(ROOT / "tools", project / "tools")
    for lock in ("requirements.lock", "requirements-test.lock"):
        (project / lock).touch()
    install = ["/bin/sh", str(project / "tools/install.sh"), "requirements.lock"]

    at_once = [subprocess.Popen(install, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(one.communicate()[0].count("Making") for one in at_once) == [0, 1]
    assert [one.returncode for one in at_once] == [0, 0]

    again = subprocess.run(install, capture_output=True, text=True, check=True)
    assert again.stdout + again.stderr == ""

    (project / ".venv/requirements.lock").unlink()
    (project / ".venv/half a package").touch()
    assert "Making" in subprocess.run(install, capture_output=True, text=True, check=True).stdout
    assert not (project / ".venv/half a package").exists()
