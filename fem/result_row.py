"""The columns of history.csv: their units, and the row that follows from what has been measured."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fem.instruments import Instruments
from fem.run_totals import RATES, Beginning, Totals
from fem.units import CM2_PER_UM2, FARADAY, MAH_PER_PC

Row = dict[str, float]

COLUMNS: dict[str, str] = {
    "time_s": "s",
    "dt_s": "s",
    "newton_iterations": "1",
    "charge_mAh_cm2": "mAh/cm^2",
    "mean_lithiation": "1",
    "lithium_metal_left": "1",
    "thickness_um": "um",
    "thickening_percent": "%",
    "thickening_solids_um": "um",
    "thickening_interface_void_um": "um",
    "thickening_pores_um": "um",
    "thickening_lithium_removed_um": "um",
    "void_check_um": "um",
    "top_displacement_um": "um",
    "debonded_fraction": "1",
    "damaged_fraction": "1",
    "penetration_max_um": "um",
    "penetration_at_folds_um": "um",
    "penetration_mean_um": "um",
    "sliding_max_um": "um",
    "searched_contact_fraction": "1",
    "viscous_dissipation_pJ_um": "pJ/um",
    "plastic_dissipation_pJ_um": "pJ/um",
    "fracture_dissipation_pJ_um": "pJ/um",
    "friction_dissipation_pJ_um": "pJ/um",
    "stabilisation_dissipation_pJ_um": "pJ/um",
    "unresolved_work_pJ_um": "pJ/um",
    "contact_turning_pJ_um": "pJ/um",
    "external_work_pJ_um": "pJ/um",
    "chemical_work_pJ_um": "pJ/um",
    "stored_energy_pJ_um": "pJ/um",
    "energy_balance_error": "1",
    "unresolved_share": "1",
    "contact_turning_share": "1",
    "lithium_book_error": "1",
    "det_F_min": "1",
    "lithiation_min": "1",
    "lithiation_max": "1",
    "electrolyte_potential_V": "V",
}
"""Unit of every column that each run has, in order; :attr:`Observer.columns` adds those per phase and per kind."""

_PER_KIND = ("debonded_fraction", "damaged_fraction")


class RowBuilder:
    """Turns sums and extremes into rows.

    Args:
        instruments: What measures them.

    Attributes:
        columns: Unit of every column of this model's rows, in order.
    """

    def __init__(self, instruments: Instruments):
        self._instruments, self._fixed = instruments, instruments.fixed
        self.columns = self._columns()

    def row(
        self,
        sums: Mapping[str, float],
        extremes: Mapping[str, float],
        totals: Totals,
        beginning: Beginning,
        time: float,
        dt: float,
    ) -> Row:
        """Row of a state; collective, and the same on every rank.

        Args:
            sums: See :meth:`fem.instruments.Instruments.sums`.
            extremes: See :meth:`fem.instruments.Instruments.extremes`.
            totals: What has accumulated by then.
            beginning: What the run started with.
            time: In s.
            dt: Length of the step that led there in s.
        """
        tools, fixed = self._instruments, self._fixed
        width, initial = tools.thickness.width, tools.thickness.initial
        thickness = tools.thickness.thickness(sums)
        parts = {
            name: sum(sums[f"volume_change_{phase}"] for phase in phases) / width
            for name, phases in tools.parts.items()
        }
        # What opens between a filling and a grain is space of the pore, whatever the filling itself does.
        parts["pores"] += sums["void_at_pores"] / width
        # So are the holes that lithium leaves in sites of metal that shrink no further.
        parts["pores"] += sums["vacancies"] / width
        parts["lithium_removed"] -= sums["vacancies"] / width
        void = thickness - initial - sum(parts.values())
        stored = sums["bulk_energy"] + sums["interface_energy"]
        energies, fracture = totals.energies, sums["fracture_dissipation"]
        gained = energies["external_work"] + energies["chemical_work"]
        spent = fracture + sum(energies[name] for name in RATES if name.endswith("dissipation"))
        # Of contacts that turn the store grows by more than they take up.
        spent += energies["unresolved_work"] - energies["contact_turning"]
        imbalance = abs(gained - spent - (stored - beginning.stored))
        return {
            "time_s": time,
            "dt_s": dt,
            "newton_iterations": 0.0,
            "charge_mAh_cm2": totals.charge * MAH_PER_PC / CM2_PER_UM2,
            "mean_lithiation": self._mean_lithiation(sums, tools.book.hosts),
            **{f"mean_lithiation_{name}": self._mean_lithiation(sums, (name,)) for name in tools.book.hosts},
            "lithium_metal_left": _ratio(_lithium(sums, tools.book.metal), beginning.metal),
            **{
                f"contact_fraction_{kind}": _ratio(sums[f"contact_{kind}"], fixed[f"area_{kind}"])
                for kind in tools.kinds_losing_contact
            },
            **{
                f"{name}_mAh_cm2": self._areal_charge(sums[f"lithium_{name}"]) for name in tools.book.products
            },
            "thickness_um": thickness,
            "thickening_percent": 100.0 * (thickness / initial - 1.0),
            "thickening_solids_um": parts["solids"],
            "thickening_interface_void_um": void,
            "thickening_pores_um": parts["pores"],
            "thickening_lithium_removed_um": parts["lithium_removed"],
            "void_check_um": void - (sums["void"] - sums["void_at_pores"]) / width,
            "top_displacement_um": sums["top_displacement"] / fixed["top_area"],
            **self._shares(sums, "debonded"),
            **tools.risk.row(),
            **self._shares(sums, "damaged"),
            "penetration_max_um": abs(extremes["penetration"]),
            "penetration_at_folds_um": abs(extremes["penetration_at_folds"]),
            "penetration_mean_um": _ratio(sums["penetration"], sums["contact_area"]),
            "sliding_max_um": abs(extremes["sliding"]),
            "searched_contact_fraction": _ratio(sums["searched_contact"], sums["contact_area"]),
            "viscous_dissipation_pJ_um": energies["viscous_dissipation"],
            "plastic_dissipation_pJ_um": energies["plastic_dissipation"],
            "fracture_dissipation_pJ_um": fracture,
            "friction_dissipation_pJ_um": energies["friction_dissipation"],
            "stabilisation_dissipation_pJ_um": energies["stabilisation_dissipation"],
            "unresolved_work_pJ_um": energies["unresolved_work"],
            "contact_turning_pJ_um": energies["contact_turning"],
            "external_work_pJ_um": energies["external_work"],
            "chemical_work_pJ_um": energies["chemical_work"],
            "stored_energy_pJ_um": stored,
            "energy_balance_error": _ratio(imbalance, totals.absolute_work),
            "unresolved_share": _ratio(energies["unresolved_work"], totals.absolute_work),
            "contact_turning_share": _ratio(energies["contact_turning"], totals.absolute_work),
            "lithium_book_error": totals.book_error,
            "det_F_min": extremes["det_F"],
            "lithiation_min": _found(extremes["lithiation_min"]),
            "lithiation_max": _found(-extremes["lithiation_max"]),
            "electrolyte_potential_V": -sums["top_potential"] / fixed["top_area"] / FARADAY,
        }

    def _columns(self) -> dict[str, str]:
        columns, tools = {}, self._instruments
        for name, unit in COLUMNS.items():
            columns[name] = unit
            if name == "mean_lithiation":
                columns.update({f"{name}_{phase}": unit for phase in tools.book.hosts})
            elif name == "lithium_metal_left":
                columns.update({f"contact_fraction_{kind}": "1" for kind in tools.kinds_losing_contact})
                columns.update({f"{product}_mAh_cm2": "mAh/cm^2" for product in tools.book.products})
            elif name in _PER_KIND:
                columns.update({f"{name}_{kind}": unit for kind in tools.breakable_kinds})
            if name == "debonded_fraction":
                columns.update(dict.fromkeys(tools.risk.columns, "1"))
        return columns

    def _mean_lithiation(self, sums: Mapping[str, float], phases: tuple[str, ...]) -> float:
        capacity = sum(self._fixed[f"capacity_{name}"] for name in phases)
        return _ratio(_lithium(sums, phases), capacity)

    def _areal_charge(self, lithium: float) -> float:
        """Charge in mAh per cm² of section of an amount of lithium in fmol."""
        return lithium * FARADAY / self._fixed["top_area"] * MAH_PER_PC / CM2_PER_UM2

    def _shares(self, sums: Mapping[str, float], name: str) -> dict[str, float]:
        """Debonded or damaged share of the area of all breakable interfaces and of each kind."""
        kinds = self._instruments.breakable_kinds
        part, area = (
            {kind: values[f"{what}_{kind}"] for kind in kinds}
            for what, values in ((name, sums), ("area", self._fixed))
        )
        row = {f"{name}_fraction": _ratio(sum(part.values()), sum(area.values()))}
        return row | {f"{name}_fraction_{kind}": _ratio(part[kind], area[kind]) for kind in kinds}


def _lithium(sums: Mapping[str, float], phases: tuple[str, ...]) -> float:
    return sum(sums[f"lithium_{name}"] for name in phases)


def _ratio(part: float, whole: float) -> float:
    """Share of a whole, or zero where there is nothing to compare with."""
    return part / whole + 0.0 if whole > 0.0 else 0.0  # a sum of zeros may be -0.0


def _found(extreme: float) -> float:
    """An extreme, or zero where there is nothing it could be the extreme of; NaN stays NaN."""
    return 0.0 if math.isinf(extreme) else extreme
