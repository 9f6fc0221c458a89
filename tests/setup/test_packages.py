"""The three lists of packages say the same."""

import tomllib

import pytest

from setup.failure import SetupError
from setup.packages import REPOSITORY, debian_packages, fingerprint, read_packages


def dependencies_of_environment_yml():
    text = (REPOSITORY / "environment.yml").read_text(encoding="utf-8")
    listed = text.split("dependencies:\n", 1)[1].splitlines()
    return [line.removeprefix("  - ") for line in listed if line.startswith("  - ")]


def test_environment_yml_lists_what_the_table_lists():
    assert sorted(dependencies_of_environment_yml()) == sorted(
        row.conda for row in read_packages() if row.conda
    )


def test_environment_yml_takes_everything_from_conda_forge():
    text = (REPOSITORY / "environment.yml").read_text(encoding="utf-8")
    channels = text.split("channels:\n", 1)[1].split("dependencies:", 1)[0].split()
    assert channels == ["-", "conda-forge", "-", "nodefaults"]


def test_environment_yml_has_one_mpi_and_real_scalars():
    listed = dependencies_of_environment_yml()
    assert [name for name in listed if name.startswith(("mpich", "openmpi", "impi"))] == ["mpich"]
    assert "petsc=*=real_*" in listed


def test_pyproject_requires_what_the_table_lists_for_pip():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert sorted(required) == sorted(row.pip for row in read_packages() if row.pip)


def test_nothing_that_must_share_one_mpi_comes_from_pip():
    rows = {row.module: row for row in read_packages()}
    assert [rows[module].pip for module in ("dolfinx", "petsc4py", "mpi4py")] == [None, None, None]


def test_debian_names_are_listed_once():
    names = debian_packages()
    assert "python3-dolfinx-real" in names
    assert len(names) == len(set(names))


def test_a_row_with_a_column_too_few_is_refused(tmp_path):
    table = tmp_path / "packages.txt"
    table.write_text("# remark\nnumpy python3-numpy numpy\n", encoding="utf-8")
    with pytest.raises(SetupError, match=r"line 2 .* has 3 columns where 4 are needed"):
        read_packages(table)


def test_the_fingerprint_changes_with_the_table_and_not_with_remarks(tmp_path, monkeypatch):
    table = tmp_path / "packages.txt"
    monkeypatch.setattr("setup.packages.read_packages", lambda: read_packages(table))
    seen = []
    for text in ("a b c d\n", "# remark\na  b  c  d # why\n", "a b c e\n"):
        table.write_text(text, encoding="utf-8")
        seen.append(fingerprint())
    assert seen[0] == seen[1] != seen[2]
    assert fingerprint("trixie") != fingerprint("sid")
