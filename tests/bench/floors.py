"""What there is to compare with: the least that anyone would do, and a peer that does less than we.

`python -m tests.bench.floors aiohttp|peer PORT DSN` serves one of them.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any
from uuid import uuid4

import asyncpg
from aiohttp import web
from pydantic import BaseModel

SCHEMA = """
CREATE TABLE IF NOT EXISTS floor (
    id uuid PRIMARY KEY, user_id uuid NOT NULL, prompt text NOT NULL,
    status text NOT NULL DEFAULT 'pending', created_at timestamptz NOT NULL DEFAULT now())
"""


class Body(BaseModel):
    """What the peer takes."""

    original_image_url: str
    refinement_prompt: str


async def serve_aiohttp(port: int, dsn: str) -> None:
    """aiohttp with one INSERT for a POST and one SELECT by id for a GET; nothing else."""
    pool = await asyncpg.create_pool(dsn, min_size=16, max_size=16)
    await pool.execute(SCHEMA)
    known = uuid4()
    await pool.execute("INSERT INTO floor (id, user_id, prompt) VALUES ($1, $1, 'x')", known)

    async def post(request: web.Request) -> web.Response:
        body = await request.json()
        task_id = uuid4()
        await pool.execute(
            "INSERT INTO floor (id, user_id, prompt) VALUES ($1, $2, $3)",
            task_id,
            task_id,
            body["refinement_prompt"],
        )
        return web.json_response({"task_id": str(task_id)}, status=202)

    async def get(_request: web.Request) -> web.Response:
        row = await pool.fetchrow("SELECT id, status FROM floor WHERE id = $1", known)
        assert row is not None
        return web.json_response({"task_id": str(row["id"]), "status": row["status"]})

    app = web.Application()
    app.router.add_post("/floor", post)
    app.router.add_get("/floor", get)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def serve_peer(port: int, dsn: str) -> None:
    """FastAPI that defers a procrastinate job for each POST: no token, quota or ownership."""
    import procrastinate
    import uvicorn
    from fastapi import FastAPI

    connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=16, max_size=16)
    jobs = procrastinate.App(connector=connector)

    @jobs.task(name="refine")
    async def refine(**_given: Any) -> None:
        return None

    app = FastAPI()

    @app.post("/floor", status_code=202)
    async def post(body: Body) -> dict[str, str]:
        job = await refine.defer_async(prompt=body.refinement_prompt)
        return {"task_id": str(job)}

    async def run() -> None:
        async with jobs.open_async():
            if not await jobs.check_connection_async():
                await jobs.schema_manager.apply_schema_async()
            config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")
            await uvicorn.Server(config).serve()

    asyncio.run(run())


if __name__ == "__main__":
    kind, at, database = sys.argv[1:]
    if kind == "peer":
        serve_peer(int(at), database)
    else:
        asyncio.run(serve_aiohttp(int(at), database))
