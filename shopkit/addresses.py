"""The shape of a postal address, wherever one is given or kept."""

from typing import Any

from rest_framework import serializers

# ISO 3166-1 alpha-2, the officially assigned codes
_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA "
    "CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA "
    "GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS "
    "MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS "
    "RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW "
    "TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRIES = frozenset(_CODES.split())


class CountryField(serializers.CharField):
    """A country by its ISO 3166-1 alpha-2 code, in either case; kept in capitals."""

    default_error_messages = {"unknown": "This is not a country's ISO 3166-1 alpha-2 code, such as US."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 2, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if not code.isascii() or code.upper() not in COUNTRIES:
            self.fail("unknown")
        return code.upper()


class AddressSerializer(serializers.Serializer[Any]):
    """`{name, line1, line2?, city, region?, postal_code, country, phone?}`; what is left out is kept as `""`."""

    name = serializers.CharField(max_length=200)
    line1 = serializers.CharField(max_length=200)
    line2 = serializers.CharField(max_length=200, allow_blank=True, default="")
    city = serializers.CharField(max_length=100)
    region = serializers.CharField(max_length=100, allow_blank=True, default="")
    postal_code = serializers.CharField(max_length=20)
    country = CountryField()
    phone = serializers.CharField(max_length=40, allow_blank=True, default="")
