"""What `docs/checkout.md` draws is what the code does."""

import re

from order_service.models import TRANSITIONS, Status
from shopkit.config import ROOT


def test_the_diagram_of_an_orders_statuses_is_the_table_of_its_transitions() -> None:
    page = (ROOT / "docs" / "checkout.md").read_text()
    blocks = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", page, re.DOTALL)
    [drawn] = [arrows for block in blocks if ("[*]", Status.PENDING) in (arrows := _arrows(block))]
    moves = [(old, new) for old, further in TRANSITIONS.items() for new in further]
    ends = [(status, "[*]") for status, further in TRANSITIONS.items() if not further]
    assert sorted(drawn) == sorted([("[*]", Status.PENDING), *moves, *ends])


def _arrows(block: str) -> list[tuple[str, str]]:
    return re.findall(r"^ *(\S+) --> ([^\s:]+)", block, re.MULTILINE)
