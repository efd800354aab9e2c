"""A key goes to where the operator said or to the provider's own hosts, and nowhere else."""

from __future__ import annotations

import pytest

from service.engines.hosted.addresses import may_carry_key, may_download

BFL = ("https://api.bfl.ai", "bfl.ai")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.bfl.ai/v1/get_result?id=1",
        "https://api.bfl.ai:443/v1/get_result",
        "https://api.eu1.bfl.ai/v1/get_result",
        "https://bfl.ai/",
    ],
)
def test_a_key_may_go_to_the_provider_s_hosts(url: str) -> None:
    assert may_carry_key(url, *BFL)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.bfl.ai/v1/get_result",
        "https://api.bfl.ai:8443/",
        "https://evilbfl.ai/",
        "https://bfl.ai.evil.test/",
        "https://api.bfl.ai@evil.test/",
        "https://evil.test/?api.bfl.ai",
        "https://evil.test\\@api.bfl.ai/",
        "https://api.bfl.ai\n.evil.test/",
        "//api.bfl.ai/",
        "ftp://api.bfl.ai/",
        "https://[::1/",
        "https://api.bfl.ai:99999/",
        "",
    ],
)
def test_a_key_may_not_go_to_what_only_looks_like_them(url: str) -> None:
    assert not may_carry_key(url, *BFL)


def test_behind_an_operator_s_own_address_the_provider_s_hosts_do_not_count() -> None:
    assert may_carry_key("http://proxy.test:9000/x", "http://proxy.test:9000", "bfl.ai")
    assert not may_carry_key("https://api.bfl.ai/x", "http://proxy.test:9000", "bfl.ai")
    assert not may_carry_key("http://proxy.test:9001/x", "http://proxy.test:9000", "bfl.ai")


def test_an_image_comes_over_https_or_from_the_operator_s_own_address() -> None:
    assert may_download("https://delivery.test/a.png", "https://api.bfl.ai")
    assert may_download("http://localhost:8080/a.png", "http://localhost:8080/v1")
    assert not may_download("http://delivery.test/a.png", "https://api.bfl.ai")
    assert not may_download("file:///etc/passwd", "https://api.bfl.ai")
    assert not may_download("https://key@delivery.test/a.png", "https://api.bfl.ai")
