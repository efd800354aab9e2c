"""Speak to a refinement service from Python. It needs aiohttp and nothing of the service, so that
this folder can be lifted out.

async with Client("http://localhost:8080") as client:
    task = await client.refine("logo.png", "make it bolder")
    await client.save(task, "bolder.png")
"""

from .client import Client
from .errors import (
    AlreadyActive,
    ClientError,
    Missing,
    QuotaExceeded,
    Refused,
    SignInRequired,
    TaskFailed,
    Unavailable,
)
from .records import Applied, Concept, NotApplied, Quota, Report, Task

__all__ = [
    "AlreadyActive",
    "Applied",
    "Client",
    "ClientError",
    "Concept",
    "Missing",
    "NotApplied",
    "Quota",
    "QuotaExceeded",
    "Refused",
    "Report",
    "SignInRequired",
    "Task",
    "TaskFailed",
    "Unavailable",
]
