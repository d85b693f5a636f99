"""Laptops: what every item service does, and a laptop's own fields and filters."""

from shopkit.items.testing import ItemServiceTests


class TestLaptops(ItemServiceTests):
    path = "/api/laptops/"
    item_type = "laptop"
    example = {
        "name": "ThinkPad X1 Carbon",
        "brand": "Lenovo",
        "cpu": "Intel Core Ultra 7 155U",
        "gpu": "Intel Graphics",
        "ram_gb": 32,
        "storage_gb": 1000,
        "screen_size": 14.0,
        "os": "Windows 11 Pro",
        "weight_g": 1090,
        "price": "1899.00",
    }
    found_by = [
        "brand=lenovo",
        "cpu=ultra",
        "gpu=intel",
        "min_ram_gb=32",
        "min_storage_gb=512",
        "screen_size=14",
        "os=windows",
    ]
    not_found_by = ["min_ram_gb=33", "min_storage_gb=1001", "screen_size=13.3", "os=linux", "brand=leno"]
    invalid = [{"ram_gb": 0}, {"screen_size": 99}, {"storage_gb": "big"}]
