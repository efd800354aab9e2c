"""The embedded PostgreSQL keeps its data, its manners and no process, whatever is killed."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from storage.embedded import DataDirUnusable, embedded_postgres
from storage.postgres_home import LOG_BYTES, ROOM_PREFIX, SOCKET, DataOfAnotherUser, Home
from storage.postgres_programs import PostgresVersionMissing, copy_programs, find_programs
from storage.postgres_server import PostgresDidNotStart
from tests.storage.holders import (
    AS_ORDINARY_USER,
    holder,
    kill_server,
    persistent,
    processes_in,
    server_gone,
    servers_in,
)

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can act as somebody else")
USERS = [
    pytest.param((), id="ourselves"),
    pytest.param(AS_ORDINARY_USER, id="ordinary user", marks=needs_root),
]


@pytest.fixture(scope="module")
async def made_data() -> AsyncIterator[Path]:
    """A data folder in which a server has run and stopped, to be copied: making one takes long."""
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_postgres(Path(folder)) as dsn:
            await persistent(dsn, "CREATE TABLE note (number int)")
        yield Path(folder)


@pytest.fixture
def data_dir(made_data: Path, tmp_path: Path) -> Path:
    """Such a folder, of our own."""
    subprocess.run(["cp", "-a", made_data, tmp_path / "data"], check=True)
    (tmp_path / "data" / "postgres.address").unlink()
    return tmp_path / "data"


@pytest.fixture(params=USERS)
def user(request: pytest.FixtureRequest, data_dir: Path) -> tuple[str, ...]:
    """What to put before a command to run it as the user who owns the data."""
    prefix: tuple[str, ...] = request.param
    if prefix:
        give_to_nobody(data_dir)
    return prefix


def give_to_nobody(folder: Path) -> None:
    subprocess.run(["chown", "-R", "nobody", folder], check=True)


def room_of(dsn: str) -> Path:
    """The folder that holds the folder of the socket."""
    return Path(dsn.partition("host=")[2].partition("&")[0]).parent


@contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder that every user can enter."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def test_a_second_start_still_has_the_rows(tmp_path: Path) -> None:
    async with embedded_postgres(tmp_path) as dsn:
        await persistent(dsn, "CREATE TABLE note AS SELECT 7 AS number")
    async with embedded_postgres(tmp_path) as dsn:
        assert await persistent(dsn, "SELECT number FROM note") == 7


async def test_stopping_leaves_no_process_and_no_socket(data_dir: Path) -> None:
    async with embedded_postgres(data_dir) as dsn:
        socket_folder = room_of(dsn) / "s"
        assert processes_in(data_dir)
        assert socket_folder.stat().st_mode & 0o777 == 0o700
        assert len(str(socket_folder / ".s.PGSQL.5432")) <= 107
    assert not processes_in(data_dir)
    assert not room_of(dsn).exists()


async def test_killing_the_service_leaves_no_process_and_loses_no_row(
    data_dir: Path, user: tuple[str, ...]
) -> None:
    for number in range(5):
        async with holder(data_dir, *user) as service:
            await persistent(await service.dsn(), f"INSERT INTO note VALUES ({number})")
            if number % 2:
                kill_server(data_dir)
            await service.kill()
        await server_gone(data_dir)
        assert not processes_in(data_dir)
    async with holder(data_dir, *user) as service:
        assert await persistent(await service.dsn(), "SELECT count(*) FROM note") == 5
        await service.leave()


async def test_a_killed_database_comes_back_under_the_same_address(
    data_dir: Path, user: tuple[str, ...]
) -> None:
    async with holder(data_dir, *user) as service:
        dsn = await service.dsn()
        for number in range(3):
            await persistent(dsn, f"INSERT INTO note VALUES ({number})")
            kill_server(data_dir)
        assert await persistent(dsn, "SELECT count(*) FROM note") == 3
        await service.leave()
    assert not processes_in(data_dir)


async def test_a_process_number_used_again_does_not_stop_a_start(
    data_dir: Path, user: tuple[str, ...]
) -> None:
    async with holder(data_dir, *user) as service:
        dsn = await service.dsn()
        await service.kill()
    await server_gone(data_dir)
    # a bystander has the number by now, and even the name of the server's account
    account = (data_dir / "postgres").stat().st_uid
    bystander = subprocess.Popen(["sleep", "60"], user=account if IS_ROOT else None)
    try:
        for name in (data_dir / "postgres/postmaster.pid", room_of(dsn) / "s/.s.PGSQL.5432.lock"):
            name.write_text(f"{bystander.pid}\n{data_dir}/postgres\n1\n5432\n/tmp\n\n")
        async with holder(data_dir, *user) as service:
            assert await persistent(await service.dsn(), "SELECT 1") == 1
            await service.leave()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


async def test_processes_with_the_same_data_share_one_server(
    data_dir: Path, user: tuple[str, ...]
) -> None:
    async with AsyncExitStack() as stack:
        services = [await stack.enter_async_context(holder(data_dir, *user)) for _ in range(8)]
        addresses = {await service.dsn() for service in services}
        assert len(addresses) == 1
        assert servers_in(data_dir) == 1
        for service in services:
            await service.leave()
    assert not processes_in(data_dir)


async def test_first_starts_at_once_make_one_database(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        services = [await stack.enter_async_context(holder(tmp_path)) for _ in range(3)]
        assert len({await service.dsn() for service in services}) == 1
        for service in services:
            await service.leave()


async def test_when_the_one_with_the_server_is_killed_another_goes_on_with_it(
    data_dir: Path, user: tuple[str, ...]
) -> None:
    async with holder(data_dir, *user) as first:
        dsn = await first.dsn()
        async with holder(data_dir, *user) as second:
            assert await second.dsn() == dsn
            await persistent(dsn, "INSERT INTO note VALUES (1)")
            await first.kill()
            assert await persistent(dsn, "SELECT count(*) FROM note") == 1
            assert servers_in(data_dir) == 1
            await second.leave()
    assert not processes_in(data_dir)


async def test_when_the_one_with_the_server_leaves_another_goes_on_with_it(data_dir: Path) -> None:
    async with holder(data_dir) as first:
        dsn = await first.dsn()
        async with holder(data_dir) as second:
            assert await second.dsn() == dsn
            await first.leave()
            assert await persistent(dsn, "SELECT 1") == 1
            await second.leave()
    assert not processes_in(data_dir)
    assert not room_of(dsn).exists()


async def test_a_first_start_that_was_killed_is_begun_anew(tmp_path: Path) -> None:
    draft = tmp_path / "postgres.new"
    async with holder(tmp_path) as service:
        async with asyncio.timeout(60):
            while not (draft / "global").exists():
                await asyncio.sleep(0.001)
        await service.kill()
    await server_gone(tmp_path)
    assert not processes_in(tmp_path)
    async with embedded_postgres(tmp_path) as dsn:
        assert await persistent(dsn, "SELECT 1") == 1
    assert not draft.exists()


@pytest.mark.parametrize("moment_s", [0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1])
async def test_a_start_that_is_cancelled_leaves_no_process(data_dir: Path, moment_s: float) -> None:
    try:
        async with asyncio.timeout(moment_s), embedded_postgres(data_dir):
            await asyncio.Event().wait()
    except TimeoutError:
        pass
    assert not processes_in(data_dir)
    with Home(data_dir).lock() as lock:
        assert lock is not None
    address = Home(data_dir).address()
    assert address is None or not room_of(address).exists()


async def test_a_server_that_does_not_start_is_reported_in_one_line(data_dir: Path) -> None:
    with pytest.raises(PostgresDidNotStart) as refusal:
        async with embedded_postgres(data_dir, {"shared_buffers": "plenty"}):
            pass
    assert "shared_buffers" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not processes_in(data_dir)


async def test_data_of_another_version_name_the_version_they_need(data_dir: Path) -> None:
    (data_dir / "postgres/PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresVersionMissing, match="PostgreSQL 9:"):
        async with embedded_postgres(data_dir):
            pass


async def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataDirUnusable, match="file"):
        async with embedded_postgres(tmp_path / "file" / "data"):
            pass


async def test_a_long_path_to_the_data_is_no_hindrance(made_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 30) / ("deeper %s" * 20)
    folder.parent.mkdir()
    subprocess.run(["cp", "-a", made_data, folder], check=True)
    async with embedded_postgres(folder) as dsn:
        assert await persistent(dsn, "SELECT 1") == 1


async def test_a_copy_of_the_data_gets_a_server_of_its_own(data_dir: Path, tmp_path: Path) -> None:
    async with embedded_postgres(data_dir):
        pass
    subprocess.run(["cp", "-a", data_dir, tmp_path / "copy"], check=True)
    async with embedded_postgres(data_dir) as dsn, embedded_postgres(tmp_path / "copy") as other:
        await persistent(dsn, "INSERT INTO note VALUES (1)")
        assert dsn != other
        assert await persistent(other, "SELECT count(*) FROM note") == 0


async def test_what_a_killed_service_left_is_removed_once_its_data_are_gone(
    data_dir: Path, tmp_path: Path
) -> None:
    subprocess.run(["cp", "-a", data_dir, tmp_path / "doomed"], check=True)
    async with holder(tmp_path / "doomed") as service:
        room = room_of(await service.dsn())
        await service.kill()
    await server_gone(tmp_path / "doomed")
    shutil.rmtree(tmp_path / "doomed")
    assert room.exists()
    async with embedded_postgres(data_dir):
        assert not room.exists()


async def test_a_socket_with_a_server_on_it_stays_whosever_it_is(data_dir: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=ROOM_PREFIX, dir="/tmp") as folder:
        room = Path(folder)
        (room / "data").symlink_to("/in/another/container")
        (room / "s").mkdir()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(room / "s" / SOCKET))
            server.listen()
            async with embedded_postgres(data_dir):
                assert (room / "s" / SOCKET).exists()


async def test_the_log_is_bounded_and_says_nothing_of_statements(data_dir: Path) -> None:
    home = Home(data_dir)
    home.log.write_bytes(b"x" * (LOG_BYTES + 1))
    async with embedded_postgres(data_dir) as dsn:
        connection_fails = persistent(dsn, "SELECT 'a secret' / 0")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await connection_fails
    log = home.log.read_text()
    assert len(log) < 10_000
    assert "shut down" in log
    assert "secret" not in log


@needs_root
async def test_root_needs_no_parent_folder_opened(data_dir: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    modes = [parent.stat().st_mode for parent in data_dir.parents]
    data_dir.chmod(0o700)
    async with embedded_postgres(data_dir) as dsn:
        assert await persistent(dsn, "SELECT 1") == 1
        (server, *_) = processes_in(data_dir)
        assert Path(f"/proc/{server}").stat().st_uid != 0
    assert [parent.stat().st_mode for parent in data_dir.parents] == modes


@needs_root
async def test_root_serves_the_data_as_the_user_who_owns_them(data_dir: Path) -> None:
    give_to_nobody(data_dir)
    async with embedded_postgres(data_dir):
        pass
    owners = {path.stat().st_uid for path in data_dir.rglob("*")}
    assert owners == {pwd.getpwnam("nobody").pw_uid}
    async with holder(data_dir, *AS_ORDINARY_USER) as service:
        assert await persistent(await service.dsn(), "SELECT 1") == 1
        await service.leave()


@needs_root
async def test_root_may_bring_data_that_belong_to_root(data_dir: Path) -> None:
    subprocess.run(["chown", "-R", "root", data_dir], check=True)
    async with embedded_postgres(data_dir) as dsn:
        assert await persistent(dsn, "SELECT 1") == 1


@needs_root
async def test_data_of_another_user_are_refused_in_one_line(data_dir: Path) -> None:
    subprocess.run(["chown", "-R", "daemon", data_dir], check=True)
    async with holder(data_dir, *AS_ORDINARY_USER) as service:
        assert await service.complaint() == f"DataOfAnotherUser: {DataOfAnotherUser.__doc__}"


@needs_root
def test_programs_that_only_root_can_reach_are_copied_to_where_all_can() -> None:
    with open_folder() as folder:
        programs = copy_programs(find_programs(None), folder / "programs")
        (folder / "data").mkdir()
        shutil.chown(folder / "data", "nobody")
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-A", "trust", "--no-sync"],
            cwd="/",
            user="nobody",
            extra_groups=[],
            check=True,
            capture_output=True,
        )
        assert (folder / "data" / "PG_VERSION").exists()
