"""What is dear to find out and holds until the catalogue changes."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 500


class Kept(Generic[T]):
    """Answers of one generation of the catalogue. Two threads that miss at once both find out; that does no harm."""

    def __init__(self) -> None:
        self._generation = 0
        self._answers: dict[Hashable, T] = {}

    def get(self, generation: int, key: Hashable, find: Callable[[], T]) -> T:
        """`generation` must be that of the transaction in which `find` reads."""
        if generation < self._generation:
            return find()  # who reads what was before keeps nothing of it
        if generation > self._generation or len(self._answers) >= MOST:
            self._answers, self._generation = {}, generation
        answers = self._answers
        if key not in answers:
            answers[key] = find()
        return answers[key]
