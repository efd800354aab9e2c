"""What can go wrong, as classes to catch; `code` is the API's own word for it."""

from __future__ import annotations

from http import HTTPStatus

from .records import Json, Task

TOO_MUCH = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class ClientError(Exception):
    """Something did not work. `code` is of the service's catalogue, and the text is for people."""

    def __init__(self, code: str, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.request_id = request_id


class SignInRequired(ClientError):
    """The token is missing, wrong or expired, or guests are not welcome."""


class Missing(ClientError):
    """There is no such thing, or it belongs to someone else."""


class QuotaExceeded(ClientError):
    """This month's refinements are used up."""


class Refused(ClientError):
    """The service will not do it as it was asked."""


class Unavailable(ClientError):
    """The service could not be reached, or did not work, for as long as there was patience."""


class AlreadyActive(ClientError):
    """Another refinement of the user is under way; `task` is that one."""

    def __init__(self, task: Task) -> None:
        super().__init__("task_active", task.message)
        self.task = task


class TaskFailed(ClientError):
    """The refinement ended without an image; `task` says why, its report perhaps in detail."""

    def __init__(self, task: Task) -> None:
        super().__init__(task.error_code or "internal_error", task.error_message or task.message)
        self.task = task


def refusal(status: int, problem: Json, request_id: str | None) -> ClientError:
    """The error that an answer stands for; also one that is not of this service."""
    document = problem if isinstance(problem, dict) else {}
    code = str(document.get("code", f"http_{status}"))
    message = str(document.get("detail", f"The service answered {status}."))
    wrong = [
        f"{'.'.join(map(str, error.get('loc', [])))}: {error.get('message', '')}"
        for error in document.get("errors", [])
        if isinstance(error, dict)
    ]
    kind: type[ClientError]
    match status:
        case HTTPStatus.UNAUTHORIZED:
            kind = SignInRequired
        case HTTPStatus.NOT_FOUND:
            kind = Missing
        case _ if code == "quota_exceeded":
            kind = QuotaExceeded
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in TOO_MUCH:
            kind = Unavailable
        case _:
            kind = Refused
    return kind(code, " ".join([message, *wrong]), request_id=request_id)
