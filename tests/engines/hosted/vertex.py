"""Gemini by way of Vertex AI: a service account whose tokens come from the stub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.engines.hosted.stub import Stub


def a_key_file(path: Path, token_uri: str) -> Path:
    """A service account's key file with a key of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "robot@project.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }
    path.write_text(json.dumps(account))
    return path


def vertex_settings(stub: Stub, folder: Path) -> dict[str, Any]:
    """What an operator would set beside `ENGINE=gemini`."""
    return {
        "google_genai_use_vertexai": True,
        "google_vertex_base_url": stub.base,
        "google_cloud_project": "project",
        "google_application_credentials": str(
            a_key_file(folder / "key.json", f"{stub.base}/token")
        ),
    }
