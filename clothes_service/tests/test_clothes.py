"""Clothes: what every item service does, and a garment's own fields and filters."""

from shopkit.items.testing import ItemServiceTests


class TestClothes(ItemServiceTests):
    path = "/api/clothes/"
    item_type = "clothes"
    example = {
        "name": "Oxford Shirt",
        "brand": "Northfield",
        "size": "L",
        "color": "Blue",
        "material": "Organic Cotton",
        "style": "Casual",
        "gender": "men",
        "price": "49.00",
    }
    found_by = ["size=l", "color=blue", "material=cotton", "style=casual", "gender=men", "brand=northfield"]
    not_found_by = ["size=XL", "color=red", "material=wool", "gender=women"]
    invalid = [{"size": ""}, {"gender": "robot"}, {"color": "x" * 41}]
