"""Puts the parameters a case file gives onto the shipped materials and interface laws, checked one by one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from fem.interfaces.law import InterfaceLaw, flaw
from fem.interfaces.library import shipped_laws
from fem.materials.base import Material, Swelling, parameters_of
from fem.materials.library import MATERIALS
from fem.parameters import Parameter
from run.errors import InputError
from run.law_choice import OPTIONS, choose, completed
from run.provenance import given, leaves
from run.units import UnitError, kind_of, parse

T = TypeVar("T", Material, InterfaceLaw)

#: The table that stands for every interface that can break.
ALL = "all"
#: One value for the whole model: they cannot differ from one kind of interface to the next.
MODEL_WIDE = ("relaxation_time", "contact_pressure")
#: Parameters that need not be positive: lowest and highest value, both excluded unless marked.
_ANY = (-float("inf"), float("inf"))
_RANGES: dict[str, tuple[float, float]] = {
    "poisson_ratio": (0.0, 0.5),
    "youngs_modulus_slope": _ANY,
    "linear": (-1.0, 10.0),
    "quadratic": (-10.0, 10.0),
    "cubic": (-10.0, 10.0),
    "floor": (0.0, 1.0),
    "least_volume": (0.0, 0.8),
    "rate_sensitivity": (0.0, 1.0),
}
_ZERO_ALLOWED = (
    "hardening",
    "relaxation_time",
    "activation_energy",
    "friction",
    "friction_coefficient",
    "threshold_stress",
    "void_replenishment",
    "fatigue_endurance_ratio",
    "bonding_energy",
)
#: Parameters that switch what they belong to off when they are infinite.
_OFF_WHEN_INFINITE = ("void_depth", "bonding_hardness")


def materials_with(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Material]:
    """The shipped materials with the values of [materials.PHASE].

    Args:
        tables: Values by phase, as read from TOML; inner tables and dotted keys mean the same.

    Raises:
        InputError: An unknown phase or parameter, a value of the wrong kind or out of range.
    """
    materials = dict(MATERIALS)
    for phase, table in tables.items():
        if phase not in materials:
            raise unknown_key(f"materials.{phase}", phase, table, materials)
        where = f"materials.{phase}"
        materials[phase] = _with(materials[phase], _values(materials[phase], where, table))
        _check_material(materials[phase], where)
    return materials


def laws_with(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, InterfaceLaw]:
    """The shipped interface laws with the values of [interfaces."a|b"]; [interfaces.all] comes first.

    Raises:
        InputError: An unknown kind or parameter, a value of the wrong kind or out of range.
    """
    laws = shipped_laws()
    general = tables.get(ALL, {})
    if general:
        where = f"interfaces.{ALL}"
        pattern = next(law for law in laws.values() if law.breaks)
        everywhere = {
            key: value for key, value in _law_values(pattern, where, general)[1].items() if key in MODEL_WIDE
        }
        for kind, law in laws.items():
            laws[kind] = _with(*(_law_values(law, where, general) if law.breaks else (law, everywhere)))
    for kind, table in tables.items():
        if kind == ALL:
            continue
        name = _kind_in(kind, table, laws)
        where = f"interfaces.{kind}"
        for key in MODEL_WIDE:
            if key in table:
                raise InputError(
                    f"{where}.{key}",
                    f"= {table[key]!r} is not allowed here: one value holds for all interfaces, "
                    f"so give it as interfaces.{ALL}.{key}",
                )
        laws[name] = _with(*_law_values(laws[name], where, table))
    for kind, law in laws.items():
        _check_law(law, kind, tables)
    return {kind: completed(law) for kind, law in laws.items()}


def _law_values(
    law: InterfaceLaw, where: str, table: Mapping[str, Any]
) -> tuple[InterfaceLaw, dict[str, Parameter]]:
    """The law a table chooses, and the table's checked values."""
    if not isinstance(table, Mapping):
        raise InputError(where, f"= {table!r} is not allowed: it must be a table of parameters")
    chosen, rest = choose(law, where, table)
    return chosen, _values(chosen, where, rest)


