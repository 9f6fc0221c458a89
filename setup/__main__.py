"""`python3 setup COMMAND`: prepares the environment, enters it, or removes it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    # Started as a folder, from anywhere: the package is found beside it, and nothing in the current folder is.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from setup.failure import SetupError
from setup.machine import look_around
from setup.places import environment_folder, home_folder, lock, remove_folder
from setup.process import say
from setup.route import Entry
from setup.routes import prepare
from setup.variables import INSIDE


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python3 setup", description="Swellbound's environment.")
    commands = parser.add_subparsers(dest="action", required=True)
    commands.add_parser("prepare", help="find or build the environment")
    enter = commands.add_parser("enter", help="run a command inside it; paths are taken from where you stand")
    enter.add_argument("--ranks", type=_ranks, default=1, help="start the command on so many MPI ranks")
    enter.add_argument("command", nargs="+", help="program and arguments, after --")
    commands.add_parser("shell", help="a prompt inside it")
    commands.add_parser("remove", help="remove environments, compiled forms and logs")
    return parser.parse_args(given)


def _ranks(text: str) -> int:
    try:
        ranks = int(text)
    except ValueError:
        ranks = 0
    if ranks < 1:
        raise argparse.ArgumentTypeError(
            f"the number of ranks (NP) is {text!r}, but must be a whole number from 1"
        )
    return ranks


def on_ranks(command: Sequence[str], ranks: int) -> list[str]:
    """Puts mpirun in front of a command for more than one rank."""
    return list(command) if ranks == 1 else ["mpirun", "-n", str(ranks), *command]


def entry(command: Sequence[str]) -> Entry:
    """Prepares a command for the environment; inside one already, it stays there."""
    if os.environ.get(INSIDE):
        return Entry(command, os.environ, Path.cwd())
    route, stamp = prepare(look_around())
    return route.enter(stamp, command, Path.cwd())


def replace_by(started: Entry) -> None:
    """Becomes the command: signals and exit status pass straight through."""
    os.chdir(started.folder)
    os.execvpe(started.command[0], list(started.command), dict(started.variables))


def prompt() -> list[str]:
    """An interactive shell that reads none of the user's start files, which may lead back out of the environment."""
    return ["env", r"PS1=(swellbound) \w \$ ", "bash", "--noprofile", "--norc", "-i"]


def remove() -> None:
    """Removes everything that the set-up made, except packages installed with apt."""
    home = home_folder()
    if not home.exists():
        say(f"there is nothing in {home}")
        return
    with lock(home / "lock"):
        environments = environment_folder("any").parent
        for folder in (environments, home / "compiled", home / "logs"):
            remove_folder(folder)
    say(f"removed what was in {home}")


def main(given: Sequence[str] | None = None) -> int:
    """Does what the command line says; 0 if it worked, 1 with one sentence if it did not."""
    options = arguments(given)
    # Ended politely: leave through the `finally` clauses, so that nothing is left at work.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if options.action == "remove":
            remove()
        elif options.action == "prepare":
            route, _ = prepare(look_around())
            say(f"environment '{route.name}' is ready ({route.title})")
        elif options.action == "shell":
            replace_by(entry(prompt()))
        else:
            replace_by(entry(on_ranks(options.command, options.ranks)))
    except SetupError as error:
        print(f"swellbound set-up: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("swellbound set-up: interrupted; the next call starts over cleanly.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
