"""The files that install the project agree with each other, with the README and with what they promise."""

import ast
import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted(ROOT.glob("course/*.ipynb")) + sorted(ROOT.glob("course/solutions/*.ipynb"))
CONDA_NAMES = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base"}
ALLOWED_AT_TOP = {"pyproject.toml", "environment.yml", "README.md", "LICENSE", "course", "srlib", "tests"}


def requirements(*extras: str) -> dict[str, Requirement]:
    """The project's own requirements and those of the extras, an extra within an extra followed."""
    lines = list(PROJECT["dependencies"])
    todo = list(extras)
    while todo:
        for line in PROJECT["optional-dependencies"][todo.pop()]:
            required = Requirement(line)
            if required.name == PROJECT["name"]:
                todo += sorted(required.extras)
            else:
                lines.append(line)
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def constraints(name: str) -> dict[str, Requirement]:
    lines = (ROOT / "tests" / name).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in pins}


def version(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    assert specifier.operator == "==", pin
    return specifier.version


def readme_command(name: str) -> str:
    (block,) = re.findall(rf"<!-- command: {name} -->\n```bash\n(.*?)\n```", README, flags=re.S)
    return block


def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def setup_cell(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    (cell,) = [cell for cell in cells if "setup" in cell["metadata"].get("tags", [])]
    return "".join(cell["source"])


def test_conda_environment_agrees_with_the_core_and_the_lab_extra():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    lines = environment["dependencies"]
    assert all(isinstance(line, str) for line in lines), "conda packages only: no pip section"
    conda = {Requirement(re.sub(r"(?<![=<>!~])=(?!=)", "==", line)).name: line for line in lines}
    assert conda.pop("python").startswith("python=")
    wanted = {CONDA_NAMES.get(name, name): r for name, r in requirements("lab").items()}
    assert conda == {name: f"{name}{r.specifier}" for name, r in wanted.items()}


def test_no_requirement_has_an_upper_bound():
    for name, required in requirements(*PROJECT["optional-dependencies"]).items():
        assert {s.operator for s in required.specifier} == {">="}, name
    assert PROJECT["requires-python"] == ">=3.10"


def test_constraints_pin_each_requirement_within_its_bounds():
    pins = constraints("constraints.txt")
    for name, required in requirements("lab", "test", "dev").items():
        if required.marker is None or required.marker.evaluate({"python_version": "3.12", "sys_platform": "linux"}):
            assert required.specifier.contains(version(pins[name])), name


def test_oldest_constraints_are_the_lower_bounds():
    oldest = constraints("constraints-oldest.txt")
    for name, required in requirements("lab", "test", "dev").items():
        (bound,) = required.specifier
        series = Requirement(f"{name}=={bound.version}.*").specifier  # 1.26 admits 1.26.0
        assert series.contains(version(oldest[name])), name


def test_version_is_the_same_everywhere():
    import srlib

    assert srlib.__version__ == PROJECT["version"]
    assert f"version = {{{PROJECT['version']}}}" in README


@pytest.mark.skipif(sys.platform == "win32", reason="a bash script")
def test_ci_runs_the_commands_of_the_readme():
    shown = subprocess.run(["bash", ".ci/run", "--show"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines() == [readme_command("course"), readme_command("tests")]
    # Nothing but the README knows how to install the course or how to run its tests.
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "pytest " not in re.sub(r"\|pytest\)|#.*", "", script) and "[lab" not in script


def test_readme_commands_are_single_lines_that_install_under_constraints():
    for name in ("course", "tests"):
        command = readme_command(name)
        assert "\n" not in command and command.startswith("python3 -m venv .venv && ")
        assert "-c tests/constraints.txt -e" in command


def test_workflows_call_the_same_script():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    runs = [step.get("run") for job in workflow["jobs"].values() for step in job["steps"]]
    assert ".ci/run" in runs
    assert "schedule" in workflow[True], "weekly"  # YAML 1.1 reads the key `on` as true


def test_top_level_holds_nothing_else():
    top = {path.split("/")[0] for path in tracked()}
    assert {name for name in top if not name.startswith(".")} <= ALLOWED_AT_TOP


def test_all_links_name_one_repository():
    address = PROJECT["urls"]["Repository"]
    slug = address.removeprefix("https://github.com/")
    pattern = re.compile(r"(?:mybinder\.org/v2/gh|colab\.research\.google\.com/github)/([\w.-]+/[\w.-]+)")
    places = [ROOT / p for p in tracked() if p.endswith((".md", ".py", ".ipynb", ".yml")) and (ROOT / p).exists()]
    found = {(str(p.relative_to(ROOT)), s) for p in places for s in pattern.findall(p.read_text(encoding="utf-8"))}
    assert {s for _, s in found} == {slug}, found
    assert f"url     = {{{address}}}" in README


def test_readme_links_lead_to_files():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"(?:lab/tree|blob/main)/([\w./-]+)", README):
        assert (ROOT / target).exists(), target


def test_lessons_share_one_setup_cell():
    assert NOTEBOOKS
    cells = {setup_cell(notebook) for notebook in NOTEBOOKS}
    assert len(cells) == 1
    (source,) = cells
    ast.parse(source)
    assert "--no-deps" in source, "a hosted service keeps its own packages"
    assert PROJECT["urls"]["Repository"] in source


def test_readme_example_prints_what_it_says():
    pattern = r"<!-- example -->\n```python\n(.*?)```\n+```text\n(.*?)```"
    ((code, printed),) = re.findall(pattern, README, flags=re.S)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "README.md", "exec"), {})
    assert output.getvalue().split() == printed.split()


def test_import_is_light():
    heavy = ["torch", "matplotlib", "numba", "pandas", "sklearn", "sympy"]
    code = f"import sys, srlib; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_wheel_holds_the_data_and_nothing_foreign(tmp_path):
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        source.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source)
    for name in ("srlib", "tests", "course"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    command = "import hatchling.build as b, sys; print(b.build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", command, str(tmp_path)], cwd=source, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names} == {"srlib", f"srlib-{PROJECT['version']}.dist-info"}
    files = [path for path in source.glob("srlib/**/*") if path.is_file()]
    assert {path.relative_to(source).as_posix() for path in files} <= names
    assert "srlib/problems/data/hubble.csv" in names


@pytest.mark.skipif(sys.platform != "linux", reason="Binder's builder runs on Linux")
def test_binder_builds_the_environment_before_it_copies_the_sources(tmp_path):
    pytest.importorskip("repo2docker")
    shutil.copy(ROOT / "environment.yml", tmp_path)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(tmp_path)]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    dockerfile = shown.stdout + shown.stderr
    environment = dockerfile.index('env update -p ${NB_PYTHON_PREFIX} --file "environment.yml"')
    assert environment < re.search(r"COPY --chown=\d+:\d+ src/ ", dockerfile).start()
    assert "python=3.12" in dockerfile
