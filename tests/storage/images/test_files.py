"""What only files do: signed addresses of our own, durable writes, disks that go away."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from storage.images.contract import ImageMissing, ImageStoreUnavailable
from storage.images.files import WINDOW_S, FileImages, LinkExpired, LinkInvalid

PREFIX = "https://refiner.test/images"
SECRET = b"a secret of the tests"
KEY = f"{uuid4()}/{uuid4()}.png"
NOON_S = 1_800_000_000.0


class Clock:
    """Epoch seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = NOON_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """The clock of `images`, at the beginning of a window."""
    return Clock()


@pytest.fixture
def images(tmp_path: Path, clock: Clock) -> FileImages:
    """An empty store."""
    return FileImages(
        tmp_path / "images", url_prefix=PREFIX, known_prefixes=(), secret=SECRET, clock=clock
    )


def signature_in(url: str) -> tuple[str, str]:
    """`exp` and `sig` of an address."""
    exp, _, sig = url.partition("?exp=")[2].partition("&sig=")
    return exp, sig


@pytest.mark.parametrize("into_window_s", [0, 1, WINDOW_S / 2, WINDOW_S - 1])
async def test_an_address_works_for_half_an_hour_from_any_moment_of_its_window(
    images: FileImages, clock: Clock, into_window_s: float
) -> None:
    first = await images.url(KEY)
    clock.now_s = NOON_S + into_window_s
    assert await images.url(KEY) == first
    clock.now_s += 1_800
    assert images.verify(KEY, *signature_in(first)) >= 0


async def test_an_address_changes_with_the_window(images: FileImages, clock: Clock) -> None:
    first = await images.url(KEY)
    clock.now_s += WINDOW_S
    assert await images.url(KEY) != first
    assert images.key_of(first) == KEY


async def test_an_address_tells_how_long_it_works_on(images: FileImages, clock: Clock) -> None:
    exp_sig = signature_in(await images.url(KEY))
    assert images.verify(KEY, *exp_sig) == 2 * WINDOW_S
    clock.now_s += 1_000.5
    assert images.verify(KEY, *exp_sig) == 2 * WINDOW_S - 1_001


async def test_an_old_address_has_expired(images: FileImages, clock: Clock) -> None:
    exp_sig = signature_in(await images.url(KEY))
    clock.now_s = NOON_S + 2 * WINDOW_S
    with pytest.raises(LinkExpired):
        images.verify(KEY, *exp_sig)


async def test_a_changed_address_is_invalid_even_when_it_would_have_expired(
    images: FileImages, clock: Clock
) -> None:
    exp, sig = signature_in(await images.url(KEY))
    other = f"{uuid4()}/{uuid4()}.png"
    forged = [
        (other, exp, sig),
        (KEY, str(int(exp) + WINDOW_S), sig),
        (KEY, f"+{exp}", sig),
        (KEY, f"0{exp}", sig),
        (KEY, f" {exp}", sig),
        (KEY, exp.translate({ord("0") + digit: 0x660 + digit for digit in range(10)}), sig),
        (KEY, exp, sig.swapcase()),
        (KEY, exp, sig[:-1]),
        (KEY, exp, f"{sig}="),
        (KEY, exp, ""),
        (KEY, exp, "ä"),
        (KEY, exp, "\udcff"),
        (KEY, "", sig),
        (KEY, "", ""),
        (KEY, "\udcff", sig),
        (f"{KEY}\n{exp}", "", sig),
        (KEY[:-1], f"g\n{exp}", sig),
    ]
    for moment_s in (NOON_S, NOON_S + 10 * WINDOW_S):
        clock.now_s = moment_s
        for attempt in forged:
            with pytest.raises(LinkInvalid):
                images.verify(*attempt)


async def test_another_deployment_s_signature_is_invalid(
    images: FileImages, tmp_path: Path, clock: Clock
) -> None:
    stranger = FileImages(
        tmp_path / "x", url_prefix=PREFIX, known_prefixes=(), secret=b"another", clock=clock
    )
    with pytest.raises(LinkInvalid):
        images.verify(KEY, *signature_in(await stranger.url(KEY)))


async def test_a_failed_write_leaves_nothing(images: FileImages, tmp_path: Path) -> None:
    folder = tmp_path / "images" / KEY.partition("/")[0]
    folder.mkdir()
    # a folder where the file has to go makes the last step fail
    (tmp_path / "images" / KEY).mkdir()
    with pytest.raises(ImageStoreUnavailable):
        await images.put(KEY, b"body", content_type="image/png")
    assert [path.name for path in folder.iterdir()] == [KEY.partition("/")[2]]


