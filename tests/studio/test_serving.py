"""How the studio's files are sent: small, fresh and under headers that let nothing else in."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import aiohttp
import pytest
from PIL import Image, ImageChops, ImageStat

from service.api.studio import CONTENT_TYPES, FOLDER, content_security_policy
from service.settings import Settings
from tests.processes import Process
from tests.studio.browser import VENDOR
from tests.studio.thumbnails import THUMBNAILS, thumbnail

FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())


async def test_the_page_is_found_at_the_root_and_allows_only_itself(studio: Process) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{studio.base}/") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Request-ID"]
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", FILES)
async def test_every_file_is_sent_with_its_type_and_confirmed_by_its_tag(
    studio: Process, path: str
) -> None:
    address = f"{studio.base}/studio/{path}"
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == CONTENT_TYPES[Path(path).suffix]
            assert await response.read() == (FOLDER / path).read_bytes()
            etag = response.headers["ETag"]
        async with session.get(address, headers={"If-None-Match": etag}) as response:
            assert response.status == 304
            assert response.headers["ETag"] == etag
            assert response.headers["Cache-Control"] == "no-cache"
        async with session.head(address) as response:
            assert response.status == 200
            assert await response.read() == b""


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("", False), ("gzip;q=0, br", False)],
)
async def test_text_is_packed_for_whoever_takes_it(
    studio: Process, accepted: str, is_packed: bool
) -> None:
    address = f"{studio.base}/studio/styles/base.css"
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(address, headers={"Accept-Encoding": accepted}) as response,
    ):
        body = await response.read()
        assert response.headers["Vary"] == "Accept-Encoding"
        assert ("Content-Encoding" in response.headers) is is_packed
    assert (gzip.decompress(body) if is_packed else body) == (
        FOLDER / "styles" / "base.css"
    ).read_bytes()


@pytest.mark.parametrize(
    "path", ["nothing.js", "../app.py", "%2e%2e/app.py", "..%2fapp.py", "samples", "/etc/passwd"]
)
async def test_nothing_but_the_studios_files_is_sent(studio: Process, path: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{studio.base}/studio/{path}") as response:
            assert response.status == 404
            assert (await response.json())["code"] == "not_found"
        async with session.post(f"{studio.base}/studio/index.html") as response:
            assert response.status == 405


def test_images_may_come_from_wherever_the_service_keeps_them() -> None:
    behind_a_proxy = Settings(public_url="https://logos.example/refiner")
    assert "img-src 'self' blob: https://logos.example;" in content_security_policy(behind_a_proxy)
    in_a_bucket = Settings(storage_url="gs://bucket/images")
    assert "https://storage.googleapis.com" in content_security_policy(in_a_bucket)
    in_an_emulator = Settings(
        storage_url="gs://bucket/images", storage_emulator_host="http://127.0.0.1:9023"
    )
    assert "http://127.0.0.1:9023" in content_security_policy(in_an_emulator)
    on_a_network = Settings(
        storage_url="gs://bucket/images", storage_cdn_url="https://cdn.example/images"
    )
    assert "https://cdn.example;" in content_security_policy(on_a_network)
    from_outside = Settings(image_hosts=("pictures.example",))
    assert " pictures.example;" in content_security_policy(from_outside)


@pytest.mark.parametrize("sample", sorted(THUMBNAILS.parent.glob("*.png")), ids=lambda p: p.stem)
def test_the_small_samples_show_the_large_ones(sample: Path) -> None:
    with (
        Image.open(THUMBNAILS / sample.name) as kept,
        Image.open(io.BytesIO(thumbnail(sample))) as due,
    ):
        difference = ImageChops.difference(kept.convert("RGBA"), due.convert("RGBA"))
    most = max(ImageStat.Stat(difference).mean)
    assert most < 1, "run `python -m tests.studio.thumbnails`"


def test_what_others_made_stands_beside_its_licence() -> None:
    assert "SIL Open Font License" in (FOLDER / "fonts" / "LICENSE.txt").read_text()
    assert "Mozilla Public License" in (VENDOR / "LICENSE").read_text()
    assert "mozilla.org/MPL/2.0" in (VENDOR / "axe.min.js").read_text()[:600]
