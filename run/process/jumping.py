"""Cycle jumps: repetitions computed at a few cycles, extrapolated over the others, and checked by a cycle after each.

A jump is provisional until the cycle that follows it has been computed. If that agrees with what the slopes before the
jump predicted, the jump is kept, and the slopes that are now known at both ends correct it. If not, everything goes
back, bit for bit, to the end of the last cycle before the jump, and a shorter one is made at once, with the slope that
the cycle after the first one has taught.
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

#: Names of the states that are kept: where the present cycle began, the two cycles that slopes are taken from (their
#: ends may be corrected), a later one whose slope is known, and the end of the last cycle before a jump as it was.
_BEGIN, _OLD, _NEW = "cycle_begin", ("old_begin", "old_end"), ("new_begin", "new_end")
_FAR, _HERE = ("far_begin", "far_end"), "here"
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

    def begins(self, planned: Planned) -> None:
        """A step begins; take note of the state where it is the first of a repetition."""
        turn = planned.turn
        if turn is None or self._own.get("place") == turn.place:
            return
        self._own = {
            "place": turn.place,
            "length": turn.length,
            "old": None,
            "new": None,
            "far": None,
            "jump": None,
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
        own, chronicle, state = self._own, self._parts.chronicle, self._parts.model.state
        self._resolved += 1
        values = control.watched(chronicle.blocks[own["first_block"] :], chronicle.now)
        cycle = {"number": turn.number, "begin": own["begin"], "end": values}
        later, jumped = Computed(turn.number, state.kept[_BEGIN].snapshot, state.snapshot()), self.provisional
        if jumped:
            reason = self._judged(cycle, later)
            if reason:
                own["far"] = cycle
                state.kept[_FAR[0]], state.kept[_FAR[1]] = Kept(later.begin), Kept(later.end)
                return self.take_back(reason)
            later = self._accepted(cycle, later)
        elif own["new"] is not None and own["new"]["begin"]:
            own["trust"] = control.regained(own["trust"])
            cycle["begin"] = control.smoothed(own["new"], cycle)
            later = self._extrapolation.correction.smoothed(self._turn("new", _NEW), later)
        if own["far"] is not None and own["far"]["number"] - turn.number <= control.SHORTEST:
            self._forget()
        own["old"], own["new"] = own["new"], cycle
        if own["old"] is not None:
            state.kept[_OLD[0]], state.kept[_OLD[1]] = state.kept[_NEW[0]], state.kept[_NEW[1]]
        state.kept[_NEW[0]], state.kept[_NEW[1]] = Kept(later.begin), Kept(later.end)
        self._keep(_HERE)
        if turn.number == turn.count:
            self._own = {}
            state.kept.clear()
            return index
        count, decided = self._length(turn)
        if count >= control.SHORTEST:
            return self._jump(count, decided, index)
        if jumped:
            self._extrapolate(0)
        self._begin_cycle(values)
        return index

    def take_back(self, reason: str) -> int:
        """Undo the jump under way, and make a shorter one; gives the index of the step that follows."""
        own, parts = self._own, self._parts
        jump, here = own["jump"], parts.model.state.kept[_HERE]
        back, ratio = jump["back"], jump.get("ratio")
        parts.go_back(back, here)
        own["trust"] = control.earned(own["trust"], max(ratio or 1.0, 1.0))
        own["jump"] = None
        self._news.steps += jump["steps"]
        self._news.useful += jump["useful"]
        self._record(jump, "taken back", reason)
        count = control.shorter(jump["count"], ratio)
        index = int(back["index"])
        if count >= control.SHORTEST:
            own["observer"] = back["since"]
            return self._jump(count, "one taken back", index)
        # Each time in a row that nothing comes of it, twice as many cycles are computed before the next try.
        own["wait"], own["patience"] = own["patience"], 2 * own["patience"]
        self._forget()
        self._begin_cycle(own["new"]["end"])
        return index

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
        allowed = {name: own["trust"] * value for name, value in self._allowed(fields, new["end"]).items()}
        length, decided = control.allowed_length(change | fields, allowed)
        if own["far"] is not None:
            length, decided = float(own["far"]["number"] - turn.number - 1), "a slope known ahead"
        left = turn.count - turn.number - 1
        for bound, name in ((self._table.longest_jump, "longest_jump"), (left, "the end")):
            if bound < length:
                length, decided = float(bound), name
        if control.SHORTEST <= length < left:
            length = float(control.evenly(math.floor(length), left))
        count: tuple[int, str] = self._parts.model.comm.bcast((math.floor(length), decided))
        return count

    def _jump(self, count: int, decided: str, index: int) -> int:
        """Leave out so many cycles before the step ``index``; gives the index of the step that follows."""
        own, parts = self._own, self._parts
        before = parts.chronicle.now["charge"]
        back = parts.mark() | {"index": index, "since": own["observer"]}
        predicted = control.extrapolated(own["old"], own["new"], count, own["far"])
        self._extrapolate(count)
        end = index + count * own["length"]
        own["jump"] = {
            "count": count,
            "decided_by": decided,
            "first": self._plan.steps[index].cycle,
            "last": self._plan.steps[end - 1].cycle,
            "steps": 0,
            "useful": 0,
            "iterations": 0,
            "charge": parts.chronicle.now["charge"] - before,
            "back": back,
        }
        LOG.info(
            "jumps over cycles %d to %d (decided by %s); the next one checks it",
            own["jump"]["first"],
            own["jump"]["last"],
            decided,
        )
        # Damage and side products are numbers of the state, and what the state was brought to is known.
        self._begin_cycle(predicted | control.of_state(parts.chronicle.now["state"]))
        return end

    def _extrapolate(self, count: int) -> None:
        """Bring the state so many cycles on, and the book with it."""
        parts, model = self._parts, self._parts.model
        old, new = self._computed()
        self._extrapolation.jump(old, new, count, self._far())
        charge = parts.observer.jump(count, self._own["observer"])
        if model.terminal is not None:
            peaks = [float(one.replicated[_TERMINAL][-1]) for one in (new.begin, new.end)]
            model.terminal.jump(charge, count * (peaks[1] - peaks[0]))
        parts.chronicle.note(dict(parts.observer.start()), 0, 0)

    def _judged(self, cycle: dict[str, Any], later: Computed) -> str:
        """Why the jump under way is to be taken back, after the cycle that follows it; empty where it is kept."""
        own, correction = self._own, self._extrapolation.correction
        jump = own["jump"]
        errors = control.errors(own["old"], own["new"], cycle, own["far"])
        errors |= correction.errors(*self._computed(), later, self._far())
        allowed = self._allowed(errors, cycle["end"])
        worst, ratio = self._parts.model.comm.bcast(control.worst(errors, allowed))
        jump["errors"], jump["worst"], jump["ratio"] = errors, worst, ratio
        if ratio <= 1.0:
            return ""
        return f"the estimated error of {worst} is {errors[worst]:.3g}, more than {allowed[worst]:.3g}"

    def _accepted(self, cycle: dict[str, Any], later: Computed) -> Computed:
        """The jump under way is kept; gives the cycle after it as it is after the correction."""
        own = self._own
        cycle["begin"], cycle["end"] = control.corrected(own["old"], own["new"], cycle, own["far"])
        found = self._extrapolation.correction.corrected(*self._computed(), later, self._far())
        own["trust"] = control.earned(own["trust"], own["jump"]["ratio"])
        self._record(own["jump"], "kept", "")
        own["patience"], own["jump"] = 1, None
        return found

    def _allowed(self, names: Iterable[str], values: control.Values) -> dict[str, float]:
        return control.allowed(names, self._table.tolerance, self._table.field_tolerance, values["damage"])

    def _record(self, jump: Mapping[str, Any], outcome: str, reason: str) -> None:
        self.jumps.append(jump_report.entry(jump, outcome, reason))
        self._news.sentences.append(jump_report.sentence(self.jumps[-1]))

    def _begin_cycle(self, values: control.Values) -> None:
        """The next cycle begins here; ``values`` are those watched of the cycle before."""
        self._own["begin"] = values
        self._own["observer"] = self._parts.observer.memory()[0]
        self._own["first_block"] = len(self._parts.chronicle.blocks)
        self._keep(_BEGIN)

    def _keep(self, name: str) -> None:
        state = self._parts.model.state
        state.kept[name] = Kept(state.snapshot(), self._parts.observer.memory()[1])

    def _far(self) -> Computed | None:
        """The later cycle whose slope is known."""
        return None if self._own["far"] is None else self._turn("far", _FAR)

    def _forget(self) -> None:
        """The slope of a later cycle no longer counts."""
        self._own["far"] = None
        for name in _FAR:
            self._parts.model.state.kept.pop(name, None)

    def _computed(self) -> tuple[Computed, Computed]:
        """The two cycles that slopes are taken from."""
        return self._turn("old", _OLD), self._turn("new", _NEW)

    def _turn(self, name: str, states: tuple[str, str]) -> Computed:
        kept = self._parts.model.state.kept
        return Computed(self._own[name]["number"], *(kept[state].snapshot for state in states))

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
