"""What the README and the catalogue's page show works as it stands: each `sh` block is run, up to the first error."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from shopkit.config import ROOT
from tests.fleet import Fleet

README = (ROOT / "README.md").read_text()
CATALOGUE = (ROOT / "docs" / "catalogue.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README + CATALOGUE, re.MULTILINE | re.DOTALL)
# so that an answer of 400 or more is an error of curl's, as it is for whoever reads it
STRICT = 'set -eu -o pipefail\ncurl() { command curl --fail-with-body --silent --show-error --output - "$@"; echo; }\n'


def runs(block: str, *, cwd: Path = ROOT, **environment: str) -> str:
    """What it prints."""
    done = subprocess.run(
        ["bash", "-c", STRICT + block],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[0][:40] for block in BLOCKS])
def test_a_block_of_the_readme_runs(fleet: Fleet, block: str) -> None:
    runs(block, SHOP_DATA=str(fleet.data))


def test_each_answer_of_a_line_by_line_block_is_json(fleet: Fleet) -> None:
    lines = [
        line for block in BLOCKS for line in block.splitlines() if line.startswith("curl ") and "localhost" in line
    ]
    assert len(lines) >= 10
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", f"{STRICT}{line}"], capture_output=True, text=True, timeout=30, check=False
        )
        assert done.stdout.lstrip().startswith("{"), line


def test_the_order_told_ends_paid_and_delivered(fleet: Fleet) -> None:
    story = next(block for block in BLOCKS if "timeline" in block)
    done = subprocess.run(["bash", "-c", STRICT + story], capture_output=True, text=True, timeout=60, check=True)
    answers = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert '"delivered"' in answers[-3]
    assert '"captured"' in answers[-2]
    assert '"delivered"' in answers[-1]


def test_every_link_of_the_documents_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_make_target_and_file_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", README)) <= targets
    for path in re.findall(r"`([\w./]+/[\w.]*)`", README):
        if not path.startswith(("/", "toy_service", "data/")):
            assert (ROOT / path).exists(), path
