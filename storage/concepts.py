"""Concepts as their owners see them: add an upload, read, list, follow the tree, delete."""

from __future__ import annotations

from uuid import UUID

from storage.concept import Concept, NewImage
from storage.database import Database
from storage.records import concept_from
from storage.tasks import Position


class Concepts:
    """One method, one statement. A deleted concept is invisible to all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        user_id: UUID,
        image: NewImage,
        *,
        logo_description: str | None,
        theme_description: str | None,
    ) -> Concept:
        """Keep an uploaded image as the root of a new tree."""
        row = await self._database.fetchrow(
            """
            INSERT INTO concept (id, user_id, root_id, image_key, content_type, width, height,
                logo_description, theme_description)
            SELECT new.id, $1, new.id, $2, $3, $4, $5, $6, $7
            FROM (SELECT gen_random_uuid() AS id) AS new
            RETURNING *, false AS parent_deleted
            """,
            user_id,
            image.key,
            image.content_type,
            image.width,
            image.height,
            logo_description,
            theme_description,
        )
        assert row is not None
        return concept_from(row)

    async def get(self, user_id: UUID, concept_id: UUID) -> Concept | None:
        """The user's concept."""
        row = await self._database.fetchrow(
            """
            SELECT concept.*, parent.deleted_at IS NOT NULL AS parent_deleted
            FROM concept LEFT JOIN concept AS parent ON parent.id = concept.parent_id
            WHERE concept.id = $2 AND concept.user_id = $1 AND concept.deleted_at IS NULL
            """,
            user_id,
            concept_id,
        )
        return concept_from(row) if row else None

    async def page(self, user_id: UUID, *, after: Position | None, limit: int) -> list[Concept]:
        """The user's concepts, newest first, from just after a position."""
        rows = await self._database.fetch(
            """
            SELECT concept.*, parent.deleted_at IS NOT NULL AS parent_deleted
            FROM concept LEFT JOIN concept AS parent ON parent.id = concept.parent_id
            WHERE concept.user_id = $1 AND concept.deleted_at IS NULL
              AND ($2::timestamptz IS NULL
                   OR (concept.created_at, concept.id) < ($2, $3::uuid))
            ORDER BY concept.created_at DESC, concept.id DESC
            LIMIT $4
            """,
            user_id,
            after.created_at if after else None,
            after.id if after else None,
            limit,
        )
        return [concept_from(row) for row in rows]

    async def lineage(self, user_id: UUID, concept_id: UUID) -> list[Concept]:
        """The whole tree that the concept belongs to, parents before children; [] if unknown."""
        rows = await self._database.fetch(
            """
            WITH RECURSIVE tree AS (
                SELECT root.*, false AS parent_deleted, 0 AS depth
                FROM concept AS root JOIN concept AS asked ON asked.root_id = root.id
                WHERE asked.id = $2 AND asked.user_id = $1 AND asked.deleted_at IS NULL
                  AND root.parent_id IS NULL
                UNION ALL
                SELECT child.*, tree.deleted_at IS NOT NULL, tree.depth + 1
                FROM concept AS child JOIN tree ON child.parent_id = tree.id
                WHERE child.root_id = tree.root_id
            )
            SELECT * FROM tree WHERE deleted_at IS NULL ORDER BY depth, created_at, id
            """,
            user_id,
            concept_id,
        )
        return [concept_from(row) for row in rows]

    async def delete(self, user_id: UUID, concept_id: UUID) -> str | None:
        """Delete a concept and return the key of its image, which is now nobody's; None if unknown.

        Its place in the tree stays, empty. Tasks that show its image are counted as changed.
        """
        row = await self._database.fetchrow(
            """
            WITH doomed AS (
                SELECT id, image_key FROM concept
                WHERE id = $2 AND user_id = $1 AND deleted_at IS NULL FOR UPDATE
            ), gone AS (
                UPDATE concept SET deleted_at = now(), image_key = NULL, refinement_prompt = NULL,
                    logo_description = NULL, theme_description = NULL, engine = NULL, report = NULL
                FROM doomed WHERE concept.id = doomed.id
                RETURNING concept.id
            ), shown AS (
                UPDATE task SET version = version + 1
                FROM gone WHERE task.result_id = gone.id OR task.concept_id = gone.id
            )
            SELECT doomed.image_key FROM doomed JOIN gone USING (id)
            """,
            user_id,
            concept_id,
        )
        return row["image_key"] if row else None

    async def expire(self, *, days: int, limit: int) -> list[str]:
        """Delete the oldest concepts past so many days; return the keys of their images.

        One that an active task refines is left for later. A request that is accepted in this very
        moment may still find its source gone, as when the owner deletes it.
        """
        rows = await self._database.fetch(
            """
            WITH doomed AS (
                SELECT id, image_key FROM concept
                WHERE deleted_at IS NULL AND created_at < now() - make_interval(days => $1)
                  AND NOT EXISTS (SELECT FROM task WHERE task.concept_id = concept.id
                      AND task.status IN ('pending', 'processing'))
                ORDER BY created_at LIMIT $2
                -- a request that is being accepted holds its concept by the foreign key
                FOR UPDATE SKIP LOCKED
            ), gone AS (
                UPDATE concept SET deleted_at = now(), image_key = NULL, refinement_prompt = NULL,
                    logo_description = NULL, theme_description = NULL, engine = NULL, report = NULL
                FROM doomed WHERE concept.id = doomed.id
                RETURNING concept.id
            ), shown AS (
                UPDATE task SET version = version + 1
                FROM gone WHERE task.result_id = gone.id OR task.concept_id = gone.id
            )
            SELECT doomed.image_key FROM doomed JOIN gone USING (id)
            """,
            days,
            limit,
        )
        return [row["image_key"] for row in rows]

    async def known_keys(self, keys: list[str]) -> set[str]:
        """Those of the image keys that belong to a concept, or that an active task may yet name.

        The name of a task's image begins with the task's id, however long ago it was stored.
        """
        rows = await self._database.fetch(
            """
            SELECT key FROM unnest($1::text[]) AS key
            LEFT JOIN concept ON concept.image_key = key
            LEFT JOIN task ON task.id = left(split_part(key, '/', 2), 36)::uuid
            WHERE concept.id IS NOT NULL OR task.status IN ('pending', 'processing')
            """,
            keys,
        )
        return {row["key"] for row in rows}

    async def remember_prefix(self, prefix: str) -> list[str]:
        """Note a prefix under which images are handed out; return all that there ever were."""
        rows = await self._database.fetch(
            """
            WITH noted AS (
                INSERT INTO image_prefix (prefix) VALUES ($1) ON CONFLICT DO NOTHING
                RETURNING prefix
            )
            SELECT prefix FROM image_prefix UNION SELECT prefix FROM noted ORDER BY prefix
            """,
            prefix,
        )
        return [row["prefix"] for row in rows]
