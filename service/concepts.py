"""The use cases of concepts that need more than one call: add an upload, delete with the image."""

from __future__ import annotations

from uuid import UUID, uuid4

import structlog

from service.intake import Intake
from storage.concept import Concept, NewImage
from storage.concepts import Concepts
from storage.images.contract import Images, ImageStoreUnavailable

log = structlog.get_logger()

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}


async def add_upload(
    concepts: Concepts,
    images: Images,
    intake: Intake,
    user_id: UUID,
    body: bytes,
    *,
    logo_description: str | None,
    theme_description: str | None,
) -> Concept:
    """Take in an image and make it the root of a new tree.

    Raises `ImageInvalid` and `ImageTooLarge` for files that cannot be taken.
    """
    taken = await intake.take(body)
    image = NewImage(
        f"{user_id}/{uuid4()}{SUFFIXES[taken.content_type]}",
        taken.content_type,
        taken.width,
        taken.height,
    )
    await images.put(image.key, taken.body, content_type=image.content_type)
    return await concepts.add(
        user_id, image, logo_description=logo_description, theme_description=theme_description
    )


async def delete_concept(
    concepts: Concepts, images: Images, user_id: UUID, concept_id: UUID
) -> bool:
    """Delete a concept and its image; False when there is no such concept."""
    key = await concepts.delete(user_id, concept_id)
    if key is None:
        return False
    try:
        await images.delete(key)
    except ImageStoreUnavailable:
        # nobody can reach it any more, and upkeep removes images without a concept
        log.warning("image_left_for_upkeep")
    return True
