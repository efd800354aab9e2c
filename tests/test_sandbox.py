"""The sandbox ends what hangs, survives what dies, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.sandbox import Sandbox, SandboxClosed, SandboxCrashed, SandboxTimedOut, report
from tests import sandboxed

MEMORY_BYTES = 256 << 20
PATIENCE_S = 30.0


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(processes=1, memory_bytes=MEMORY_BYTES)
    yield sandbox
    await sandbox.close()


async def works(sandbox: Sandbox) -> bool:
    return await sandbox.run(sandboxed.add, 20, 22, deadline_s=PATIENCE_S) == 42


async def pid_from(pipe: Path) -> int:
    """The process id that `announce_and_sleep` writes once it runs."""
    return int(await asyncio.to_thread(pipe.read_text))


async def gone(pid: int) -> None:
    """Return once the process has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(handle)
        os.close(handle)


def children_of(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listing.split()]


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pid"
    os.mkfifo(path)
    return path


async def test_a_value_comes_back_from_another_process(sandbox: Sandbox) -> None:
    assert await sandbox.run(sandboxed.own_pid, deadline_s=PATIENCE_S) != os.getpid()
    assert await works(sandbox)


async def test_a_process_serves_one_call_after_the_other(sandbox: Sandbox) -> None:
    pids = {await sandbox.run(sandboxed.own_pid, deadline_s=PATIENCE_S) for _ in range(5)}
    assert len(pids) == 1


async def test_an_exception_is_raised_here_with_its_traceback_as_a_note(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        await sandbox.run(int, "x", deadline_s=PATIENCE_S)
    assert "Traceback" in caught.value.__notes__[0]
    assert await works(sandbox)


async def test_an_exception_that_cannot_travel_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="Awkward, which cannot be pickled"):
        await sandbox.run(sandboxed.raise_awkward, deadline_s=PATIENCE_S)


async def test_a_timeout_error_of_the_function_is_not_the_deadline(sandbox: Sandbox) -> None:
    with pytest.raises(TimeoutError, match="the function's own"):
        await sandbox.run(sandboxed.raise_timeout, deadline_s=PATIENCE_S)


@pytest.mark.parametrize(
    "function", [sandboxed.loop_in_c_forever, sandboxed.backtrack_forever, signal.pause]
)
async def test_work_past_its_deadline_is_killed(sandbox: Sandbox, function: object) -> None:
    assert callable(function)
    await sandbox.warm()
    before = await sandbox.run(sandboxed.own_pid, deadline_s=PATIENCE_S)
    with pytest.raises(SandboxTimedOut):
        await sandbox.run(function, deadline_s=0.2)
    await gone(before)
    assert await works(sandbox)


async def test_waiting_for_a_free_process_does_not_count(sandbox: Sandbox, pipe: Path) -> None:
    first = asyncio.create_task(
        sandbox.run(sandboxed.announce_and_sleep, str(pipe), deadline_s=0.5)
    )
    await pid_from(pipe)
    second = asyncio.create_task(sandbox.run(sandboxed.add, 1, 1, deadline_s=0.4))
    with pytest.raises(SandboxTimedOut):
        await first
    assert await second == 2


