"""Concepts: upload, read, list, the tree, delete; and the images behind them."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.api.harness import Service, User, a_png


async def test_an_upload_becomes_a_root_concept(user: User) -> None:
    concept = await user.upload(a_png(40, 30), logo_description="A cup", theme_description="  ")
    assert concept["root_id"] == concept["concept_id"]
    assert concept["parent_id"] is None
    assert concept["parent_deleted"] is False
    assert (concept["width"], concept["height"]) == (40, 30)
    assert concept["content_type"] == "image/png"
    assert (concept["logo_description"], concept["theme_description"]) == ("A cup", None)
    assert concept["created_at"].endswith("Z")
    assert await user.get(f"/api/concepts/{concept['concept_id']}") == concept
    response = await user.try_upload(a_png())
    location = response.headers["Location"]
    assert (await user.get(location))["concept_id"] == (await response.json())["concept_id"]


@pytest.mark.parametrize(
    ("kind", "content_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
async def test_each_kind_of_image_is_taken_for_what_it_is_not_for_its_name(
    user: User, kind: str, content_type: str
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "#73492a").save(file, kind)
    concept = await user.upload(file.getvalue())
    assert concept["content_type"] == content_type
    async with user.session.get(concept["image_url"]) as response:
        assert response.content_type == content_type
        assert "private" in response.headers["Cache-Control"]
        shown = Image.open(io.BytesIO(await response.read()))
    assert shown.size == (32, 32)


async def test_an_image_loads_only_by_its_signed_address(user: User) -> None:
    concept = await user.upload()
    url = concept["image_url"]
    bare = url.partition("?")[0]
    for wrong in (
        bare,
        f"{bare}?exp=9999999999&sig=00",
        url[:-1] + ("0" if url[-1] != "0" else "1"),
    ):
        async with user.session.get(wrong) as response:
            assert response.status == 404, wrong
            assert (await response.json())["code"] == "not_found"


async def test_the_list_pages_through_concepts_newest_first(user: User) -> None:
    made = [(await user.upload())["concept_id"] for _ in range(5)]
    first = await user.request("GET", "/api/concepts?limit=3")
    parts = urlsplit(first.headers["Link"].partition(">")[0][1:])
    rest = await user.request("GET", f"{parts.path}?{parts.query}")
    assert "Link" not in rest.headers
    seen = [c["concept_id"] for c in await first.json() + await rest.json()]
    assert seen == made[::-1]


async def test_the_lineage_is_the_whole_tree_from_any_of_its_members(user: User) -> None:
    root = await user.upload()
    first = await user.ended((await (await user.refine(root["image_url"])).json())["task_id"])
    second = await user.ended((await (await user.refine(first["image_url"])).json())["task_id"])
    branch = await user.ended((await (await user.refine(root["image_url"])).json())["task_id"])
    ids = [root["concept_id"], first["result_id"], branch["result_id"], second["result_id"]]
    for member in ids:
        tree = await user.get(f"/api/concepts/{member}/lineage")
        assert [concept["concept_id"] for concept in tree] == ids
    assert (await user.get("/api/quota"))["refinements"]["used"] == 3


async def test_a_deleted_concept_is_gone_with_its_image_and_its_descendants_stay(
    user: User,
) -> None:
    root = await user.upload()
    child = await user.ended((await (await user.refine(root["image_url"])).json())["task_id"])
    assert (await user.request("DELETE", f"/api/concepts/{root['concept_id']}")).status == 204
    assert (await user.request("GET", f"/api/concepts/{root['concept_id']}")).status == 404
    async with user.session.get(root["image_url"]) as response:
        assert response.status == 404
    assert (await user.refine(root["image_url"])).status == 404
    kept = await user.get(f"/api/concepts/{child['result_id']}")
    assert kept["parent_deleted"] is True
    assert kept["root_id"] == root["concept_id"]


async def test_the_task_that_made_a_deleted_concept_keeps_its_record(user: User) -> None:
    done = await user.ended((await user.begin())["task_id"])
    path = f"/api/tasks/{done['task_id']}"
    before = (await user.request("GET", path)).headers["ETag"]
    assert (await user.request("DELETE", f"/api/concepts/{done['result_id']}")).status == 204
    response = await user.request("GET", path, headers={"If-None-Match": before})
    assert response.status == 200
    kept = await response.json()
    assert kept["image_url"] is None
    assert kept["status"] == "completed"


async def test_a_guest_is_a_fresh_user_each_time(service: Service) -> None:
    first, second = await service.guest(), await service.guest()
    assert first.user_id != second.user_id
    await first.upload()
    assert await second.get("/api/concepts") == []
