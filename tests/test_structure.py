"""The house rules that no other tool checks."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "monostep"
FORBIDDEN = {"utils", "common", "helpers", "misc", "base", "tools", "new"}
MODULES = sorted(SOURCE.rglob("*.py"))
# Verbs are tested by running them; the rest of a package's face has no logic.
UNTESTED = {"__init__.py", "__main__.py", "_version.py"}


def _functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_module_is_small_and_named_for_what_it_holds(path):
    assert path.stem not in FORBIDDEN
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    for function in _functions(path):
        span = (function.end_lineno or 0) - function.lineno + 1
        signature_and_docstring = function.body[0].lineno - function.lineno
        if ast.get_docstring(function):
            signature_and_docstring = (function.body[0].end_lineno or 0) - function.lineno
        assert span - signature_and_docstring <= 40, f"{function.name}: {span} lines"


def test_every_module_with_a_function_has_a_test_file():
    missing = []
    for path in MODULES:
        place = path.relative_to(SOURCE)
        if path.name in UNTESTED or place.parts[0] == "cli" or not _functions(path):
            continue
        if not (ROOT / "tests" / place.parent / f"test_{place.stem.lstrip('_')}.py").exists():
            missing.append(str(place))
    assert missing == []
