"""The folder of a study, and how far each of its points is: told from files alone, whoever ran it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from run import results
from run.adhesion import TABLE as ADHESION_TABLE
from run.errors import EXIT_OK, InputError, ResultsError
from run.study.points import Point, Study

State = Literal["finished", "failed", "unfinished", "waiting"]
STUDY, PLAN, ANALYSIS, TABLE, PARQUET = "study.toml", "plan.json", "study.json", "table.csv", "table.parquet"


@dataclass(frozen=True)
class Standing:
    """How far a point is.

    Attributes:
        state: Finished (with a result), failed (it would fail again), unfinished (it goes on), or waiting.
        reason: Why it failed or was left, or what was wrong with a finished one's adhesion test; empty else.
    """

    state: State
    reason: str = ""


@dataclass(frozen=True)
class Places:
    """Where the files of a study are.

    Attributes:
        root: The folder of the study.
        file: Name under which the study file is kept in it.
    """

    root: Path
    file: str = STUDY

    def case(self, point: Point) -> Path:
        """The case file of a point."""
        return self.root / "cases" / f"{point.name}.toml"

    def run(self, point: Point) -> Path:
        """The run folder of a point."""
        return self.root / "runs" / point.name

    def outcome(self, point: Point) -> Path:
        """How a point came to its end; there is none before."""
        return self.root / "outcomes" / f"{point.name}.json"

    def log(self, point: Point) -> Path:
        """What a point's process said."""
        return self.root / "logs" / f"{point.name}.txt"

    @property
    def pictures(self) -> Path:
        """The folder of pictures."""
        return self.root / results.PICTURES

    def standing(self, point: Point) -> Standing:
        """How far a point is.

        Raises:
            ResultsError: A file of it is damaged.
        """
        outcome = self.outcome(point)
        if outcome.is_file():
            table = results.read_json(outcome)
            if table.get("case_hash") == point.case.content_hash:
                if table["exit_code"] == EXIT_OK and (self.run(point) / results.SUMMARY).is_file():
                    return Standing("finished", str(table["reason"]))
                if table["exit_code"] != EXIT_OK:
                    return Standing("failed", str(table["reason"]))
        status = self.run(point) / results.STATUS
        if not status.is_file():
            return Standing("waiting")
        return Standing("unfinished", str(results.read_json(status).get("reason", "")))

    def summary(self, point: Point) -> dict[str, Any]:
        """The summary of a finished point.

        Raises:
            ResultsError: It is missing or damaged.
        """
        return results.read_json(self.run(point) / results.SUMMARY)

    def adhesion(self, point: Point) -> dict[str, Any] | None:
        """The table of a point's adhesion test, None where there was none that came to its end."""
        path = adhesion_folder(self.run(point)) / ADHESION_TABLE
        table = results.read_json(path) if path.is_file() else {}
        return table if table.get("complete") else None

    def sidecar(self, point: Point) -> dict[str, Any]:
        """What is known of the mesh of a point that has run.

        Raises:
            ResultsError: It is missing or damaged.
        """
        return results.read_json(self.run(point) / results.MESH / f"{point.case.name}.json")

    def prepare(self, study: Study) -> None:
        """Write the study file and the case file of every point.

        Raises:
            InputError: The folder holds something else, or cannot be written.
        """
        root = self.root
        if root.is_dir() and any(root.iterdir()) and not (root / self.file).is_file():
            raise InputError(
                "--out",
                f"= {str(root)!r} is not allowed: it holds files that are no {Path(self.file).stem}; choose "
                "another folder",
            )
        try:
            results.write_text(root / self.file, study.source)
            for point in study.points:
                if not self.case(point).is_file() or self.case(point).read_text("utf-8") != point.text:
                    results.write_text(self.case(point), point.text)
        except (OSError, ResultsError) as error:
            raise InputError(
                "--out", f"= {str(root)!r} is not allowed: {error}; choose another folder"
            ) from error


def adhesion_folder(run: Path) -> Path:
    """Where the adhesion test of a study's point goes."""
    return run / results.ADHESION / "study"
