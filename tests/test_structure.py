"""The house rules that no other tool checks."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "monostep"
FORBIDDEN = {"utils", "common", "helpers", "misc", "base", "tools", "new"}
MODULES = sorted(SOURCE.rglob("*.py"))
# Verbs are tested by running them; the rest of a package's face has no logic.
UNTESTED = {"__init__.py", "__main__.py", "_version.py"}


def _functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def test_modules_are_small_and_named_for_what_they_hold():
    assert [path for path in MODULES if path.stem in FORBIDDEN] == []
    assert [path for path in MODULES if len(path.read_text("utf-8").splitlines()) > 300] == []


def test_functions_are_small():
    long = [
        f"{path.relative_to(SOURCE)}: {function.name} has {lines} lines"
        for path in MODULES
        for function in _functions(path)
        if (lines := _body_lines(function)) > 40
    ]
    assert long == []


def _body_lines(function: ast.FunctionDef) -> int:
    """Without signature and docstring."""
    first = function.body[0]
    said = bool(ast.get_docstring(function))
    return (function.end_lineno or 0) + 1 - ((first.end_lineno or 0) if said else first.lineno)


def test_every_module_with_a_function_has_a_test_file():
    missing = []
    for path in MODULES:
        place = path.relative_to(SOURCE)
        if path.name in UNTESTED or place.parts[0] == "cli" or not _functions(path):
            continue
        if not (ROOT / "tests" / place.parent / f"test_{place.stem.lstrip('_')}.py").exists():
            missing.append(str(place))
    assert missing == []