@pytest.mark.parametrize("death", [signal.SIGABRT, signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
async def test_death_by_a_signal_is_told(sandbox: Sandbox, death: signal.Signals) -> None:
    with pytest.raises(SandboxCrashed, match=f"signal {death.value} ") as caught:
        await sandbox.run(sandboxed.die_of, death.value, deadline_s=PATIENCE_S)
    assert caught.value.exit_code == -death
    assert await works(sandbox)


async def test_an_abort_a_wild_write_and_an_exit_end_only_the_call(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxCrashed, match="Aborted"):
        await sandbox.run(os.abort, deadline_s=PATIENCE_S)
    with pytest.raises(SandboxCrashed, match="Segmentation"):
        await sandbox.run(sandboxed.write_through_null, deadline_s=PATIENCE_S)
    with pytest.raises(SandboxCrashed, match="code 3"):
        await sandbox.run(os._exit, 3, deadline_s=PATIENCE_S)
    with pytest.raises(SandboxCrashed, match="code 4"):
        await sandbox.run(sys.exit, 4, deadline_s=PATIENCE_S)
    assert await works(sandbox)


async def test_death_while_sending_or_receiving_blocks_nothing(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxCrashed):
        await sandbox.run(sandboxed.return_poison, deadline_s=PATIENCE_S)
    with pytest.raises(SandboxCrashed):
        await sandbox.run(id, sandboxed.AbortsWhenRead(), deadline_s=PATIENCE_S)
    assert await works(sandbox)


async def test_a_memory_bomb_is_refused_and_the_next_call_has_room(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxCrashed, match="memory"):
        await sandbox.run(sandboxed.hoard_memory, deadline_s=PATIENCE_S)
    with pytest.raises(SandboxCrashed, match="memory"):
        await sandbox.run(sandboxed.take_memory, MEMORY_BYTES, deadline_s=PATIENCE_S)
    fits = MEMORY_BYTES * 3 // 4
    assert await sandbox.run(sandboxed.take_memory, fits, deadline_s=PATIENCE_S) == fits


async def test_a_value_too_large_to_send_is_out_of_memory(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxCrashed, match="memory"):
        await sandbox.run(bytes, MEMORY_BYTES * 3 // 4, deadline_s=PATIENCE_S)
    assert await works(sandbox)


async def test_modules_do_not_count_against_the_memory_and_opencv_says_when_it_is_short() -> None:
    sandbox = Sandbox(processes=1, memory_bytes=64 << 20, preload=("numpy", "cv2"))
    try:
        await sandbox.run(sandboxed.opencv_memory, 2048, deadline_s=PATIENCE_S)
        with pytest.raises(SandboxCrashed, match="memory"):
            await sandbox.run(sandboxed.opencv_memory, 16384, deadline_s=PATIENCE_S)
        assert await works(sandbox)
    finally:
        await sandbox.close()


async def test_cancelling_kills_the_work_at_once(sandbox: Sandbox, pipe: Path) -> None:
    task = asyncio.create_task(
        sandbox.run(sandboxed.announce_and_sleep, str(pipe), deadline_s=3600)
    )
    pid = await pid_from(pipe)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(pid)
    assert await works(sandbox)


async def test_cancelling_one_call_leaves_the_others_alone(pipe: Path) -> None:
    sandbox = Sandbox(processes=2, memory_bytes=MEMORY_BYTES)
    try:
        await sandbox.warm()
        other = asyncio.create_task(sandbox.run(sandboxed.report_steps, 1000, deadline_s=60))
        task = asyncio.create_task(
            sandbox.run(sandboxed.announce_and_sleep, str(pipe), deadline_s=3600)
        )
        await pid_from(pipe)
        task.cancel()
        assert await other == "done"
    finally:
        await sandbox.close()


async def test_many_calls_cancelled_at_every_moment_lose_no_process() -> None:
    sandbox = Sandbox(processes=2, memory_bytes=MEMORY_BYTES)
    try:
        for yields in range(40):
            task = asyncio.create_task(sandbox.run(sandboxed.add, 1, 1, deadline_s=PATIENCE_S))
            for _ in range(yields):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(PATIENCE_S):
            assert all(await asyncio.gather(*(works(sandbox) for _ in range(10))))
    finally:
        await sandbox.close()


async def test_a_process_that_died_idle_is_replaced_unseen(sandbox: Sandbox) -> None:
    pid = await sandbox.run(sandboxed.own_pid, deadline_s=PATIENCE_S)
    os.kill(pid, signal.SIGKILL)
    await gone(pid)
    assert await works(sandbox)


async def test_progress_arrives_in_order_while_the_work_runs(sandbox: Sandbox) -> None:
    seen: list[tuple[float, str]] = []
    done = await sandbox.run(
        sandboxed.report_steps,
        4,
        deadline_s=PATIENCE_S,
        progress=lambda fraction, stage: seen.append((fraction, stage)),
    )
    assert done == "done"
    assert seen == [(0.25, "step 1"), (0.5, "step 2"), (0.75, "step 3"), (1.0, "step 4")]


async def test_a_flood_of_progress_that_nobody_reads_does_not_hold_the_work(
    sandbox: Sandbox,
) -> None:
    assert await sandbox.run(sandboxed.report_steps, 50_000, deadline_s=PATIENCE_S) == "done"


async def test_a_progress_callback_that_raises_ends_the_call(sandbox: Sandbox) -> None:
    def refuse(fraction: float, stage: str) -> None:
        raise LookupError(stage)

    with pytest.raises(LookupError, match="step 1"):
        await sandbox.run(sandboxed.report_steps, 3, deadline_s=PATIENCE_S, progress=refuse)
    assert await works(sandbox)


def test_a_report_outside_of_a_sandbox_does_nothing() -> None:
    report(0.5, "half")


async def test_a_child_inherits_no_secret_and_one_thread(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_JWT_SECRET", "hunter2-hunter2")
    variables, block = await sandbox.run(sandboxed.environment, deadline_s=PATIENCE_S)
    assert b"hunter2" not in block
    assert set(variables) <= {
        "LC_ALL",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
    }


async def test_opencv_and_blas_keep_to_one_thread() -> None:
    sandbox = Sandbox(processes=1, memory_bytes=MEMORY_BYTES, preload=("numpy", "cv2"))
    try:
        assert await sandbox.run(sandboxed.native_threads, deadline_s=PATIENCE_S) == 1
    finally:
        await sandbox.close()


async def test_arguments_too_large_for_the_child_are_a_crash(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxCrashed):
        await sandbox.run(len, bytes(2 * MEMORY_BYTES), deadline_s=PATIENCE_S)
    assert await works(sandbox)


async def test_a_child_is_out_of_reach_of_the_terminal(sandbox: Sandbox) -> None:
    assert await sandbox.run(sandboxed.signal_ignored, signal.SIGINT, deadline_s=PATIENCE_S)
    assert await sandbox.run(sandboxed.session_id, deadline_s=PATIENCE_S) != os.getsid(0)


async def test_a_child_loads_what_it_is_told_and_nothing_of_the_service() -> None:
    sandbox = Sandbox(processes=1, memory_bytes=MEMORY_BYTES, preload=("decimal",))
    try:
        loaded = await sandbox.run(
            sandboxed.loaded, "decimal", "aiohttp", "numpy", deadline_s=PATIENCE_S
        )
    finally:
        await sandbox.close()
    assert loaded == [True, False, False]


async def test_a_preload_that_fails_is_raised_by_each_call() -> None:
    sandbox = Sandbox(processes=1, memory_bytes=MEMORY_BYTES, preload=("no_such_module",))
    try:
        for _ in range(2):
            with pytest.raises(ModuleNotFoundError, match="no_such_module"):
                await sandbox.run(sandboxed.add, 1, 1, deadline_s=PATIENCE_S)
    finally:
        await sandbox.close()


async def test_closing_ends_calls_under_way_refuses_new_ones_and_leaves_no_process(
    pipe: Path,
) -> None:
    sandbox = Sandbox(processes=2, memory_bytes=MEMORY_BYTES)
    running = asyncio.create_task(
        sandbox.run(sandboxed.announce_and_sleep, str(pipe), deadline_s=3600)
    )
    pid = await pid_from(pipe)
    waiting = [asyncio.create_task(sandbox.run(signal.pause, deadline_s=3600)) for _ in range(3)]
    async with asyncio.timeout(PATIENCE_S):
        await sandbox.close()
        await sandbox.close()
        with pytest.raises(SandboxCrashed):
            await running
        ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(end, SandboxClosed | SandboxCrashed) for end in ends)
    with pytest.raises(SandboxClosed):
        await sandbox.run(sandboxed.add, 1, 1, deadline_s=PATIENCE_S)
    assert pid not in children_of(os.getpid())
    await gone(pid)


async def test_no_child_outlives_a_parent_that_is_killed(pipe: Path) -> None:
    program = (
        "import asyncio; from service.sandbox import Sandbox; from tests import sandboxed\n"
        "sandbox = Sandbox(processes=2, memory_bytes=1 << 28)\n"
        "async def main():\n"
        "    await sandbox.warm()\n"
        f"    await sandbox.run(sandboxed.announce_and_sleep, {str(pipe)!r}, deadline_s=3600)\n"
        "asyncio.run(main())"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    pid = await pid_from(pipe)
    children = children_of(parent.pid)
    assert pid in children
    assert len(children) == 2
    parent.kill()
    await parent.wait()
    for child in children:
        await gone(child)