def unknown_key(key: str, last: str, value: object, known: Iterable[str]) -> InputError:
    """The error for a key nobody knows, with the nearest one that is known, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(last, known, n=1, cutoff=0.55)
    hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
    shown = "" if isinstance(value, Mapping) else f"= {value!r} "
    return InputError(key, f"{shown}is not known: {hint}")


def _kind_in(kind: str, table: object, laws: Mapping[str, InterfaceLaw]) -> str:
    name = "|".join(sorted(part.strip() for part in kind.split("|")))
    if name in laws:
        return name
    raise unknown_key(f"interfaces.{kind}", kind, table, [ALL, *laws])


def _values(item: Material | InterfaceLaw, where: str, table: Mapping[str, Any]) -> dict[str, Parameter]:
    """Checked values by the dotted name of the parameter; a unique last part of the name will do."""
    if not isinstance(table, Mapping):
        raise InputError(where, f"= {table!r} is not allowed: it must be a table of parameters")
    known = dict(parameters_of(item))
    options = OPTIONS if isinstance(item, InterfaceLaw) else ()
    last = [name.split(".")[-1] for name in known]
    result: dict[str, Parameter] = {}
    for key, value in leaves(table):
        matches = [
            name for name in known if name == key or (name.split(".")[-1] == key and last.count(key) == 1)
        ]
        if not matches:
            names = {n.split(".")[-1]: None for n in known} | dict.fromkeys(options)
            raise unknown_key(f"{where}.{key}", key.split(".")[-1], value, names)
        result[matches[0]] = _checked(f"{where}.{key}", value, matches[0], known[matches[0]])
    return result


def _checked(key: str, told: object, name: str, parameter: Parameter) -> Parameter:
    """The parameter with a value of the case file, which may say where it comes from."""
    origin = given(key, told)
    value = origin.value
    if name in _OFF_WHEN_INFINITE and value in (float("inf"), f"inf {parameter.unit}"):
        return origin.parameter(float("inf"), parameter)
    try:
        number, _ = parse(value, kind_of(parameter.unit))
    except UnitError as error:
        raise InputError(key, f"= {value!r} is not allowed: it must be {error}") from None
    leaf = name.split(".")[-1]
    if leaf in _ZERO_ALLOWED:
        allowed, text = number >= 0.0, "zero or more"
    elif leaf in _RANGES:
        low, high = _RANGES[leaf]
        allowed, text = low < number < high, f"above {low:g} and below {high:g}"
    else:
        allowed, text = number > 0.0, "above zero"
    if not allowed:
        raise InputError(key, f"= {value!r} is not allowed: it must be {text}")
    return origin.parameter(number, parameter)


def _with(item: T, values: Mapping[str, Parameter]) -> T:
    for name, parameter in values.items():
        item = _replaced(item, name.split("."), parameter)
    return item


def _replaced(item: Any, path: list[str], parameter: Parameter) -> Any:
    inner = getattr(item, path[0])
    new = parameter if isinstance(inner, Parameter) else _replaced(inner, path[1:], parameter)
    return replace(item, **{path[0]: new})


def _check_material(material: Material, where: str) -> None:
    """What several parameters of a material must hold together."""
    elasticity = material.elasticity
    full = elasticity.youngs_modulus.value + elasticity.youngs_modulus_slope.value
    if full <= 0.0:
        raise InputError(
            f"{where}.youngs_modulus_slope",
            f"= {elasticity.youngs_modulus_slope.value:g} MPa is not allowed: with youngs_modulus = "
            f"{elasticity.youngs_modulus.value:g} MPa it must leave a positive modulus at full lithiation",
        )
    if isinstance(material.swelling, Swelling):
        swelling = material.swelling
        ratio = 1.0 + swelling.linear.value + swelling.quadratic.value + swelling.cubic.value
        if ratio <= 0.0:
            raise InputError(
                f"{where}.linear",
                f"= {swelling.linear.value:g} is not allowed: the volume at x = 1 would be {ratio:g}",
            )


def _check_law(law: InterfaceLaw, kind: str, tables: Mapping[str, Any]) -> None:
    """What several parameters of a law must hold together."""
    wrong = flaw(law)
    if wrong is None:
        return
    named = {"|".join(sorted(part.strip() for part in name.split("|"))): name for name in tables}
    own = named.get(kind, ALL)
    unit = getattr(law, wrong.key).unit
    raise InputError(
        f"interfaces.{own if wrong.key in tables.get(own, {}) or ALL not in tables else ALL}.{wrong.key}",
        f"= {wrong.value:g}{'' if unit == '1' else f' {unit}'} is not allowed: it must be {wrong.allowed}",
    )
