"""Which tokens are believed."""

import base64
import hmac
import json
import time
from collections.abc import Callable

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from django.test import Client

from shopkit import auth, keys, tokens
from shopkit.errors import Unauthenticated
from shopkit.testing import access_token, service_token


def test_a_customers_token_says_who_calls() -> None:
    found = auth.of_token(f"Bearer {access_token('ada', 'vip')}")
    assert (found.customer_id, found.customer_type, found.is_staff, found.service) == ("ada", "vip", False, None)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "JWT", "jwt"])
def test_both_schemes_count_in_any_case(scheme: str) -> None:
    assert auth.of_token(f"{scheme} {access_token('ada')}").customer_id == "ada"


@pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "ada", "Bearer " + "x" * 5000])
def test_what_is_no_token_is_refused(value: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        auth.of_token(value)
    assert refused.value.code == "invalid_token"


def test_staff_are_registered() -> None:
    assert auth.of_token(f"Bearer {access_token('s', role='staff')}").is_staff


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "book_service"},
        {"aud": "other"},
        {"aud": ["polyshop", "other"]},
        {"iss": "guest_customer"},
        {"iss": "https://evil.example"},
        {"role": "service"},
        {"role": "admin"},
        {"type": "guest"},
        {"type": "gold"},
        {"sub": 7},
        {"sub": None},
        {"exp": None},
        {"iat": None},
        {"jti": None},
        {"aud": None},
        {"iss": None},
        {"type": None},
        {"role": None},
        {"nbf": 9_999_999_999},
        {"iat": 9_999_999_999},
        {"exp": "soon"},
    ],
    ids=str,
)
def test_a_claim_that_does_not_fit_is_refused(claims: dict[str, object]) -> None:
    refuse(access_token("ada", **claims))  # type: ignore[arg-type]


def refuse(token: str, code: str = "invalid_token") -> None:
    with pytest.raises(Unauthenticated) as refused:
        tokens.check(token)
    assert refused.value.code == code


@pytest.mark.parametrize("issuer", ["guest_customer", "cart_service", "gateway"])
@pytest.mark.parametrize("kind", ["registered", "vip"])
def test_only_who_issues_a_type_is_believed_about_it(issuer: str, kind: str) -> None:
    refuse(access_token("ada", kind, by=issuer))


def test_a_guest_is_never_staff() -> None:
    refuse(access_token("g", "guest", role="staff"))


def test_an_expired_token_says_so() -> None:
    refuse(access_token("ada", exp=int(time.time()) - tokens.LEEWAY - 1), "token_expired")


def test_what_was_found_is_not_kept_longer_than_the_token_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    check = tokens.check
    monkeypatch.setattr(auth.tokens, "check", lambda token: checked.append(token) or check(token))
    header, now = f"Bearer {access_token('ada')}", time.time()
    auth.of_token(header)
    auth.of_token(header)
    assert len(checked) == 1
    monkeypatch.setattr(auth.time, "time", lambda: now + 61)
    auth.of_token(header)
    assert len(checked) == 2


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def with_header(**header: object) -> str:
    """Ada's claims under another header, signed rightly for the rest."""
    claims = jwt.decode(access_token("ada"), options={"verify_signature": False})
    key = keys.kept("registered_customer")
    whole = {"kid": key.public.kid, "typ": tokens.ACCESS, **header}
    return jwt.encode(claims, key.key, "EdDSA", headers={k: v for k, v in whole.items() if v is not None})


def test_the_helper_makes_a_token_that_counts() -> None:
    assert tokens.check(with_header()).subject == "ada"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_a_token_without_a_signature_is_refused(alg: str, signature: str) -> None:
    _head, body, _sig = access_token("ada").split(".")
    kid = keys.kept("registered_customer").public.kid
    refuse(f"{_part({'alg': alg, 'kid': kid, 'typ': tokens.ACCESS})}.{body}.{signature}")


