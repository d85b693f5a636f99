"""`make test` counts what was skipped and, where CI is true, takes it for failed."""

import sys
from pathlib import Path

import pytest

import tests.__main__ as make_test
from tests.__main__ import PYTEST, Outcome, Stage, main

SKIPPING = "import pytest\n\ndef test_one(): pass\n\ndef test_two(): pytest.skip('no server')\n"
SAYING_SO = [sys.executable, "-c", "print('1 skipped: !!! NOT TESTED on a database server: none is here')"]


def counted(stage: Stage, *, code: int, output: str) -> tuple[int, ...]:
    outcome = Outcome(stage, code, output, 1.0, 1.0)
    return tuple(outcome.counted(word) for word in ("passed", "failed", "skipped"))


@pytest.mark.parametrize(
    ("command", "code", "output", "expected"),
    [
        (PYTEST, 0, "12 passed in 1.00s", (12, 0, 0)),
        (PYTEST, 0, "SKIPPED [3] x.py: 7 skipped\n.\n.\n10 passed, 2 skipped in 1.00s", (10, 0, 2)),
        (PYTEST, 1, "1 failed, 10 passed, 2 skipped, 1 warning in 1.00s", (10, 1, 2)),
        (PYTEST, 2, "no tests ran in 0.01s", (0, 0, 0)),
        (["ruff"], 0, "All checks passed!", (1, 0, 0)),
        (["ruff"], 1, "Found 1 error.", (0, 1, 0)),
    ],
)
def test_what_a_stage_came_to(command: list[str], code: int, output: str, expected: tuple[int, ...]) -> None:
    assert counted(Stage("it", command), code=code, output=output) == expected


@pytest.mark.parametrize("ci", ["true", ""])
@pytest.mark.parametrize("ports", ["", "others"])
@pytest.mark.parametrize("kind", ["a test", "a whole suite"])
def test_a_skip_is_a_failure_where_ci_is_true(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    ports: str,
    ci: str,
) -> None:
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    command = [*PYTEST, "-p", "no:cacheprovider", str(tmp_path)] if kind == "a test" else SAYING_SO
    monkeypatch.setattr(make_test, "stages", lambda: [Stage("skipping", command, ports=ports)])
    monkeypatch.setenv("CI", ci)
    assert main([]) == (1 if ci else 0)
    told = capsys.readouterr().out
    assert "0 failed, 1 skipped" in told
    assert ("what was skipped counts as failed" in told) == bool(ci)


def test_where_nothing_is_skipped_ci_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_test, "stages", lambda: [Stage("fine", [sys.executable, "-c", "print('fine')"])])
    monkeypatch.setenv("CI", "true")
    assert main([]) == 0
