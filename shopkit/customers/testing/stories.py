"""Steps of moves, and how every customer service answers them."""

import uuid

FIRST, SECOND, THIRD = (uuid.UUID(int=number) for number in (1, 2, 3))
Told = tuple[str, uuid.UUID, int, str]
STORIES: dict[str, list[Told]] = {
    "held, released, and late": [
        ("hold", FIRST, 200, ""),
        ("hold", FIRST, 200, ""),
        ("hold", SECOND, 409, "moving"),
        ("leave", SECOND, 409, "move_undone"),
        ("release", FIRST, 200, ""),
        ("release", FIRST, 200, ""),
        ("hold", FIRST, 409, "move_undone"),
        ("leave", FIRST, 409, "move_undone"),
        ("arrive", SECOND, 409, "already_here"),
        ("refuse", SECOND, 200, ""),
        ("hold", SECOND, 200, ""),
    ],
    "released before held": [("release", FIRST, 200, ""), ("hold", FIRST, 409, "move_undone")],
    "left": [
        ("leave", FIRST, 409, "move_undone"),
        ("hold", FIRST, 200, ""),
        ("leave", FIRST, 200, ""),
        ("leave", FIRST, 200, ""),
        ("release", FIRST, 409, "has_left"),
        ("hold", FIRST, 409, "move_undone"),
        ("hold", SECOND, 409, "move_undone"),
    ],
    "left, and refused on return": [
        ("hold", FIRST, 200, ""),
        ("leave", FIRST, 200, ""),
        ("arrive", SECOND, 200, ""),
        ("arrive", SECOND, 200, ""),
        ("refuse", SECOND, 200, ""),
        ("refuse", SECOND, 200, ""),
        ("arrive", SECOND, 409, "move_undone"),
        ("settle", SECOND, 409, "move_undone"),
    ],
    "left, and back": [
        ("hold", FIRST, 200, ""),
        ("leave", FIRST, 200, ""),
        ("refuse", SECOND, 200, ""),
        ("arrive", SECOND, 409, "move_undone"),
        ("arrive", THIRD, 200, ""),
        ("refuse", SECOND, 200, ""),
        ("settle", THIRD, 200, ""),
        ("settle", THIRD, 200, ""),
        ("arrive", THIRD, 200, ""),
        ("refuse", THIRD, 200, ""),
        ("hold", SECOND, 409, "move_undone"),
    ],
}
"""Steps of moves of a customer who is here at first, and how each is answered: status, and code where it is refused.

The services have to keep to them, and so does who stands for them where the customer router is tested.
"""