@pytest.mark.parametrize("form", ["raw", "text", "pem"])
@pytest.mark.parametrize("alg", ["HS256", "HS512"])
def test_the_public_key_is_no_secret_to_sign_with(alg: str, form: str) -> None:
    public = keys.kept("registered_customer").public
    pem = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    secret = {
        "raw": public.key.public_bytes_raw(),
        "text": public.text.encode(),
        "pem": public.key.public_bytes(*pem),
    }[form]
    claims = jwt.decode(access_token("ada"), options={"verify_signature": False})
    head = f"{_part({'alg': alg, 'kid': public.kid, 'typ': tokens.ACCESS})}.{_part(claims)}"
    signature = hmac.digest(secret, head.encode(), {"HS256": "sha256", "HS512": "sha512"}[alg])
    refuse(f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")


@pytest.mark.parametrize(
    "header",
    [
        {"kid": None},
        {"kid": "registered_customer.00000000"},
        {"kid": "../../keys/registered_customer"},
        {"typ": None},
        {"typ": "JWT"},
        {"typ": tokens.SERVICE},
        {"crit": ["exp"]},
        {"crit": ["x"], "x": 1},
    ],
    ids=str,
)
def test_a_header_that_does_not_fit_is_refused(header: dict[str, object]) -> None:
    refuse(with_header(**header))


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk"])
def test_a_key_that_a_token_brings_along_is_not_looked_at(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *a: pytest.fail("it called somebody"))
    stranger = keys.SigningKey("registered_customer", keys.new_seed())
    value = stranger.public.jwk if name == "jwk" else "http://127.0.0.1:9/jwks.json"
    claims = jwt.decode(access_token("ada"), options={"verify_signature": False})
    for kid in (stranger.public.kid, keys.kept("registered_customer").public.kid):
        refuse(jwt.encode(claims, stranger.key, "EdDSA", headers={"kid": kid, "typ": tokens.ACCESS, name: value}))


def test_a_changed_token_is_refused() -> None:
    head, body, signature = access_token("ada").split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    refuse(f"{head}.{_part({**claims, 'sub': 'bob'})}.{signature}")
    refuse(f"{head}.{body}.{signature[::-1]}")


# these run as book_service, which the items router asks for its clients, and carts and orders for themselves alone


def test_a_service_is_known_by_its_token() -> None:
    found = auth.of_token(f"Bearer {service_token('book_service', by='items_router')}")
    assert (found.service, found.is_service, found.customer_id, found.is_staff) == ("items_router", True, None, False)


def test_a_service_acts_for_somebody() -> None:
    token = service_token(
        "book_service", by="items_router", sub="ada", type="vip", role="customer", act={"sub": "items_router"}
    )
    found = auth.of_token(f"Bearer {token}")
    assert (found.service, found.is_service, found.customer_id) == ("items_router", False, "ada")


@pytest.mark.parametrize(
    "make",
    [
        lambda: service_token("laptop_service", by="items_router"),
        lambda: service_token("polyshop", by="items_router"),
        lambda: service_token("book_service", by="gateway"),
        lambda: service_token("book_service", by="book_service"),
        lambda: service_token("book_service", by="items_router", sub="cart_service"),
        lambda: service_token("book_service", by="items_router", role="staff"),
        lambda: service_token("book_service", by="items_router", act={"sub": "cart_service"}, role="customer"),
        lambda: service_token("book_service", by="items_router", act={"sub": "items_router"}),
        lambda: service_token("book_service", by="items_router", act="items_router", role="customer"),
    ],
)
def test_a_service_is_believed_only_where_it_may_call_and_about_itself(make: Callable[[], str]) -> None:
    refuse(make())


@pytest.mark.parametrize("role", ["customer", "staff"])
@pytest.mark.parametrize("by", ["cart_service", "order_service"])
def test_who_passes_by_the_router_asks_for_itself_alone(by: str, role: str) -> None:
    assert auth.of_token(f"Bearer {service_token('book_service', by=by)}").service == by
    refuse(service_token("book_service", by=by, sub="ada", type="registered", role=role, act={"sub": by}))


@pytest.mark.parametrize("role", ["customer", "staff"])
def test_who_may_only_ask_for_staff_acts_for_nobody(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    monkeypatch.setattr(tokens, "signing_key", lambda: keys.kept("registered_customer"))
    own = service_token("registered_customer", by="shipping_service")
    assert auth.of_token(f"Bearer {own}").service == "shipping_service"
    act = {"sub": "shipping_service"}
    refuse(service_token("registered_customer", by="shipping_service", sub="ada", role=role, act=act))


def test_old_and_new_keys_count_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation as the docs tell it: the new public key is spread, then signed with, then the old one goes."""
    old, new = keys.kept("registered_customer"), keys.SigningKey("registered_customer", keys.new_seed())
    before, others = access_token("ada"), dict(keys.public_keys())

    def known(*those: keys.SigningKey) -> None:
        rest = {kid: key for kid, key in others.items() if key.service != "registered_customer"}
        both = {**rest, **{key.public.kid: key.public for key in those}}
        monkeypatch.setattr(tokens, "public_keys", lambda: both)
        monkeypatch.setattr(keys, "public_keys", lambda: both)

    known(old, new)
    monkeypatch.setattr("shopkit.testing.keys.kept", lambda name: new)
    after = access_token("ada")
    assert tokens.check(before).subject == tokens.check(after).subject == "ada"
    assert {old.public.kid, new.public.kid} <= {key["kid"] for key in keys.jwks()["keys"]}
    known(new)
    refuse(before)
    assert tokens.check(after).subject == "ada"


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer x"},
        {"Authorization": "Bearer x", "X-User-ID": "ada"},
        {"Authorization": "Basic YTpi"},
    ],
)
def test_at_the_port_a_bad_token_is_refused_even_where_anybody_may_read(
    client: Client, headers: dict[str, str]
) -> None:
    answer = client.get("/api/books/", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert answer["WWW-Authenticate"] == "Bearer"
