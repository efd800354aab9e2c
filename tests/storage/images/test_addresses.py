"""Which addresses are ours: every way to write one that we made, and nothing that only looks so."""

from __future__ import annotations

import pytest

from storage.images.addresses import Places

USER = "00000000-0000-4000-8000-000000000001"
NAME = "00000000-0000-4000-8000-000000000002.png"
KEY = f"{USER}/{NAME}"

ROOTS = Places(
    "https://refiner.test/images",
    "http://127.0.0.1:8080/images",
    "http://[::1]:8080/images",
    "https://proxy.test/a/refiner/images/",
    "https://bücher.test/images",
    "https://storage.googleapis.com/bucket/some/prefix",
    "https://cdn.test",
    "http://old.test:80/images",
)

OURS = [
    f"https://refiner.test/images/{KEY}",
    f"https://refiner.test/images/{KEY}?exp=1&sig=x",
    f"https://refiner.test/images/{KEY}?",
    f"https://refiner.test/images/{KEY}#",
    f"https://refiner.test/images/{KEY}#a/b?c",
    f"https://refiner.test/images/{KEY}?x=http://other.test/",
    f"HTTPS://refiner.test/images/{KEY}",
    f"https://Refiner.TEST/images/{KEY}",
    f"https://refiner.test:443/images/{KEY}",
    f"https://refiner.test:/images/{KEY}",
    f"https://refiner.test/images/{USER}/%30{NAME[1:]}",
    f"https://refiner.test/images/{USER}/{NAME.replace('.', '%2E')}",
    f"https://refiner.test/images/{USER}/{NAME.replace('.', '%2e')}",
    f"https://refiner.test/%69mages/{KEY}",
    f"http://127.0.0.1:8080/images/{KEY}",
    f"http://[::1]:8080/images/{KEY}",
    f"https://proxy.test/a/refiner/images/{KEY}",
    f"https://bücher.test/images/{KEY}",
    f"https://BÜCHER.test/images/{KEY}",
    f"https://xn--bcher-kva.test/images/{KEY}",
    f"https://storage.googleapis.com/bucket/some/prefix/{KEY}?X-Goog-Signature=00",
    f"https://cdn.test/{KEY}",
    f"http://old.test/images/{KEY}",
]

NOT_OURS = [
    "",
    "/",
    KEY,
    f"/images/{KEY}",
    f"//refiner.test/images/{KEY}",
    f"refiner.test/images/{KEY}",
    f"https:refiner.test/images/{KEY}",
    f"https:/refiner.test/images/{KEY}",
    f"https:///refiner.test/images/{KEY}",
    f"http://refiner.test/images/{KEY}",
    f"ftp://refiner.test/images/{KEY}",
    f"file:///images/{KEY}",
    f"https://refiner.test:80/images/{KEY}",
    f"https://refiner.test:8443/images/{KEY}",
    f"https://refiner.test:0/images/{KEY}",
    f"https://refiner.test:99999/images/{KEY}",
    f"https://refiner.test:443x/images/{KEY}",
    f"https://refiner.test:٤٤٣/images/{KEY}",
    f"http://127.0.0.1/images/{KEY}",
    f"http://127.1:8080/images/{KEY}",
    f"http://localhost:8080/images/{KEY}",
    f"https://refiner.test./images/{KEY}",
    f"https://refiner.test.evil.test/images/{KEY}",
    f"https://evilrefiner.test/images/{KEY}",
    f"https://evil.test/refiner.test/images/{KEY}",
    f"https://evil.test/images/{KEY}",
    f"https://evil.test?https://refiner.test/images/{KEY}",
    f"https://evil.test#https://refiner.test/images/{KEY}",
    f"https://user@refiner.test/images/{KEY}",
    f"https://user:password@refiner.test/images/{KEY}",
    f"https://@refiner.test/images/{KEY}",
    f"https://refiner.test@evil.test/images/{KEY}",
    f"https://evil.test\\@refiner.test/images/{KEY}",
    f"https://refiner.test\\images/{KEY}",
    f"https://refiner.test/images\\{KEY}",
    f"https://refiner.test%2fimages/{KEY}",
    f"https://refiner%2etest/images/{KEY}",
    f"https://[refiner.test]/images/{KEY}",
    f"https://[::1/images/{KEY}",
    f"https:// refiner.test/images/{KEY}",
    f" https://refiner.test/images/{KEY}",
    f"https://refiner.test/images/{KEY} ",
    f"https://refiner.test/images/{KEY}\n",
    f"https://refiner.test/ima\tges/{KEY}",
    f"https://refi\nner.test/images/{KEY}",
    f"https://refiner.test/images/{KEY}\x00",
    f"https://refiner.test/images//{KEY}",
    f"https://refiner.test//images/{KEY}",
    f"https://refiner.test/images/./{KEY}",
    f"https://refiner.test/images/../images/{KEY}",
    f"https://refiner.test/x/../images/{KEY}",
    f"https://refiner.test/images/%2e%2e/images/{KEY}",
    f"https://refiner.test/images/{KEY}/",
    f"https://refiner.test/images/{KEY}/..",
    f"https://refiner.test/images/{KEY};x",
    f"https://refiner.test/images/{USER}%2F{NAME}",
    f"https://refiner.test/images%2F{KEY}",
    f"https://refiner.test/images/{USER}/{NAME}%00",
    f"https://refiner.test/images/{USER}/{NAME}%0a",
    f"https://refiner.test/images/{USER}/{NAME}%",
    f"https://refiner.test/images/{USER}/{NAME}%zz",
    f"https://refiner.test/images/{USER}/%2530{NAME[1:]}",
    f"https://refiner.test/images/{USER}/%ff{NAME}",
    f"https://refiner.test/images/{USER}/{NAME.upper()}",
    f"https://refiner.test/Images/{KEY}",
    f"https://refiner.test/image/{KEY}",
    f"https://refiner.test/imagesx/{KEY}",
    f"https://refiner.test/{KEY}",
    f"https://refiner.test/images/{USER}",
    f"https://refiner.test/images/{NAME}",
    "https://refiner.test/images/",
    "https://refiner.test/images",
    "https://refiner.test",
    f"https://refiner.test/images/x/{KEY}",
    f"https://refiner.test/x/images/{KEY}",
    f"https://refiner.test/images/{USER}/０{NAME[1:]}",
    f"https://proxy.test/images/{KEY}",
    f"https://proxy.test/a/images/{KEY}",
    f"https://storage.googleapis.com/bucket/some/{KEY}",
    f"https://storage.googleapis.com/bucket/some/prefix-2/{KEY}",
    f"https://storage.googleapis.com/other/some/prefix/{KEY}",
    f"https://bucket.storage.googleapis.com/some/prefix/{KEY}",
    f"https://cdn.test/x/{KEY}",
    f"https://refiner.test/images/{KEY}\udcff",
    f"https://\udcff/images/{KEY}",
    f"https://{'a' * 64}.ü/images/{KEY}",
]


@pytest.mark.parametrize("url", OURS)
def test_every_way_to_write_an_address_of_ours_leads_to_its_key(url: str) -> None:
    assert ROOTS.key_in(url) == KEY


@pytest.mark.parametrize("url", NOT_OURS, ids=ascii)
def test_an_address_that_only_resembles_ours_leads_nowhere(url: str) -> None:
    assert ROOTS.key_in(url) is None
