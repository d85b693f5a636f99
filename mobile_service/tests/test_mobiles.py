"""Mobiles: what every item service does, and a mobile's own fields and filters."""

from shopkit.items.testing import ItemServiceTests


class TestMobiles(ItemServiceTests):
    path = "/api/mobiles/"
    item_type = "mobile"
    example = {
        "name": "Pixel 8",
        "brand": "Google",
        "screen_size": 6.2,
        "camera_mp": 50.0,
        "battery_mah": 4575,
        "storage_gb": 128,
        "ram_gb": 8,
        "os": "Android 14",
        "network": "5G",
        "price": "699.00",
    }
    found_by = [
        "brand=google",
        "min_screen_size=6.2",
        "min_camera_mp=48",
        "min_battery_mah=4500",
        "storage_gb=128",
        "os=android",
        "network=5g",
    ]
    not_found_by = ["min_screen_size=6.3", "min_camera_mp=51", "min_battery_mah=5000", "storage_gb=256", "network=4G"]
    invalid = [{"battery_mah": -1}, {"screen_size": 0.5}, {"network": "x" * 21}]
