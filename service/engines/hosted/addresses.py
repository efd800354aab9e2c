"""Decide where a request may go that a provider's own answer asks for."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}


def same_origin(url: str, base: str) -> bool:
    """Whether both lie at one scheme, host and port."""
    one, other = _parts(url), _parts(base)
    return one is not None and other is not None and _origin(one) == _origin(other)


def may_carry_key(url: str, base: str, domain: str) -> bool:
    """Whether a key may be sent there: to where the operator said, or over https to the provider's
    own domain."""
    if same_origin(url, base):
        return True
    parts, home = _parts(url), _parts(base)
    if parts is None or home is None or _origin(parts)[::2] != ("https", 443):
        return False
    # an operator who set another host does not expect the key anywhere else
    return _within(parts, domain) and _within(home, domain)


def may_download(url: str, base: str) -> bool:
    """Whether a result may be fetched from there, without a key."""
    parts = _parts(url)
    return same_origin(url, base) or (parts is not None and parts.scheme == "https")


def _parts(url: str) -> SplitResult | None:
    """The parts of a plain web address, None for anything else."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme in _PORTS and parts.hostname and "@" not in parts.netloc
        if not plain or parts.port == 0 or any(c <= " " or c in "\\\x7f" for c in url):
            return None
    except ValueError:
        return None
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _within(parts: SplitResult, domain: str) -> bool:
    host = parts.hostname or ""
    return host == domain or host.endswith(f".{domain}")
