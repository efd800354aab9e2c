"""Keep the secrets that a deployment without configured ones makes for itself."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SECRET_BYTES = 32


def embedded_secret(data_dir: Path, name: str) -> bytes:
    """The secret of that name in the data folder, made at the first call; 64 ASCII characters.

    Safe when several processes start at once: all get the same one, and never half of it.
    """
    path = data_dir / "secrets" / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_hex(SECRET_BYTES).encode())
            file.flush()
            os.fsync(file.fileno())
        try:
            # a hard link appears whole or not at all, and the first one wins
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
