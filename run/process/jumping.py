"""Cycle jumps: repetitions computed at a few cycles, extrapolated over the others, and checked by a cycle after each.

A jump is provisional until the cycle that follows it has been computed. If that agrees with what the slopes before the
jump predicted, the jump is kept. If not, a second cycle tells what only had to settle from what grows wrongly; then
everything goes back, bit for bit, to the end of the last cycle before the jump, and cycles are computed again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fem.cycle_extrapolation import CycleExtrapolation
from fem.cycle_extrapolation import Turn as Computed
from fem.state import Kept
from fem.stepping import StepReport
from run.course import News
from run.folder import LOG
from run.process import control, jump_report
from run.process.cycling import CyclingTable
from run.process.jump_parts import Parts
from run.process.plan import Plan, Planned, Turn

#: Names of the states that are kept: where the present cycle began, and the two cycles that slopes are taken from.
_BEGIN, _OLD, _NEW = "cycle_begin", ("old_begin", "old_end"), ("new_begin", "new_end")
#: What the state remembers of the terminals (fem/cell.py): its last number is the largest charge so far.
_TERMINAL = "terminal"


class Jumper:
    """Decides at the end of every cycle of a repetition where the process goes on; methods are collective.

    Args:
        parts: Of the run.
        plan: The process.
        table: [cycling].

    Attributes:
        jumps: What came of every jump, in order.
    """

    def __init__(self, parts: Parts, plan: Plan, table: CyclingTable) -> None:
        self._parts, self._plan, self._table = parts, plan, table
        self._extrapolation = CycleExtrapolation(parts.model)
        self.jumps: list[dict[str, Any]] = []
        self._resolved = 0
        # Of the repetition under way; as JSON can hold it.
        self._own: dict[str, Any] = {}
        self._news = News()

    @property
    def provisional(self) -> bool:
        """Whether a cycle is being computed that may take back a jump."""
        return self._own.get("jump") is not None

    # ------------------------------------------------------------------ the course

    def begins(self, planned: Planned) -> None:
        """A step begins; take note of the state where it is the first of a repetition."""
        turn = planned.turn
        if turn is None or self._own.get("place") == turn.place:
            return
        self._own = {
            "place": turn.place,
            "old": None,
            "new": None,
            "jump": None,
            "limit": self._table.longest_jump,
            "trust": control.FIRST_TRUST,
            "wait": 0,
            "patience": 1,
        }
        self._begin_cycle({})

    def counts(self, report: StepReport) -> None:
        """A time step was accepted."""
        jump = self._own.get("jump")
        if jump is not None:
            jump["steps"] += 1
            jump["useful"] += report.iterations
            jump["iterations"] += report.iterations + report.wasted

    def ends(self, planned: Planned, index: int) -> int:
        """A step has ended; gives the index of the one that follows.

        Args:
            planned: The step.
            index: Of the one that follows in the plan.
        """
        turn, steps = planned.turn, self._plan.steps
        if turn is None or (index < len(steps) and steps[index].turn == turn):
            return index
        own, chronicle = self._own, self._parts.chronicle
        self._resolved += 1
        values = control.watched(chronicle.blocks[own["first_block"] :], chronicle.now)
        cycle = {"number": turn.number, "begin": own["begin"], "end": values}
        if self.provisional and not self._judged(turn, cycle):
            # Either everything is back where it was, or the next cycle tells more.
            return self._after_judgement(values, index)
        own["old"], own["new"] = own["new"], cycle
        kept = self._parts.model.state.kept
        if _NEW[1] in kept:
            kept[_OLD[0]], kept[_OLD[1]] = kept[_NEW[0]], kept[_NEW[1]]
        kept[_NEW[0]] = kept[_BEGIN]
        self._keep(_NEW[1])
        if turn.number == turn.count:
            self._own = {}
            kept.clear()
            return index
        count, decided = self._length(turn)
        if count < control.SHORTEST:
            self._begin_cycle(values)
            return index
        return self._jump(turn, count, decided, index)

    def take_back(self, reason: str) -> int:
        """Undo the jump under way; gives the index of the step that follows the last cycle before it."""
        own, parts = self._own, self._parts
        jump, kept = own["jump"], parts.model.state.kept[_NEW[1]]
        back = jump["back"]
        parts.go_back(back, kept)
        own["trust"] = control.earned(own["trust"], max(jump.get("ratio", 1.0), 1.0))
        own["limit"], own["jump"] = max(control.SHORTEST, jump["count"] // 2), None
        # Each time in a row that nothing comes of it, twice as many cycles are computed before the next try.
        own["wait"], own["patience"] = own["patience"], 2 * own["patience"]
        self._news.steps += jump["steps"]
        self._news.useful += jump["useful"]
        self._record(jump, "taken back", reason)
        self._begin_cycle(own["new"]["end"])
        return int(back["index"])

    # ------------------------------------------------------------------ a jump

    def _length(self, turn: Turn) -> tuple[int, str]:
        """How many cycles to leave out now, and what decides it; the same on every rank."""
        own = self._own
        if turn.number < self._table.resolved_first or own["old"] is None or not own["old"]["begin"]:
            return 0, "resolved_first"
        if own["wait"] > 0:
            own["wait"] -= 1
            return 0, "taken back"
        old, new = own["old"], own["new"]
        change = control.changes(old, new, new["number"] - old["number"])
        fields = self._extrapolation.changes(*self._computed())
        allowed = {name: own["trust"] * value for name, value in self._allowed(fields).items()}
        length, decided = control.allowed_length(change | fields, allowed)
        left = turn.count - turn.number - 1
        for bound, name in ((own["limit"], "longest_jump"), (left, "the end")):
            if bound < length:
                length, decided = float(bound), name
        count: tuple[int, str] = self._parts.model.comm.bcast((math.floor(length), decided))
        return count

    def _jump(self, turn: Turn, count: int, decided: str, index: int) -> int:
        own, parts, model = self._own, self._parts, self._parts.model
        old, new = own["old"], own["new"]
        before = parts.chronicle.now["charge"]
        back = parts.mark() | {"index": index}
        computed = self._computed()
        self._extrapolation.jump(*computed, count)
        charge = parts.observer.jump(count, own["observer"])
        if model.terminal is not None:
            peaks = [float(one.replicated[_TERMINAL][-1]) for one in (computed[1].begin, computed[1].end)]
            model.terminal.jump(charge, count * (peaks[1] - peaks[0]))
        own["jump"] = {
            "after": turn.number,
            "count": count,
            "decided_by": decided,
            "first": self._plan.steps[index].cycle,
            "last": self._plan.steps[index + count * turn.length - 1].cycle,
            "settled": None,
            "steps": 0,
            "useful": 0,
            "iterations": 0,
            "back": back,
        }
        index += count * turn.length
        parts.chronicle.note(dict(parts.observer.start()), 0, 0)
        own["jump"]["charge"] = parts.chronicle.now["charge"] - before
        LOG.info(
            "jumps over cycles %d to %d (decided by %s); the next one checks it",
            own["jump"]["first"],
            own["jump"]["last"],
            decided,
        )
        self._begin_cycle(control.extrapolated(old, new, new["number"] - old["number"], count))
        return index

    def _judged(self, turn: Turn, cycle: dict[str, Any]) -> bool:
        """Whether the jump under way is kept, after a cycle that follows it."""
        own = self._own
        jump, old, new = own["jump"], own["old"], own["new"]
        state, apart, ahead = (
            self._parts.model.state,
            new["number"] - old["number"],
            turn.number - new["number"],
        )
        later = Computed(turn.number, state.kept[_BEGIN].snapshot, state.snapshot())
        fields = self._extrapolation.slope_errors(*self._computed(), later)
        rates = control.slope_errors(old, new, apart, cycle, ahead) | fields
        of_cycle = control.cycle_errors(control.extrapolated(old, new, apart, ahead), cycle["end"])
        half = 0.5 * jump["count"]
        settled = jump["settled"] or rates
        errors = {name: settled[name] + half * value for name, value in rates.items()} | of_cycle
        allowed = self._allowed(fields)
        worst, ratio = control.worst(errors, allowed)
        hopeful = control.worst(rates | of_cycle, allowed)[1] <= 1.0 and turn.number < turn.count
        verdict = "kept" if ratio <= 1.0 else "again" if jump["settled"] is None and hopeful else "taken back"
        verdict, worst, errors, ratio = self._parts.model.comm.bcast((verdict, worst, errors, ratio))
        jump["errors"], jump["worst"], jump["ratio"] = errors, worst, ratio
        if verdict == "kept":
            cycle["begin"] = control.settled(old, new, apart, cycle, ahead)
            begin = self._extrapolation.settled(*self._computed(), later).begin
            state.kept[_BEGIN] = Kept(begin, state.kept[_BEGIN].nodal)
            self._record(jump, verdict, "")
            own["trust"] = control.earned(own["trust"], ratio)
            own["limit"], own["patience"], own["jump"] = self._table.longest_jump, 1, None
            return True
        jump["settled"] = rates if verdict == "again" else None
        return False

    def _after_judgement(self, values: control.Values, index: int) -> int:
        jump = self._own["jump"]
        if jump["settled"] is None:
            worst = jump["worst"]
            return self.take_back(
                f"the estimated error of {worst} is {jump['errors'][worst]:.3g}, "
                f"more than {self._allowed(jump['errors'])[worst]:.3g}"
            )
        LOG.info("the cycle after the jump is not enough to judge it: another one is computed")
        self._begin_cycle(values)
        return index

    def _allowed(self, names: Iterable[str]) -> dict[str, float]:
        return control.allowed(names, self._table.tolerance, self._table.field_tolerance)

    def _record(self, jump: Mapping[str, Any], outcome: str, reason: str) -> None:
        self.jumps.append(jump_report.entry(jump, outcome, reason))
        self._news.sentences.append(jump_report.sentence(self.jumps[-1]))

    # ------------------------------------------------------------------ what is kept

    def _begin_cycle(self, values: control.Values) -> None:
        """The next cycle begins here; ``values`` are those watched of the cycle before."""
        self._own["begin"] = values
        self._own["observer"] = self._parts.observer.memory()[0]
        self._own["first_block"] = len(self._parts.chronicle.blocks)
        self._keep(_BEGIN)

    def _keep(self, name: str) -> None:
        state = self._parts.model.state
        state.kept[name] = Kept(state.snapshot(), self._parts.observer.memory()[1])

    def _computed(self) -> tuple[Computed, Computed]:
        """The two cycles that slopes are taken from."""
        kept = self._parts.model.state.kept
        old, new = (
            Computed(self._own[name]["number"], kept[begin].snapshot, kept[end].snapshot)
            for name, (begin, end) in (("old", _OLD), ("new", _NEW))
        )
        return old, new

    def news(self) -> News:
        """What has happened since this was last asked."""
        news, self._news = self._news, News()
        return news

    def memory(self) -> dict[str, Any]:
        """What its way depends on besides the model's state, as JSON can hold it."""
        return {"own": self._own, "jumps": self.jumps, "resolved": self._resolved}

    def recall(self, numbers: Mapping[str, Any]) -> None:
        """Go on as the jumper would have whose ``memory`` this is."""
        self._own, self.jumps = dict(numbers["own"]), list(numbers["jumps"])
        self._resolved = int(numbers["resolved"])

    def notes(self) -> tuple[str, ...]:
        """What is not computed, in a sentence."""
        return jump_report.notes(self.jumps, self._table)

    def described(self, cycles: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """What summary.json says of the jumps, and its rows of the cycles that were computed."""
        told = jump_report.described(self.jumps, self._resolved, self._table)
        return told | {"cycles": jump_report.marked(cycles, self.jumps)}
