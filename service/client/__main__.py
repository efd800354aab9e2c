"""Refine images from the shell: `python -m service.client refine logo.png "bolder" -o out.png`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from .client import DEFAULT_URL, Client
from .errors import AlreadyActive, ClientError, QuotaExceeded, TaskFailed, Unavailable
from .records import Task
from .terminal import Progress, in_a_line, in_words

PATIENCE_S = 15.0
ASPECTS = ("layout", "colors", "style", "symbols", "shapes", "proportions", "color_scheme")
CODES = """\
exit codes:
  0    done
  1    the refinement failed
  2    wrong arguments, or a file that cannot be read or written
  3    the service refused: not signed in, not found, not a picture, …
  4    another refinement is under way (--follow waits for that one)
  5    this month's refinements are used up
  6    the service cannot be reached or does not work
  130  interrupted; the task has been canceled
"""
type Command = Callable[[Client, argparse.Namespace], Awaitable[None]]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command, that of the shell if none is given, and return its exit code."""
    parser = _parser()
    arguments = parser.parse_args(words)
    if not (arguments.is_for_guests or arguments.token or arguments.token_file):
        parser.error("this needs --token or --token-file: a fresh guest has nothing yet")
    try:
        asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        return _fail("Canceled.", 130)
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror}", 2)
    except ClientError as error:
        if isinstance(error, TaskFailed):
            _report(error.task)
        return _fail(f"{error} [{error.code}]", _exit_code_of(error))
    return 0


async def _run(arguments: argparse.Namespace) -> None:
    command: Command = arguments.command
    token = arguments.token_file.read_text().strip() if arguments.token_file else arguments.token
    async with Client(arguments.url, token, patience_s=PATIENCE_S) as client:
        await command(client, arguments)


async def _refine(client: Client, arguments: argparse.Namespace) -> None:
    progress = Progress(sys.stderr)
    progress.say("Uploading …")
    try:
        task = await client.refine(
            arguments.image,
            arguments.prompt,
            follow_active=arguments.follow,
            on_change=progress.show,
            logo_description=arguments.logo,
            theme_description=arguments.theme,
            preserve_aspects=arguments.preserve or [],
        )
    finally:
        progress.clear()
    await _save(client, task, arguments.output)


async def _save(client: Client, task: Task, output: Path) -> None:
    await client.save(task, output)
    print(f"{output}: {task.prompt}")
    _report(task)


def _report(task: Task) -> None:
    for line in in_words(task.report) if task.report else ():
        print(line)


async def _sign_in(client: Client, _arguments: argparse.Namespace) -> None:
    print(client.token)


async def _list(client: Client, arguments: argparse.Namespace) -> None:
    async for task in client.tasks(arguments.status):
        print(in_a_line(task))


async def _show(client: Client, arguments: argparse.Namespace) -> None:
    task = await client.task(arguments.task)
    print(in_a_line(task), f"{task.progress:.0%}  {task.message}", sep="\n")
    _report(task)


async def _cancel(client: Client, arguments: argparse.Namespace) -> None:
    print(in_a_line(await client.cancel(arguments.task)))


async def _download(client: Client, arguments: argparse.Namespace) -> None:
    progress = Progress(sys.stderr)
    try:
        task = await client.ended(arguments.task, on_change=progress.show)
    finally:
        progress.clear()
    await _save(client, task, arguments.output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service.client",
        description=__doc__,
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", type=_address, default=DEFAULT_URL, help="where the service is")
    parser.add_argument("--token", help="who you are; without one `refine` signs in as a guest")
    parser.add_argument("--token-file", type=Path, help="a file with the token")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    refine = _add(commands, "refine", _refine, "refine an image and save the result")
    refine.add_argument("image", help="a PNG, JPEG or WebP file, or the address of an image")
    refine.add_argument("prompt", help="what to change, in plain words")
    refine.add_argument("-o", "--output", type=_output, required=True, help="where to save it")
    refine.add_argument("--logo", help="what the logo shows")
    refine.add_argument("--theme", help="how it is meant to look")
    refine.add_argument("--preserve", action="append", choices=ASPECTS, help="may be repeated")
    refine.add_argument(
        "--follow", action="store_true", help="take the result of a refinement under way"
    )
    _add(commands, "sign-in", _sign_in, "print a token of a fresh guest")
    listing = _add(commands, "list", _list, "list your refinements, newest first")
    listing.add_argument("--status", choices=("pending", "processing", "completed", "failed"))
    show = _add(commands, "show", _show, "show a refinement and its report")
    cancel = _add(commands, "cancel", _cancel, "cancel a refinement")
    download = _add(commands, "download", _download, "wait for a refinement and save the result")
    download.add_argument("-o", "--output", type=_output, required=True, help="where to save it")
    for one in (show, cancel, download):
        one.add_argument("task", help="its id")
    for one in (listing, show, cancel, download):
        one.set_defaults(is_for_guests=False)
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: Command,
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command, is_for_guests=True)
    return parser


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")) or not urlsplit(text).hostname:
        raise argparse.ArgumentTypeError("has to begin with http:// or https://")
    return text


def _output(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} cannot be written")
    return path


def _exit_code_of(error: ClientError) -> int:
    match error:
        case TaskFailed():
            return 1
        case AlreadyActive():
            return 4
        case QuotaExceeded():
            return 5
        case Unavailable():
            return 6
        case _:
            return 3


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
