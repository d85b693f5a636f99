"""Nearness held against a reckoning by hand, and the measure of how good recommendations are."""

from collections import defaultdict
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from items_router.recommending import evaluating, neighbours
from items_router.recommending.evaluating import Rating
from items_router.recommending.neighbours import DAMPING, Matrix, Near, Signal

SIGNALS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["x", "y", "z", "book_1", "é"]), st.sampled_from([0.3, 1.0])),
    max_size=40,
)


def by_hand(signals: list[Signal]) -> dict[str, Near]:
    counts: dict[str, dict[str, float]] = defaultdict(dict)
    for customer, item, count in signals:
        counts[item][customer] = max(count, counts[item].get(customer, 0))
    found: dict[str, Near] = {}
    for one in counts:
        near: Near = []
        for other in sorted(counts.keys() - {one}):
            product = sum(counts[one][c] * counts[other][c] for c in counts[one].keys() & counts[other].keys())
            norms = [sum(count**2 for count in counts[item].values()) ** 0.5 for item in (one, other)]
            if product:
                near.append((other, product / (norms[0] * norms[1] + DAMPING)))
        if near:
            found[one] = sorted(near, key=lambda each: (-round(each[1], 6), each[0]))
    return found


@pytest.mark.parametrize("pairs", [1, 7, neighbours.PAIRS])
@settings(deadline=None)
@given(signals=SIGNALS)
def test_nearness_is_what_it_comes_to_by_hand(pairs: int, signals: list[Signal]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "PAIRS", pairs)
        found = dict(neighbours.nearest(Matrix(signals), most=10))
    expected = by_hand(signals)
    assert found.keys() == expected.keys()
    for item, near in expected.items():
        assert [other for other, _ in found[item]] == [other for other, _ in near]
        assert [score for _, score in found[item]] == pytest.approx([score for _, score in near], abs=1e-6)


def test_only_so_many_are_kept_and_who_has_everything_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MOST_OF_ONE", 3)
    signals = [("robot", item, 1.0) for item in "abcd"] + [("ada", item, 1.0) for item in "abc"]
    found = dict(neighbours.nearest(Matrix(signals), most=1))
    assert {item: [other for other, _ in near] for item, near in found.items()} == {"a": ["b"], "b": ["a"], "c": ["a"]}


def test_of_purchases_with_tastes_ours_finds_more_than_what_sells_does() -> None:
    ratings = [
        Rating(f"{taste}{number}", f"{taste}_{(number + step * 5) % 12}", at=step)
        for taste in ("novel", "laptop", "garden", "shirt")
        for number in range(1, 40)
        for step in range(1, 7)
    ]
    result = evaluating.evaluate(ratings, seed=1)
    assert result.ours.recall > 2 * result.popular.recall
    assert result.ours.coverage > 2 * result.popular.coverage
    assert result == evaluating.evaluate(ratings, seed=1)


def test_the_command_reports_the_sample_datas_figures(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("evaluate_recommendations")
    lines = capsys.readouterr().out.splitlines()
    ours, popular = (float(line.split()[2]) for line in lines[1:])
    assert "recall@10" in lines[1]
    assert ours > popular > 0


@pytest.mark.parametrize(
    "text",
    [
        "user,item,rating,timestamp\n1,a,5,10\n1,b,2,11\n",
        "userId,movieId\n1,a\n1,b\n",
        "1::a::5::10\n1::b::2::11\n",
        "1\ta\t5\t10\r\n1\tb\t2\t11\r\n",
        "1,a,5\n\n1,b,2\n",
        "1,a\n1,b\n",
    ],
)
def test_files_of_ratings_have_many_forms(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ratings"
    file.write_text(text)
    assert [(each.customer, each.item) for each in evaluating.read(file)] == [("1", "a"), ("1", "b")]


@pytest.mark.parametrize(("text", "said"), [("1,a,5\n1,b,x\n", "Line 2"), ("1,a\n2,b\n", "two things"), ("", "two")])
def test_a_file_that_tells_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "ratings.csv"
    file.write_text(text)
    with pytest.raises(CommandError, match=said):
        call_command("evaluate_recommendations", ratings=str(file))