KILLED_WRITER = """
import asyncio, os, sys
from pathlib import Path
from storage.images import files

def die(draft, path):
    os.kill(os.getpid(), 9)

os.replace = die
images = files.FileImages(
    Path(sys.argv[1]), url_prefix="http://x.test/images", known_prefixes=(), secret=b"x")
asyncio.run(images.put(sys.argv[2], bytes(100_000), content_type="image/png"))
"""


async def test_a_writer_killed_in_the_middle_leaves_no_image_and_nothing_hidden(
    images: FileImages, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    (folder / KEY).parent.mkdir()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WRITER, str(folder), KEY], check=False, timeout=30
    )
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(ImageMissing):
        await images.get(KEY, max_bytes=1_000_000)
    left = [image async for image in images.list()]
    assert len(left) == 1, "what it left is listed, so that housekeeping finds it"
    assert left[0].key.startswith(f"{KEY}.")
    await images.delete(left[0].key)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


async def test_an_image_and_its_name_are_on_the_disk_before_anyone_is_told(
    images: FileImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor: int) -> None:
        is_folder = Path(f"/proc/self/fd/{descriptor}").is_dir()
        steps.append("sync folder" if is_folder else "sync file")
        fsync(descriptor)

    def note_replace(path: str, target: str) -> None:
        steps.append("name")
        replace(path, target)

    (images._folder / KEY).parent.mkdir()
    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    await images.put(KEY, b"body", content_type="image/png")
    assert steps == ["name", "sync file", "sync folder"]


async def test_an_image_that_cannot_be_made_durable_is_not_there(
    images: FileImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    (images._folder / KEY).parent.mkdir()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(ImageStoreUnavailable):
            await images.put(KEY, b"body", content_type="image/png")
    with pytest.raises(ImageMissing):
        await images.get(KEY, max_bytes=1_000)


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system takes no advice")
async def test_a_file_system_that_takes_no_advice_keeps_images_all_the_same(
    images: FileImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(descriptor: int, *_advice: int) -> None:
        asked.append(descriptor)
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    await images.put(KEY, b"image", content_type="image/png")
    assert len(asked) == 1
    assert await images.get(KEY, max_bytes=5) == b"image"


async def test_images_that_are_written_together_fail_each_for_itself(
    images: FileImages, tmp_path: Path
) -> None:
    keys = [f"{uuid4()}/{uuid4()}.png" for _ in range(6)]
    (tmp_path / "images" / keys[2]).mkdir(parents=True)
    ended = await asyncio.gather(
        *(images.put(key, key.encode(), content_type="image/png") for key in keys),
        return_exceptions=True,
    )
    assert [type(end) for end in ended] == [
        ImageStoreUnavailable if place == 2 else type(None) for place in range(6)
    ]
    for key in (*keys[:2], *keys[3:]):
        assert await images.get(key, max_bytes=1_000) == key.encode()
    files = [path for path in (tmp_path / "images").rglob("*") if path.is_file()]
    assert len(files) == 5


async def test_images_are_for_the_service_s_own_account(images: FileImages, tmp_path: Path) -> None:
    await images.put(KEY, b"body", content_type="image/png")
    folders = [path for path in (tmp_path / "images").rglob("*") if path.is_dir()]
    assert [oct(path.stat().st_mode & 0o077) for path in [tmp_path / "images", *folders]] == [
        "0o0",
        "0o0",
    ]


async def test_a_lost_disk_is_not_a_lost_image(images: FileImages, tmp_path: Path) -> None:
    await images.put(KEY, b"body", content_type="image/png")
    (tmp_path / "images").rename(tmp_path / "unplugged")
    with pytest.raises(ImageStoreUnavailable):
        await images.get(KEY, max_bytes=100)
    with pytest.raises(ImageStoreUnavailable):
        await images.put(KEY, b"body", content_type="image/png")
    assert not (tmp_path / "images").exists(), "a write into the mount point would be lost"
    (tmp_path / "unplugged").rename(tmp_path / "images")
    assert await images.get(KEY, max_bytes=100) == b"body"


async def test_a_prefix_has_to_be_a_web_address(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="http or https"):
        FileImages(tmp_path, url_prefix="refiner.test", known_prefixes=(), secret=SECRET)
