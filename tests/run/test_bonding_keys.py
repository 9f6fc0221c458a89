"""[interfaces] may let bonds grow; numbers that make no sense are one sentence."""

from __future__ import annotations

import pytest

from run.errors import InputError
from run.overrides import laws_with


def test_all_interfaces_that_can_break_grow_bonds() -> None:
    laws = laws_with({"all": {"bonding_hardness": "120 MPa", "bonding_time": "2 min"}})
    law = laws["graphite|graphite"]
    assert law.number("bonding_hardness") == 120.0 and law.number("bonding_time") == 120.0
    assert law.number("initial_bond") == pytest.approx(1.0 / 1.44)
    assert laws["graphite|pore"].bonding_hardness is None
    off = laws_with(
        {"all": {"bonding_hardness": "120 MPa"}, "graphite|silicon": {"bonding_hardness": "inf MPa"}}
    )
    assert off["graphite|silicon"].number("bonding_hardness") == float("inf")


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"bonding_hardnes": "120 MPa"}, "did you mean bonding_hardness"),
        ({"bonding_hardness": "120"}, "MPa"),
        ({"bonding_hardness": "-5 MPa"}, "bonding_hardness"),
        ({"initial_bond": 0.5}, "it needs bonding_hardness beside it"),
        ({"bonding_hardness": "120 MPa", "initial_bond": 1.5}, "at most 1"),
        ({"bonding_hardness": "120 MPa", "bonding_time": "0 s"}, "bonding_time"),
        ({"bonding_hardness": "120 MPa", "law": "exponential"}, "bonding_hardness"),
        ({"bonding_hardness": "120 MPa", "fatigue_accumulation_length": "1 um"}, "without fatigue"),
    ],
)
def test_mistakes(table: dict[str, object], named: str) -> None:
    with pytest.raises(InputError) as caught:
        laws_with({"graphite|silicon": table})
    assert named in str(caught.value)
    assert "interfaces.graphite|silicon" in str(caught.value)
