"""`python -m service.client`: what a person sees, what a script gets."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port
from PIL import Image

from service.client import Client
from service.client.__main__ import main
from service.engines.contract import EngineFailed
from tests.api.harness import Service
from tests.client.conftest import PICTURE, QUOTA
from tests.processes import ROOT
from tests.scripted import ScriptedEngine

LIMIT_S = 60


@pytest.fixture
def logo(tmp_path: Path) -> str:
    """A picture to refine."""
    path = tmp_path / "logo.png"
    path.write_bytes(PICTURE)
    return str(path)


async def shell(*words: str, stderr: int = PIPE) -> Process:
    """The command as its users start it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service.client", *words),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", "PYTHONUTF8": "1"},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=stderr,
    )


async def run(*words: str) -> int:
    """The exit code of the command."""
    return await asyncio.to_thread(main, words)


async def test_a_picture_is_refined_from_the_shell(
    service: Service, logo: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    process = await shell("--url", service.base, "refine", logo, "make it bolder", "-o", str(out))
    async with asyncio.timeout(LIMIT_S):
        output, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert output.decode() == f"{out}: make it bolder\n"
    with Image.open(out) as image:
        image.load()
        assert image.size == (40, 30)


async def test_at_a_terminal_it_shows_how_far_it_is(
    service: Service, engine: ScriptedEngine, logo: str, tmp_path: Path
) -> None:
    gate = engine.hold()
    ours, theirs = pty.openpty()
    words = ("--url", service.base, "refine", logo, "bolder", "-o", str(tmp_path / "out.png"))
    process = await shell(*words, stderr=theirs)
    os.close(theirs)
    shown = ""
    async with asyncio.timeout(LIMIT_S):
        while "Working on it" not in shown:
            shown += (await asyncio.to_thread(os.read, ours, 4_096)).decode(errors="replace")
        gate.set()
        await process.communicate()
    os.close(ours)
    assert process.returncode == 0
    assert "█" * 12 + "░" * 12 + "  50%  Working on it" in shown


async def test_ctrl_c_cancels_the_task(
    service: Service, engine: ScriptedEngine, logo: str, tmp_path: Path
) -> None:
    engine.hold()
    out = tmp_path / "out.png"
    async with Client(service.base) as client:
        words = ("--url", service.base, "--token", client.token)
        process = await shell(*words, "refine", logo, "bolder", "-o", str(out))
        async with asyncio.timeout(LIMIT_S):
            while not engine.calls:
                await client.quota()
            process.send_signal(signal.SIGINT)
            _, errors = await process.communicate()
        assert [task.error_code async for task in client.tasks()] == ["canceled"]
    assert (process.returncode, errors) == (130, b"Canceled.\n")
    assert not out.exists()


async def test_what_was_begun_is_listed_shown_downloaded_and_canceled(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token, out = tmp_path / "token", tmp_path / "out.png"
    address = ("--url", service.base)
    async with asyncio.timeout(LIMIT_S):
        printed, _ = await (await shell(*address, "sign-in")).communicate()
    token.write_bytes(printed)
    who = (*address, "--token-file", str(token))
    async with Client(service.base, token.read_text().strip()) as client:
        task = await client.start(PICTURE, "bolder")
        assert await run(*who, "download", task.id, "-o", str(out)) == 0
        assert out.read_bytes() == await client.image(await client.task(task.id))
    capsys.readouterr()
    for words in (("list",), ("list", "--status", "completed"), ("show", task.id)):
        assert await run(*who, *words) == 0
        assert task.id in capsys.readouterr().out
    assert await run(*who, "cancel", task.id) == 0
    assert "completed" in capsys.readouterr().out


async def test_the_exit_code_tells_how_it_ended(
    service: Service, engine: ScriptedEngine, logo: str, tmp_path: Path
) -> None:
    out = ("-o", str(tmp_path / "out.png"))
    async with Client(service.base) as client:
        who = ("--url", service.base, "--token", client.token)
        engine.fail(EngineFailed())
        assert await run(*who, "refine", logo, "bolder", *out) == 1
        assert await run(*who, "refine", str(tmp_path / "none.png"), "bolder", *out) == 2
        assert await run(*who, "refine", logo, " ", *out) == 3
        assert await run(*who, "show", "nothing") == 3
        gate = engine.hold()
        task = await client.start(PICTURE, "bolder")
        assert await run(*who, "refine", logo, "bolder", *out) == 4
        gate.set()
        assert await run(*who, "download", task.id, *out) == 0
        for _ in range(QUOTA - 1):
            assert await run(*who, "refine", logo, "bolder", *out) == 0
        assert await run(*who, "refine", logo, "bolder", *out) == 5


async def test_a_token_that_cannot_be_one_is_3(service: Service) -> None:
    assert await run("--url", service.base, "--token", "two\nlines", "list") == 3


async def test_a_service_that_is_away_is_6(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("service.client.__main__.PATIENCE_S", 0.1)
    assert await run("--url", f"http://127.0.0.1:{unused_port()}", "sign-in") == 6
    assert capsys.readouterr().err.startswith("Cannot reach http://127.0.0.1:")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("refine", "logo.png", "bolder"),
        ("refine", "logo.png", "bolder", "-o", "/nowhere/at/all.png"),
        ("--url", "localhost:8080", "sign-in"),
        ("list",),
    ],
)
def test_a_wrong_command_line_is_2(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(words)
    assert raised.value.code == 2
