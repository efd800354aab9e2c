"""Whether accepting and polling stay as quick when years of finished tasks have gathered."""

from __future__ import annotations

import asyncpg

from tests.bench.accept import Ground, accept, poll_of
from tests.bench.parts import bench_folder, fresh_database
from tests.bench.table import Row

FEW, MANY = 10_000, 5_000_000
TASKS_OF_USER = 50
TURNS = 3


async def run() -> list[Row]:
    """Median latencies at 10 thousand and at 5 million finished tasks, in one run."""
    folder = bench_folder()
    async with fresh_database(folder) as dsn:
        ground = Ground(dsn, folder)
        await fill(dsn, 0, FEW)
        before = await _medians_ms(ground)
        await fill(dsn, FEW, MANY)
        after = await _medians_ms(ground)
    few, many = f"at {FEW:,} finished tasks, median", f"at {MANY:,}, median"
    rows = []
    for name, was, now in zip(("accept", "poll"), before, after, strict=True):
        rows.append(Row(f"{name} {few}", was, "ms"))
        rows.append(Row(f"{name} {many}", now, "ms", now / was, "before", "(goal under 1.2)"))
    return rows


async def _medians_ms(ground: Ground) -> tuple[float, float]:
    """Of accepting and of polling; the best of a few turns."""
    found = [((await accept(ground)).p50_ms, (await poll_of(ground)).p50_ms) for _ in range(TURNS)]
    accepting, polling = zip(*found, strict=True)
    return min(accepting), min(polling)


async def fill(dsn: str, begin: int, end: int) -> None:
    """Add finished tasks with their results, events and charges, without asking the triggers."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("SET synchronous_commit = off")
    ids = f"""SELECT n, md5('t' || n)::uuid AS task, md5('c' || n)::uuid AS concept,
        md5('u' || n / {TASKS_OF_USER})::uuid AS owner, now() - (n || ' seconds')::interval AS at
        FROM generate_series({begin}::int, {end}::int - 1) AS n"""
    await connection.execute(
        f"""
        INSERT INTO concept (id, user_id, root_id, task_id, image_key, content_type, width, height,
            refinement_prompt, created_at)
        SELECT concept, owner, concept, task, owner || '/' || task || '-1.png', 'image/png', 64, 64,
            'make it lighter', at
        FROM ({ids}) AS new
        """
    )
    await connection.execute(
        f"""
        INSERT INTO task (id, user_id, status, concept_id, source_url, prompt, request_id,
            charged_month, attempt, progress, result_id, version, created_at, updated_at,
            completed_at)
        SELECT task, owner, 'completed', concept, 'http://refiner.test/x', 'make it lighter', 'r',
            date_trunc('month', at), 1, 1, concept, 3, at, at, at
        FROM ({ids}) AS new
        """
    )
    await connection.execute(
        f"""
        INSERT INTO task_event (task_id, version, status, attempt, progress, updated_at)
        SELECT task, step, 'completed', 1, 1, at FROM ({ids}) AS new, generate_series(2, 3) AS step
        """
    )
    await connection.execute("VACUUM ANALYZE task, task_event, concept")
    await connection.execute("CHECKPOINT")
    await connection.close()
