"""``swellbound adhesion``: pulls the electrode of a run apart, from its last saved state. The run is only read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpi4py import MPI

from fem import adhesion
from fem import domain as domains
from fem.adhesion import Curve, Kind, Pull
from fem.adhesion_ledger import Row
from fem.checkpoint import Checkpoint, StateKeeper
from fem.model import ElectrodeModel
from fem.output import FieldWriter
from fem.section import Section, hold_elsewhere, loosening_of_fillings, section_at_depth, section_at_foil
from fem.solver_settings import SolverSettings
from run import about, folder, meshing, restart, results
from run.build import build_model, solver_settings
from run.case import Case
from run.errors import InputError
from run.progress import ProgressLine
from run.ranks import on_first_rank

TABLE, CURVE = "adhesion.json", "adhesion.csv"
NOTES = (
    "pores are empty: the ties of their filling are let go",
    "the electrode is unloaded before it is gripped; no lithium enters or leaves during the test",
    "only interfaces of the section may break further; all others keep the damage they have",
    "work and its parts are per width of the electrode seen from above",
    "idle_force is what broken bonds, fillings and numerical inertia carry across the section; where nothing_holds, "
    "strength and work of separation are upper bounds",
    "elastic_loss is what snaps set free: the work that is neither dissipated nor stored nor chemical",
    "chemical is what lithium that moves between grains takes as it makes them swell against stresses, negative where "
    "it does work",
    "peel: 90 degrees, gripped at the upper left edge, far side on rollers; the steady force per width is the energy "
    "dissipated per newly separated area, between 30 and 80 % of the section, without elastic_loss and viscous",
)
_UNITS = {"way_um": "um", "force_N_m": "N/m", "idle_force_N_m": "N/m", "debonded_share": "1"}


@dataclass(frozen=True)
class AdhesionOptions:
    """An adhesion test of a run.

    Attributes:
        run: Folder of the run.
        at: ``foil``, or a depth below the electrode's upper face in µm.
        pull: Kind and speed.
        temperature: In K; that of the run if None.
        out: Folder of the results; ``RUN/adhesion/TEST-LOCATION`` if None.
        quiet: Show nothing on the way.
    """

    run: Path
    at: float | str
    pull: Pull
    temperature: float | None = None
    out: Path | None = None
    quiet: bool = False

    @property
    def place(self) -> str:
        """The location in words."""
        return self.at if isinstance(self.at, str) else f"{self.at:g} um below the top"

    @property
    def folder(self) -> Path:
        """Where the results go."""
        where = self.at if isinstance(self.at, str) else f"{self.at:g}um"
        return self.out or self.run / results.ADHESION / f"{self.pull.kind}-{where}"


def adhesion_of_run(options: AdhesionOptions, comm: MPI.Intracomm) -> dict[str, Any]:
    """Test the adhesion of a run's last saved state and write table, curve, fields and pictures; collective.

    Returns:
        What ``adhesion.json`` holds, on every rank.

    Raises:
        InputError: There is no such run, no sound checkpoint, or no section there.
        ResultsError: A file cannot be written.
    """
    case, given, _ = on_first_rank(comm, lambda: folder.open_again(options.run, "RUN"))
    mesh = given or options.run / results.MESH / f"{case.name}.msh"
    with ProgressLine(f"{case.name}, {options.pull.kind}", comm.rank == 0 and not options.quiet) as line:
        line.update(0.0, "building")
        on_first_rank(comm, meshing.silence_reader)
        model = build_model(case, domains.read(mesh, comm), options.temperature)
        state = load_state(options.run / results.STATE, case, model)
        if options.temperature is not None:
            model.set_temperature(options.temperature)

        def told(row: Row) -> None:
            share = row["debonded_share"]
            line.update(min(1.0, share), f"{1e3 * row['way_um']:.0f} nm, {row['force_N_m']:.3g} N/m")

        section, curve = pull_apart(model, solver_settings(case), options.at, options.pull, told, line.update)
    table = _table(options, case, model, section, curve) | {"state": state}
    writer = FieldWriter(model, options.folder / results.FIELDS)
    writer.write(model.state.time)
    drawn = writer.section()
    section_arrays: dict[str, Any] = {} if drawn is None else {**drawn}

    def write() -> None:
        from run.adhesion_picture import draw_curve, draw_section

        columns = {name: _UNITS.get(name, "J/m^2") for name in curve.rows[0]}
        results.write_history(options.folder / CURVE, columns, curve.rows)
        results.write_json(options.folder / TABLE, table)
        draw_curve(table, curve.rows, options.folder / "force.png")
        if section_arrays:
            draw_section(table, section_arrays, options.folder / "section.png")

    on_first_rank(comm, write)
    return table


def pull_apart(
    model: ElectrodeModel,
    settings: SolverSettings,
    at: float | str,
    how: Pull,
    told: Callable[[Row], None] | None = None,
    shown: Callable[[float, str], None] | None = None,
    pause: Callable[[], None] | None = None,
) -> tuple[Section, Curve]:
    """Unload a model's electrode and pull it apart; collective. The model is of no further use.

    Args:
        model: In the state to start from.
        settings: Of the solver.
        at: ``foil``, or a depth below the electrode's upper face in µm.
        how: Kind and speed.
        told: Called with every row.
        shown: Called with a fraction and a word on what is done.
        pause: Called before every time step; may raise :class:`fem.errors.Interrupted`.

    Raises:
        InputError: There is no section there.
        RunStopped: The electrode has no equilibrium without its load.
    """
    section = _section(at, model)
    if model.terminal is not None:
        model.terminal.control_current(0.0)
    model.control("influx").value = 0.0
    if shown is not None:
        shown(0.0, "unloading")
    adhesion.unload(model, settings, loosening_of_fillings(model), pause=pause)
    # The growth of damage is relaxed over steps to pass snaps in a long run; here it would count as adhesion.
    model.relaxation_ratio = 0.0
    hold_elsewhere(model, section)
    return section, adhesion.pull(model, section, how, settings, told, pause)


def load_state(store: Path, case: Case, model: ElectrodeModel) -> dict[str, Any]:
    """Bring a model to the newest sound checkpoint of a run; collective.

    Returns:
        File, step, time and thickness of the state.

    Raises:
        InputError: There is none.
    """
    keeper = StateKeeper(model)
    checkpoint: Checkpoint | None = None

    def look() -> tuple[str, list[str]]:
        nonlocal checkpoint
        found = restart.find(store, {"case": case.content_hash, "mesh": keeper.mesh})
        checkpoint = found.checkpoint
        return "" if found.path is None else found.path.name, [sentence for _, sentence in found.refused]

    name, refused = on_first_rank(model.comm, look)
    if not name:
        why = refused[0] if refused else "it holds no checkpoint; run it, or go on with it, first."
        raise InputError("RUN", f"= {str(store.parent)!r} is not allowed: {why}")
    keeper.restore(checkpoint)
    told: dict[str, Any] = {}
    if checkpoint is not None:
        columns = list(checkpoint.numbers["columns"])
        row = dict(zip(columns, checkpoint.tables["history"][-1].tolist(), strict=True))
        chosen = ("time_s", "mean_lithiation", "thickness_um", "thickening_percent")
        told = {"checkpoint": name, "step": checkpoint.numbers["steps"], **{key: row[key] for key in chosen}}
        first = checkpoint.tables["history"][0][columns.index("thickness_um")]
        told["thickness_start_um"] = float(first)
    result: dict[str, Any] = model.comm.bcast(told)
    return result


def _section(at: float | str, model: ElectrodeModel) -> Section:
    if isinstance(at, str):
        return section_at_foil(model)
    thickness = model.domain.box["thickness"]
    if not 0.0 < at < thickness:
        raise InputError(
            "--at",
            f"= '{at:g} um' is not allowed: it must be foil, or a depth between 0 and {thickness:g} um",
        )
    return section_at_depth(model, at)


def findings(model: ElectrodeModel, section: Section, curve: Curve, how: Pull) -> dict[str, Any]:
    """What a test gave: work and its parts, strength or steady force, what came apart."""
    end = curve.rows[-1]
    work = end["external_work_J_m2"]
    plastic = {phase: end[f"plastic_{phase}_J_m2"] for phase in model.domain.phases}
    metal = plastic.get("lithium", 0.0)
    parts = {
        "cohesive": end["cohesive_J_m2"],
        "plastic_lithium": metal,
        "plastic_elsewhere": sum(plastic.values()) - metal,
        "elastic_loss": adhesion.elastic_loss(end),
        "viscous": end["viscous_J_m2"],
        "friction": end["friction_J_m2"],
        "stored": end["stored_J_m2"],
        "chemical": end["chemical_J_m2"],
    }
    found: dict[str, Any]
    if how.kind == "peel":
        found = {"steady_force_N_m": adhesion.steady_energy(curve, section)}
    elif curve.apart:
        # What they are below.
        found = {"work_of_separation_J_m2": adhesion.PULL * end["way_um"], "strength_MPa": adhesion.PULL}
    else:
        strength = max(row["force_N_m"] for row in curve.rows) / section.width
        found = {"work_of_separation_J_m2": work, "strength_MPa": strength}
    return {
        "complete": curve.complete,
        "nothing_holds": curve.apart,
        "end_reason": curve.reason,
        **found,
        "work_J_m2": work,
        "parts_J_m2": parts,
        "plastic_J_m2": plastic,
        "section_area_um": section.area,
        "section_area_per_width": section.area / section.width,
        "debonded_share_before": curve.rows[0]["debonded_share"],
        "debonded_share_after": end["debonded_share"],
        "steps": len(curve.rows) - 1,
    }


def _table(
    options: AdhesionOptions, case: Case, model: ElectrodeModel, section: Section, curve: Curve
) -> dict[str, Any]:
    return {
        "case": case.name,
        "run": str(options.run),
        "test": options.pull.kind,
        "at": options.place,
        "rate_um_s": options.pull.speed,
        "temperature_K": model.temperature,
        **findings(model, section, curve, options.pull),
        "ranks": model.comm.size,
        "case_hash": case.content_hash,
        "version": about.version(),
        "commit": about.commit(),
        "notes": list(NOTES),
    }


def one_line(table: dict[str, Any]) -> str:
    """The result in one line."""
    if table["test"] == "peel":
        steady = table["steady_force_N_m"]
        found = (
            "no steady state was reached" if steady is None else f"steady force {steady:.3g} N/m per width"
        )
    elif table["nothing_holds"]:
        return (
            f"{table['case']}, {table['test']} at {table['at']}: nothing holds: strength below "
            f"{1e3 * table['strength_MPa']:.3g} kPa, work below {table['work_of_separation_J_m2']:.2g} J/m^2 "
            f"({table['end_reason']})"
        )
    else:
        found = f"work of separation {table['work_of_separation_J_m2']:.3g} J/m^2, "
        found += f"strength {table['strength_MPa']:.3g} MPa; {table['end_reason']}"
    shares = {
        name: value
        for name, value in table["parts_J_m2"].items()
        if abs(value) > 5e-4 * abs(table["work_J_m2"])
    }
    words = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in shares.items())
    return f"{table['case']}, {table['test']} at {table['at']}: {found} ({words} J/m^2)"


def kind_of(text: str) -> Kind:
    """The kind of test a user names.

    Raises:
        InputError: There is no such test.
    """
    if text == "pull-off":
        return "pull-off"
    if text == "peel":
        return "peel"
    raise InputError("--test", f"= {text!r} is not allowed: it must be pull-off or peel")
