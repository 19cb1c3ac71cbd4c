"""What holds for the repository as a whole: its layout, its layers, and what its pages say."""

import ast
import graphlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

import mlm_mini
from mlm_mini.course import notebook as nb

TOP = Path(__file__).resolve().parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")
FOLDERS = {"chapters", "solutions", "mlm_mini", "tests"}
FILES = {"course.py", "requirements.txt", "pyproject.toml", "README.md", "LICENSE", "CITATION.cff"}
# Every room, and the rooms it may import. A room may always import itself.
BASE = {"storage", "paths", "figures", "shipped", "seeds", "code", "quoting"}
MAY_IMPORT = {
    "storage": {"paths"},
    "paths": set(),
    "seeds": set(),
    "quoting": set(),
    "code": {"storage"},
    "figures": set(),
    "shipped": set(),
    "processes": set(),
    "reference": BASE,
    "languages": BASE | {"reference"},
    "model": BASE | {"reference", "languages"},
    "training": BASE | {"reference", "languages", "model"},
    "experiments": BASE | {"processes", "reference", "languages", "model", "training"},
    "widgets": BASE | {"reference", "languages", "model", "training", "experiments"},
    "course": BASE | {"reference", "languages", "model"},
    "grading": BASE | {"course"},
    "bench": BASE | {"reference", "languages", "model", "training", "experiments", "widgets", "course"},
    "chapters": BASE | {"processes", "training", "experiments"},
    "book": BASE | {"chapters", "training", "widgets", "course"},
    "commands": BASE | {"book", "chapters", "training", "experiments", "course", "grading", "bench"},
    "__main__": {"commands", "quoting"},
}
# The same for the rooms inside the experiments: the lab, the studies, what lists them, and the claims, which read them.
STUDIES = {"variance", "ratio", "strategy", "context", "parts", "company", "probing", "joint", "beyond", "writing"}
MAY_IMPORT_INSIDE = {
    "lab": set(),
    **{study: {"lab"} for study in STUDIES},
    "catalog": {"lab"} | STUDIES,
    "claims": {"lab", "catalog"} | STUDIES,
    "__init__": {"lab", "catalog"},
}
BELOW_THE_COURSE = {"reference", "languages", "model", "training", "experiments", "widgets", *BASE, "processes"}
NOT_PINNED = {
    "antibody",  # 97 MB for one cell: whoever wants it installs it
    "bench",  # peers of a few rows, likewise
    "chapters",  # what others have, together
}
LONGEST = 260  # lines of a file; those that may have more, with a word why
LONGER = {
    "languages/scene_lexicon.py",  # a table: the words of the scene language
}
MODULES = sorted((TOP / "mlm_mini").rglob("*.py"))
NAMED = {".".join(path.relative_to(TOP).with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}


def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git clone")
    return [TOP / line for line in listed.stdout.splitlines()]


def test_nothing_else_stands_at_the_top():
    names = {path.relative_to(TOP).parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} == FOLDERS | FILES


def imports(tree):
    """The name of every module of this package that a syntax tree imports, at its top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written in full here"
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if node.module == "mlm_mini" or name in NAMED else node.module for name in full)


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TOP)))
def test_imports_point_one_way(path):
    room = room_of(path)
    if room == "__init__":
        return
    for name in imports(tree_of(path)):
        if name.startswith("mlm_mini."):
            assert name.split(".")[1] in MAY_IMPORT[room] | {room}, f"{path.name} imports {name}"


def test_the_rooms_of_the_experiments_import_one_way():
    for path in sorted((TOP / "mlm_mini" / "experiments").rglob("*.py")):
        room = path.relative_to(TOP / "mlm_mini" / "experiments").parts[0].removesuffix(".py")
        for name in imports(tree_of(path)):
            inside = name.split(".")[2:3] if name.startswith("mlm_mini.experiments.") else []
            assert set(inside) <= MAY_IMPORT_INSIDE[room] | {room}, f"{path.name} of {room} imports {name}"


@pytest.mark.parametrize(
    "module", ["mlm_mini", "mlm_mini.reference", "mlm_mini.languages", "mlm_mini.course", "mlm_mini.widgets"]
)
def test_importing_is_light(module):
    code = f"import {module}, sys; print([m for m in ('torch', 'matplotlib', 'ipywidgets') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def at_once(tree):
    """The tree without what is imported later or never: in functions, and for type checkers alone."""
    later = ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, later) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            node.body = []
    return tree


def test_there_are_no_import_circles():
    graph = {name: set(imports(at_once(tree_of(path)))) & set(NAMED) for name, path in NAMED.items()}
    assert sum(map(len, graph.values())) > len(graph)
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def room_of(path):
    return path.relative_to(TOP / "mlm_mini").parts[0].removesuffix(".py")


def defined(tree):
    """The public names that a module defines at its top; what it imports is defined elsewhere."""
    for node in tree.body:
        names = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        yield from (name for name in names if not name.startswith("_"))


def test_no_two_things_share_a_name():
    """Outside the exercises, which are a table for each chapter and read alike."""
    places = defaultdict(set)
    for name, path in NAMED.items():
        if not name.startswith(("mlm_mini.course.exercises", "mlm_mini.course.answers")):
            for thing in defined(tree_of(path)):
                places[thing].add(name)
    assert {thing: sorted(found) for thing, found in places.items() if len(found) > 1} == {}


def test_nothing_below_the_course_names_a_chapter():
    below = [path for path in MODULES if room_of(path) in BELOW_THE_COURSE]
    found = {str(path.relative_to(TOP)) for path in below if re.search(r"[Cc]hapters? \d\d", path.read_text("utf-8"))}
    assert found == set()


def test_a_file_is_no_longer_than_a_few_screens():
    files = {path.relative_to(TOP / "mlm_mini").as_posix(): path for path in MODULES if room_of(path) != "course"}
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in files.items()}
    assert {name for name, lines in lengths.items() if lines > LONGEST} == LONGER


def hooks():
    """The commands of pre-commit, by name: what CI runs of the style."""
    text = (TOP / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (repository,) = yaml.safe_load(text)["repos"]
    return {hook["id"]: hook["entry"].split() for hook in repository["hooks"]}


@pytest.mark.parametrize("name", sorted(set(hooks()) - {"notebooks"}))  # those have a test of their own
def test_a_hook_of_pre_commit_finds_nothing(name):
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    tool, *arguments = hooks()[name]
    if not (found := shutil.which(tool, path=tools)):
        pytest.skip(f"needs {tool}, of the extra `test`")
    files = [str(path) for path in tracked() if name == "spelling"] or (["."] if name.startswith("ruff") else [])
    environment = os.environ | {"PATH": tools}  # a type checker asks the first Python there where packages are
    line = [found, *arguments, *files]
    done = subprocess.run(line, cwd=TOP, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_rooms_that_others_build_on_are_checked_in_full_and_leave_no_file_out():
    assert {"mlm_mini/reference", "mlm_mini/model", "mlm_mini/training"} <= set(hooks()["types-in-full"])
    settings = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pyrefly"]
    assert "project-excludes" not in settings
    assert "sub-config" not in settings
    whole_file = re.compile(r"^# pyrefly: ignore(-errors)?\b", re.MULTILINE)  # at the margin it is for all lines
    for room in ("reference", "model", "training"):
        for path in (TOP / "mlm_mini" / room).rglob("*.py"):
            assert not whole_file.search(path.read_text(encoding="utf-8")), path.name


def test_the_version_is_the_same_wherever_it_must_be_written_out():
    log = (TOP / ".github" / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", log.replace(",", ""), re.MULTILINE)[1] == mlm_mini.__version__
    citation = (TOP / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == mlm_mini.__version__


@pytest.mark.parametrize("path", sorted((TOP / ".github").rglob("*.yml")), ids=lambda path: path.name)
def test_what_the_services_read_can_be_read(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.parent.name == "workflows":
        steps = [step for job in form["jobs"].values() for step in job["steps"]]
        scripts = [step["run"].split()[0] for step in steps if "run" in step]
        assert scripts
        assert [script for script in scripts if script.startswith(".ci") and not (TOP / script).is_file()] == []
    elif path.stem != "config":
        assert {"name", "description", "body"} <= set(form)


def test_the_readmes_chapter_table_is_the_chapters_own():
    rows = re.findall(r"^\| (\d\d) \| \[(.+?)\]\(chapters/(\S+?)\.ipynb\) \| (.+?) \| (\d+) \|", README, re.MULTILINE)
    chapters = nb.read_chapters(TOP / "solutions")
    assert rows == [(c.number, c.title, c.name, c.question, str(c.minutes)) for c in chapters]


def test_the_readme_is_finished():
    assert "@@" not in README


def test_the_readmes_pictures_are_there_and_described():
    pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", README)
    assert pictures
    for alt, path in pictures:
        assert len(alt) > 40
        assert (TOP / path).is_file()


def test_requirements_are_exact_and_complete():
    lines = (TOP / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = {re.split(r"[=;\s]", line)[0].lower(): line for line in lines if line and not line.startswith("#")}
    assert all(re.match(r"[A-Za-z0-9_.-]+==[^\s;]+( ;|$)", line) for line in pins.values())
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [of for name, of in project["optional-dependencies"].items() if name not in NOT_PINNED]
    wanted = project["dependencies"] + [name for extra in extras for name in extra]
    for requirement in wanted:
        assert re.split(r"[<>=\[]", requirement)[0].lower() in pins, requirement
    assert pins["torch"] == "torch==2.13.0"


def test_no_file_names_a_machine():
    """A path of somebody's machine in a notebook or a page would be wrong everywhere else."""
    pattern = re.compile(r"/(home|root|Users|work)/\w+|site-packages/")
    allowed = {"mlm_mini/course/report.py"}  # looks for installed packages by that folder's name
    for path in tracked():
        if path.suffix in {".py", ".ipynb", ".md", ".toml", ".txt"} and path.exists():
            name = path.relative_to(TOP).as_posix()
            if name not in allowed and name != "tests/test_repository.py":
                found = pattern.search(path.read_text(encoding="utf-8"))
                assert not found, f"{name}: {found[0]}"
