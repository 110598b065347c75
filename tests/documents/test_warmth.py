"""The warm parents load all that their children will import: a child can open no file, so what is missing would read as damage."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = """
import ast, sys
from intake.adapters.documents import warmth
getattr(warmth, sys.argv[1])()
for name, module in sorted(sys.modules.items()):
    if not name.startswith(("intake.", "forms.")) or name == warmth.__name__:
        continue
    source = open(module.__file__).read()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            wanted = [node.module]
        elif isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        else:
            continue
        for one in wanted:
            if one not in sys.modules:
                print(f"{name} imports {one}")
"""


@pytest.mark.parametrize("kind", ["documents", "suggestions", "pictures"])
def test_nothing_that_a_child_imports_is_left_to_be_loaded_later(kind: str) -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED, kind], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.splitlines() == []
