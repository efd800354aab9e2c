"""Get the image that a task begins with: a concept's own, or one from outside that is to become a
concept."""

from __future__ import annotations

from service.engines.contract import EngineError, SourceInvalid, SourceTooLarge
from service.fetching import Fetcher, FetchFailed, FetchRefused, FetchTooLarge
from service.intake import MAX_BODY_BYTES, ImageInvalid, ImageTooLarge, Intake
from storage.concept import NewImage
from storage.images.contract import ImageMissing, Images, ImageStoreUnavailable
from storage.images.contract import ImageTooLarge as StoredImageTooLarge
from storage.task import Task

SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
}


class SourceUnavailable(EngineError):
    """The image to refine is not available any more."""

    code = "source_unavailable"


class SourceUnreachable(EngineError):
    """The image to refine could not be fetched."""

    code = "source_unavailable"
    retryable = True


async def source_of(
    task: Task, images: Images, fetcher: Fetcher, intake: Intake
) -> tuple[bytes, NewImage | None]:
    """The original's bytes, and what to keep of it when it came from outside.

    Raises `EngineError`s that say what the person should hear.
    """
    if task.concept_id is None:
        return await _fetched(task, images, fetcher, intake)
    if task.source_key is None:
        raise SourceUnavailable(SourceUnavailable.__doc__)
    try:
        # what an engine has made of an upload may be larger than the upload
        return await images.get(task.source_key, max_bytes=4 * MAX_BODY_BYTES), None
    except ImageMissing as error:
        raise SourceUnavailable(SourceUnavailable.__doc__) from error
    except StoredImageTooLarge as error:
        raise SourceTooLarge(SourceTooLarge.__doc__) from error
    except ImageStoreUnavailable as error:
        raise SourceUnreachable(SourceUnreachable.__doc__) from error


async def _fetched(
    task: Task, images: Images, fetcher: Fetcher, intake: Intake
) -> tuple[bytes, NewImage]:
    try:
        taken = await intake.take(await fetcher.fetch(task.source_url))
    except FetchRefused as error:
        raise SourceUnavailable(SourceUnavailable.__doc__) from error
    except FetchFailed as error:
        raise SourceUnreachable(SourceUnreachable.__doc__) from error
    except (FetchTooLarge, ImageTooLarge) as error:
        raise SourceTooLarge(SourceTooLarge.__doc__) from error
    except ImageInvalid as error:
        raise SourceInvalid(SourceInvalid.__doc__) from error
    key = f"{task.user_id}/{task.id}-{task.attempt}-source{SUFFIXES[taken.content_type]}"
    await images.put(key, taken.body, content_type=taken.content_type)
    return taken.body, NewImage(key, taken.content_type, taken.width, taken.height)
