"""What a mobile is to the items kernel."""

from mobile_service.serializers import MobileSerializer
from shopkit.items.filters import at_least, contains, equals, number
from shopkit.items.kind import ItemKind

KIND = ItemKind(
    type="mobile",
    path="mobiles",
    serializer=MobileSerializer,
    filters={
        "min_screen_size": at_least("screen_size"),
        "min_camera_mp": at_least("camera_mp"),
        "min_battery_mah": at_least("battery_mah"),
        "storage_gb": number("storage_gb"),
        "os": contains("os"),
        "network": equals("network"),
    },
    searched=("os", "network"),
)
