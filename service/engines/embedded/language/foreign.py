"""Tell a prompt in another language, whose words must not be mended into English ones."""

from __future__ import annotations

import re

from service.engines.embedded.language.lexicon import lexicon
from service.engines.embedded.language.spelling import british, is_word
from service.engines.embedded.language.tokens import plain_letters

_WORD = re.compile(r"[^\W\d_]+")
_LEAST_UNKNOWN = 0.4


def is_foreign(prompt: str) -> bool:
    """Whether a prompt holds small words of another language, and few that are English."""
    words = [plain_letters(word) for word in _WORD.findall(prompt.lower())]
    told = [word for word in words if word in lexicon().foreign or not word.isascii()]
    unknown = [word for word in words if word in told or not is_word(british(word))]
    return bool(told) and len(unknown) >= _LEAST_UNKNOWN * len(words)
