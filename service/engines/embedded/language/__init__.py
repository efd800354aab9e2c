"""Read a plain-language instruction into a plan; knows words and no pixels."""

from service.engines.embedded.language.reader import read

__all__ = ["read"]
