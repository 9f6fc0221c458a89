"""Time steps: predict, solve, accept or roll back; the step grows and shrinks with convergence and change.

Interfaces that soften have more than one equilibrium to go to, and grains that let go have none nearby. What leads
through is numerical inertia: departures of an interface from the motion expected of it (that of the last step) meet a
stiffness. It is nothing in steady motion and of second order in the step elsewhere; its work, which stands for the
kinetic energy of what snaps, is reported, and where a step spends more than a small share of its work on it the next
one is shorter. An interface that holds meets a stiffness above the slope at which it softens, so that a step has one
solution; a broken one much less. Where a step fails even so, the few grains that are to blame are slowed by far more,
which fades over the following steps, and the step is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from mpi4py import MPI

from fem.admissible import AdmissibleCheck
from fem.errors import RunStopped
from fem.model import ElectrodeModel
from fem.solver import NewtonSolver, Outcome
from fem.state import Snapshot

#: Rate in C that ``StepSettings.resolved`` is given for: 30 s of it are 8.3e-4 of the charge of the hosts.
RESOLVED_AT = 0.1
# Stiffness in MPa/µm that a grain which stalls is slowed by at most, some ten times that of contact: more of it holds
# nothing more, and in the end rounding alone would leave forces out of balance.
_STIFFEST = 1.0e7


@dataclass(frozen=True)
class StepSettings:
    """Limits of the step controller.

    Attributes:
        first: First step in s.
        smallest: Step in s below which a failure stops the run.
        largest: Largest step in s.
        lithiation_change: Largest change of lithiation at any node in a step that is aimed at.
        damage_change: Largest change of the area-averaged damage in a step that is aimed at.
        target_iterations: Newton iterations with a tangent of their own at which the step stays as it is.
        growth: Largest growth factor from one step to the next.
        cut: Factor after every failure of a step.
        stabilisation: Stiffness in MPa/µm against departures from the expected motion at grains that stall or fail.
        release: Factor on that stiffness from step to step.
        resting_stabilisation: What it never falls below: it holds a grain without any contact on its way, with
            0.3 MPa for a departure of 10 nm in a step, so that Newton's method does not throw it from wall to wall.
        holding_stabilisation: The same at interfaces that can break and still hold, about three times the slope
            σ_max² / (2 Gc) at which they soften.
        resisted_share: Share of a step's work that is aimed at for all stabilisation together.
        resolved: Step in s below which that share is of no account: a snap stays one however short the step. Under a
            current of a tenth of C, or none; see :meth:`Stepper.driven_at`.
    """

    first: float = 1.0
    smallest: float = 1.0e-3
    largest: float = 1800.0
    lithiation_change: float = 0.3
    damage_change: float = 0.04
    target_iterations: int = 10
    growth: float = 1.6
    stabilisation: float = 1000.0
    release: float = 0.3
    resting_stabilisation: float = 30.0
    holding_stabilisation: float = 2000.0
    resisted_share: float = 0.05
    resolved: float = 30.0
    cut: float = 0.4


@dataclass(frozen=True)
class StepReport:
    """What one accepted step took.

    Attributes:
        dt: Step in s.
        iterations: Newton iterations of the accepted attempt.
        rejected: Attempts that were rolled back before it.
        wasted: Newton iterations of those attempts.
        lithiation_change: Largest change of lithiation at a node.
        damage_change: Change of the area-averaged damage.
    """

    dt: float
    iterations: int
    rejected: int
    wasted: int
    lithiation_change: float
    damage_change: float


class Stepper:
    """Advances a model step by step.

    Args:
        model: The coupled model.
        solver: Its Newton solver.
        settings: Step limits.
        before_commit: Called after convergence and before history is overwritten; returning False rejects the step.
        resisted: Called after that; gives the share of the step's work that the stabilisation has taken.
    """

    def __init__(
        self,
        model: ElectrodeModel,
        solver: NewtonSolver,
        settings: StepSettings,
        before_commit: Callable[[], bool] | None = None,
        resisted: Callable[[], float] | None = None,
    ):
        self.model, self.solver, self.settings = model, solver, settings
        self._before_commit, self._resisted = before_commit, resisted
        self.next_dt, self._resolved = settings.first, settings.resolved
        self._driven = True
        self._last: tuple[float, npt.NDArray[np.float64]] | None = None
        self._admissible = AdmissibleCheck(model)
        self._release(1.0)

    def advance(self, limit: float, judge: Callable[[float], float | None] | None = None) -> StepReport:
        """Take one step of at most ``limit`` seconds.

        Args:
            limit: Longest step in s.
            judge: Called with the length of a step that has converged, before it is accepted; gives a shorter length
                to try instead, or None to accept it (see fem/events.py). The same on every rank.

        Raises:
            RunStopped: Steps of the smallest size fail; the state is that of the last accepted step.
        """
        model, settings = self.model, self.settings
        dt = min(self.next_dt, limit, settings.largest)
        start = model.state.snapshot()
        rejected = wasted = 0
        snapping: dict[int, float] = {}

        def slow(grains: set[int]) -> None:
            for grain in grains:
                level = snapping.get(grain, settings.stabilisation / 10.0) * 10.0
                snapping[grain] = min(level, _STIFFEST)
            for level in set(snapping.values()):
                model.stabilisation.resist({grain for grain, own in snapping.items() if own == level}, level)

        self.solver.on_stagnation = slow
        predict = True
        while True:
            model.prepare_step(dt, self._expected(dt) if predict else None)
            outcome = self.solver.solve()
            reason = outcome.reason
            if outcome.converged:
                refused = self._admissible.problem()
                shorter = None if refused is not None or judge is None else judge(dt)
                if shorter is not None:
                    model.state.restore(start)
                    wasted, dt = wasted + outcome.iterations, shorter
                    continue
                if refused is None and self._before_commit is not None and not self._before_commit():
                    refused = "an output of the step is not finite"
                if refused is None:
                    return self._accept(start, dt, outcome, rejected, wasted)
                reason = refused
            restless = self.solver.restless_grains()
            model.state.restore(start)
            if predict and not outcome.converged and outcome.iterations == 0:
                # The prediction itself was out of bounds: that says nothing about the step.
                predict = False
                continue
            rejected, wasted = rejected + 1, wasted + outcome.iterations
            self._last = None
            dt *= settings.cut
            if rejected > 2:
                slow(restless)
            if dt < settings.smallest:
                model.state.restore(start)  # the stabilisation of the attempts as well
                model.elapsed.value = 0.0
                raise RunStopped(
                    f"at t = {model.state.time:.6g} s steps of {dt / settings.cut:.3g} s still fail ({reason}); "
                    f"the smallest allowed step is {settings.smallest:.3g} s{self._admissible.full_grain()}"
                )

    def driven_at(self, rate: float | None) -> None:
        """Say what drives the model: a current of so many C, or nothing of that kind.

        What ``StepSettings.resolved`` stands for is a share of the charge, so it is longer or shorter with the current.
        """
        self._driven = rate is not None
        self._resolved = self.settings.resolved * (1.0 if rate is None else RESOLVED_AT / rate)

    def begin_anew(self, first: float) -> None:
        """Forget the last step's rate and begin with a step of ``first`` seconds: what drives the model has changed."""
        self.next_dt, self._last = first, None

    def memory(self) -> tuple[dict[str, float], dict[str, npt.NDArray[np.float64]]]:
        """What the next step depends on besides the model's state: numbers, and arrays like the unknowns'."""
        numbers = {"next_dt": self.next_dt}
        if self._last is None:
            return numbers, {}
        return {**numbers, "last_dt": self._last[0]}, {"rate": self._last[1]}

    def recall(self, numbers: Mapping[str, float], nodal: Mapping[str, npt.NDArray[np.float64]]) -> None:
        """Go on as the stepper would have whose ``memory`` this is."""
        self.next_dt = numbers["next_dt"]
        self._last = (numbers["last_dt"], nodal["rate"].copy()) if "last_dt" in numbers else None

    def _accept(self, start: Snapshot, dt: float, outcome: Outcome, rejected: int, wasted: int) -> StepReport:
        model, settings = self.model, self.settings
        unknowns = model.state.unknowns.x.array
        rate = (unknowns - start.arrays["unknowns"]) / dt
        lithiation = self._largest_lithiation_change(unknowns - start.arrays["unknowns"])
        resisted = 0.0 if self._resisted is None else self._resisted()
        before = model.mean_damage()
        model.commit()
        damage = model.mean_damage() - before
        self._last = (dt, rate)
        self._release(settings.release)
        factor = settings.growth
        if outcome.tangents > settings.target_iterations:
            factor = max(0.5, settings.target_iterations / outcome.tangents)
        elif rejected:
            factor = 1.0
        for change, allowed in ((lithiation, settings.lithiation_change), (damage, settings.damage_change)):
            if change > 0.0:
                factor = min(factor, max(0.3, allowed / change))
        if resisted > 0.0:
            # A departure grows with the square of the step, its work with the fourth power, the step's with the first.
            # What snaps does so in steps of any length: below a certain one shorter ones show nothing more.
            wanted = max(0.5, (settings.resisted_share / resisted) ** (1.0 / 3.0))
            factor = min(factor, max(wanted, self._resolved / dt))
        self.next_dt = dt * factor
        return StepReport(dt, outcome.iterations, rejected, wasted, lithiation, damage)

    def _release(self, factor: float) -> None:
        settings = self.settings
        rest = settings.resting_stabilisation, settings.holding_stabilisation
        self.model.stabilisation.release(factor, *rest)

    def _expected(self, dt: float) -> npt.NDArray[np.float64] | None:
        """Unknowns at the end of a step by linear extrapolation of the last one, concentrations inside their bounds.

        Where nothing drives, no farther than the last step went. What is held by a stiffness K and resisted by C goes
        as (K + C) u'' = C (u' + r (u' - u)) from step to step, r being the ratio of their lengths, and swings up where
        C r > K + C: in steps that grow, a grain in its place would be thrown ever farther by its rounding errors.
        """
        if self._last is None:
            return None
        array = self.model.state.unknowns.x.array
        guess = array + (dt if self._driven else min(dt, self._last[0])) * self._last[1]
        concentration = self.model.state.dofs.concentration
        bound = self.model.capacity_of_node[concentration]
        inside = (guess[concentration] > 0.0) & (guess[concentration] < bound)
        kept = concentration[~inside]
        guess[kept] = array[kept]
        return guess

    def _largest_lithiation_change(self, change: npt.NDArray[np.float64]) -> float:
        dofs = self.model.state.dofs.concentration
        scaled = np.abs(change[dofs]) / self.model.capacity_of_node[dofs]
        return float(self.model.comm.allreduce(float(np.max(scaled, initial=0.0)), op=MPI.MAX))
