"""What a piece of clothing is to the items kernel."""

from clothes_service.serializers import ClothesSerializer
from shopkit.items.filters import contains, equals
from shopkit.items.kind import ItemKind

KIND = ItemKind(
    type="clothes",
    path="clothes",
    serializer=ClothesSerializer,
    filters={
        "size": equals("size"),
        "color": equals("color"),
        "material": contains("material"),
        "style": equals("style"),
        "gender": equals("gender"),
    },
    searched=("color", "material", "style"),
)
