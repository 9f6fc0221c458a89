"""What takes a study or a run to a queue: the Snakemake workflow and its profiles, the job script, the container."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from run.study.study import StudyOptions, run_study
from setup.packages import debian_packages

RUN = Path(__file__).resolve().parents[2] / "run"
SNAKEMAKE = shutil.which("snakemake")
needs_snakemake = pytest.mark.skipif(
    SNAKEMAKE is None, reason="snakemake is not installed (pip install snakemake)"
)

#: In place of Python: brings a point to its end without a run; one of them needs a second attempt.
STAND_IN = """#!/bin/sh
case "$2" in
run.study.point)
    shift 2; name=$(basename "$1" .toml); root=$(dirname "$(dirname "$1")"); shift
    echo "$name $*" >> "$root/calls.txt"
    if [ ! -e "$root/left" ]; then touch "$root/left"; exit 4; fi
    echo '{}' > "$root/outcomes/$name.json" ;;
run.cli)
    echo "$*" >> "$ROOT/collected.txt"
    touch "$ROOT/table.csv"; exit 3 ;;
esac
"""


@pytest.fixture
def plan(tiny: Path) -> Path:
    """The plan of a study of three points on two ranks."""
    study = tiny.parent / "three.toml"
    study.write_text(
        '[study]\nname = "three"\nkind = "sweep"\ncase = "tiny.toml"\nranks = 2\n'
        'quantities = ["thickening_percent", "adhesion.strength_MPa"]\n'
        '[adhesion]\nat = "2 um"\n[sweep]\ndrive.stack_pressure = ["1 MPa", "2 MPa", "3 MPa"]\n',
        encoding="utf-8",
    )
    out = tiny.parent / "out"
    run_study(study, StudyOptions(out, ("mesh.seed=4",), only="plan", quiet=True))
    return out / "plan.json"


def snakemake(plan: Path, profile: str, *words: str, **config: str) -> str:
    command = [str(SNAKEMAKE), "--snakefile", str(RUN / "snakemake" / "Snakefile"), *words]
    command += ["--profile", str(RUN / "snakemake" / "profiles" / profile), "--config", f"plan={plan}"]
    command += [f"{key}={value}" for key, value in config.items()]
    environment = {**os.environ, "ROOT": str(plan.parent), "XDG_CACHE_HOME": str(plan.parent / "cache")}
    done = subprocess.run(
        command, cwd=plan.parent, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


@needs_snakemake
@pytest.mark.parametrize(
    ("profile", "parts"),
    [
        ("local", ("mpirun -n 2",)),
        ("slurm", ("srun -n 2", "--wall-time '235 min'", "tasks=2", "slurm_partition=main")),
    ],
)
def test_the_workflow_plans_every_point_and_the_table(
    plan: Path, profile: str, parts: tuple[str, ...]
) -> None:
    said = snakemake(plan, profile, "--dry-run", "--printshellcmds")
    assert re.search(r"^point +3$", said, re.MULTILINE), said
    assert re.search(r"^table +1$", said, re.MULTILINE), said
    names = json.loads(plan.read_text())["points"]
    for name in names:
        assert f"-m run.study.point {plan.parent}/cases/{name}.toml --out {plan.parent}/runs/{name}" in said
    assert "--adhesion --at '2 um' --test pull-off" in said
    assert "--set=mesh.seed=4" in said
    for part in parts:
        assert part in said, said
    assert not (plan.parent / "outcomes").exists() or not any((plan.parent / "outcomes").iterdir())


@needs_snakemake
def test_a_point_that_is_left_is_gone_on_with_and_a_failed_one_is_no_failure(plan: Path) -> None:
    stand_in = plan.parent / "stand-in.sh"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    table = json.loads(plan.read_text())
    plan.write_text(json.dumps({**table, "ranks": 1}))
    snakemake(plan, "local", "--cores", "1", python=str(stand_in))
    calls = [line.split()[0] for line in (plan.parent / "calls.txt").read_text().splitlines()]
    assert sorted(set(calls)) == sorted(table["points"])
    assert len(calls) == 4, "one point was left by exit code 4 and begun once more"
    assert (plan.parent / "table.csv").is_file()
    assert "--collect" in (plan.parent / "collected.txt").read_text()
    # Nothing is left to do.
    snakemake(plan, "local", "--cores", "1", python=str(stand_in))
    assert len((plan.parent / "calls.txt").read_text().splitlines()) == 4


def job(folder: Path, code: int, left: str = "11:59:00", restarts: str = "0") -> tuple[int, str]:
    """Runs the job script among programs that note how they were called."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name, body in (
        ("srun", f"exit {code}"),
        ("squeue", f"echo '{left}'"),
        ("scontrol", "exit 0"),
    ):
        text = f'#!/bin/sh\n[ {name} = squeue ] || echo "{name} $*" >> {folder}/calls.txt\n{body}\n'
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (folder / "calls.txt").unlink(missing_ok=True)
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin", "HOME": str(folder), "SLURM_JOB_ID": "77", "SLURM_RESTART_COUNT": restarts
    }  # fmt: skip
    command = [
        "bash",
        str(RUN / "slurm" / "run.sbatch"),
        "case.toml",
        str(folder / "run"),
        "--set",
        "a.b=1 MPa",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    calls = (folder / "calls.txt").read_text() if (folder / "calls.txt").is_file() else ""
    return done.returncode, calls + done.stderr


def test_the_job_script_starts_resumes_and_requeues(tmp_path: Path) -> None:
    run = tmp_path / "run"
    code, said = job(tmp_path, 4)
    assert (code, said) == (
        0,
        f"srun swellbound run case.toml --out {run} --quiet --wall-time 43020 s --set a.b=1 MPa\nscontrol requeue 77\n",
    )
    run.mkdir()
    (run / "run.json").write_text("{}")
    code, said = job(tmp_path, 0, "1-02:03:04")
    assert (code, said) == (0, f"srun swellbound resume {run} --quiet --wall-time 93664 s\n")
    # Stopped for good: no further job.
    assert job(tmp_path, 3, "UNLIMITED") == (3, f"srun swellbound resume {run} --quiet\n")
    code, said = job(tmp_path, 4, "5:00", restarts="100")
    assert code == 4
    assert "--wall-time 180 s" in said
    assert "scontrol" not in said
    assert "the chain ends after 100 jobs" in said


def test_the_job_script_says_what_it_needs() -> None:
    script = RUN / "slurm" / "run.sbatch"
    done = subprocess.run(["bash", str(script)], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr.split()[0]) == (2, "usage:")
    options = re.findall(r"^#SBATCH (--[a-z-]+)", script.read_text(), re.MULTILINE)
    assert {"--time", "--ntasks", "--signal", "--requeue", "--open-mode"} <= set(options)


def test_the_container_is_built_from_the_one_list_of_packages() -> None:
    text = (RUN / "apptainer" / "swellbound.def").read_text()
    sections = dict(re.findall(r"^%(\w+)\n(.*?)(?=^%|\Z)", text, re.MULTILINE | re.DOTALL))
    assert "python3 setup prepare" in sections["post"]
    assert "SWELLBOUND_ROUTE=apt" in sections["post"]
    listed = set(debian_packages()) - {"ca-certificates"}
    words = set(re.findall(r"[\w.+-]+", re.sub(r"^\s*#.*$", "", sections["post"], flags=re.MULTILINE)))
    assert not listed & words, "packages are listed in setup/packages.txt only"
    for line in sections["files"].split("\n"):
        if line.strip():
            source, target = line.split()
            assert (RUN.parent / source).exists(), source
            assert target == f"/opt/swellbound/{source}"
    environment = "\n".join(line for line in sections["environment"].splitlines())
    shell = ["sh", "-c", environment + '\necho "$PYTHONPATH|$SWELLBOUND_INSIDE|$XDG_CACHE_HOME"']
    done = subprocess.run(
        shell, capture_output=True, text=True, env={"HOME": "/home/me"}, timeout=30, check=False
    )
    assert done.stdout.strip() == "/opt/swellbound|apt|/home/me/.cache/swellbound-container"


def test_everything_that_ships_is_a_package_file() -> None:
    patterns = tomllib.loads((RUN.parent / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-data"
    ]["run"]
    shipped = {path for pattern in patterns for path in RUN.glob(pattern)}
    for folder in ("studies", "snakemake", "slurm"):
        files = {
            path for path in (RUN / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
        }
        assert files
        assert files <= shipped, files - shipped


@pytest.mark.parametrize("path", sorted((RUN / "studies").glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_study_is_sound(path: Path) -> None:
    from run.study.points import load_study

    study = load_study(path)
    assert study.file.study.name == path.stem
    assert len(study.points) >= 4
    assert f"swellbound study run/studies/{path.name}" in path.read_text()
