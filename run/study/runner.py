"""Runs the points of a study on this machine, some at a time, each in processes of its own; may be interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from run import results
from run.errors import EXIT_OK, EXIT_RESUME, ResultsError
from run.launch import command_on_ranks, environment_for_ranks
from run.study.places import Places
from run.study.points import Point, Study, settings_in_words
from run.study.watch import Watch

#: Seconds between two looks at the processes.
LOOK_S = 0.2
Command = Callable[[Study, Places, Point, bool], list[str]]


def point_command(study: Study, places: Places, point: Point, anew: bool) -> list[str]:
    """The command that brings a point to its end, on its ranks."""
    words = [
        str(places.case(point)),
        "--out",
        str(places.run(point)),
        "--outcome",
        str(places.outcome(point)),
    ]
    words += ["--anew"] if anew else []
    words += ["--adhesion", *study.file.adhesion.options()] if study.file.adhesion is not None else []
    return command_on_ranks(study.file.study.ranks, "run.study.point", words)


@dataclass
class _Working:
    point: Point
    process: subprocess.Popen[bytes]
    log: TextIO
    began: float = field(default_factory=time.monotonic)


class Runner:
    """Brings the points of a study to their ends.

    SIGINT (Ctrl-C) or SIGTERM asks those under way to save themselves and starts no more; a second one ends them at
    once. Finished points stay as they are, and the next call goes on with the others.

    Args:
        study: The checked study; its folder is prepared.
        places: Its folder.
        jobs: Points at a time.
        command: Gives the command of a point.
    """

    def __init__(self, study: Study, places: Places, jobs: int, command: Command = point_command) -> None:
        self._study, self._places, self._jobs, self._command = study, places, jobs, command
        self._working: list[_Working] = []
        self._asked = 0

    def run(self, points: Sequence[Point], anew: Sequence[Point], watch: Watch) -> bool:
        """Run points.

        Args:
            points: Those to run, in order.
            anew: Those of them that start from their beginning, whatever is there.
            watch: Told what happens.

        Returns:
            Whether all were dealt with; False after an interruption.

        Raises:
            ResultsError: A log cannot be written; nothing is left running.
        """
        waiting = list(points)
        before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while self._working or (waiting and not self._asked):
                while waiting and len(self._working) < self._jobs and not self._asked:
                    point = waiting.pop(0)
                    self._begin(point, point in anew, watch)
                self._look(watch)
                time.sleep(LOOK_S)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._end_all()
        return not self._asked

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1
        for working in self._working:
            if self._asked == 1:
                # mpirun passes this one on to its ranks; those of the terminal it answers by ending them.
                working.process.send_signal(signal.SIGUSR1)
            else:
                self._kill(working)

    def _begin(self, point: Point, anew: bool, watch: Watch) -> None:
        command = self._command(self._study, self._places, point, anew)
        self._places.outcome(point).unlink(missing_ok=True)
        path = self._places.log(point)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            log = open(path, "w", encoding="utf-8")  # noqa: SIM115  # open as long as its process
        except OSError as error:
            raise ResultsError(f"{path} cannot be written: {error.strerror}.") from error
        # A session of its own: the terminal's Ctrl-C is for the study, which passes it on in its own way.
        process = subprocess.Popen(
            command, env=environment_for_ranks(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        self._working.append(_Working(point, process, log))
        watch.began(point.name, settings_in_words(point))

    def _look(self, watch: Watch) -> None:
        for working in list(self._working):
            code = working.process.poll()
            if code is None:
                watch.moved(working.point.name, _fraction(self._places.run(working.point)))
                continue
            working.log.close()
            self._working.remove(working)
            watch.ended(working.point.name, settings_in_words(working.point), self._how(working.point, code))

    def _how(self, point: Point, code: int) -> str:
        standing = self._places.standing(point)
        if code == EXIT_OK and standing.state in ("finished", "failed"):
            return f"{standing.state}{', ' if standing.reason else ''}{standing.reason}"
        if code == EXIT_RESUME:
            return "left, and saved"
        if self._asked:
            return "left"
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return f"its process ended {how} and said why in {self._places.log(point)}"

    def _end_all(self) -> None:
        """After an error: nothing goes on unwatched."""
        for working in self._working:
            self._kill(working)
            working.process.wait()
            working.log.close()
        self._working = []

    @staticmethod
    def _kill(working: _Working) -> None:
        if working.process.poll() is None:
            os.killpg(working.process.pid, signal.SIGKILL)


def _fraction(run: Path) -> float:
    try:
        table: dict[str, Any] = results.read_json(run / results.STATUS)
    except ResultsError:
        return 0.0
    return float(table.get("fraction", 0.0))
