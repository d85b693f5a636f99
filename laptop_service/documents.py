"""What a laptop is to the items kernel."""

from laptop_service.serializers import LaptopSerializer
from shopkit.items.filters import at_least, contains, number
from shopkit.items.kind import ItemKind

KIND = ItemKind(
    type="laptop",
    path="laptops",
    serializer=LaptopSerializer,
    filters={
        "cpu": contains("cpu"),
        "gpu": contains("gpu"),
        "min_ram_gb": at_least("ram_gb"),
        "min_storage_gb": at_least("storage_gb"),
        "screen_size": number("screen_size"),
        "os": contains("os"),
    },
    searched=("cpu", "gpu", "os"),
)
