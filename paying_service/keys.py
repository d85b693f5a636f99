"""The providers' part of the environment: their keys, and how the simulated one behaves."""

from functools import cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shopkit import topology
from shopkit.config import config


class Keys(BaseSettings):
    """Names are as in `.env.example`. A provider without keys is not offered."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    stripe_secret_key: str = Field("", alias="SHOP_STRIPE_SECRET_KEY")
    stripe_publishable_key: str = Field("", alias="SHOP_STRIPE_PUBLISHABLE_KEY")
    given_stripe_secrets: str = Field("", alias="SHOP_STRIPE_WEBHOOK_SECRETS")
    razorpay_key_id: str = Field("", alias="SHOP_RAZORPAY_KEY_ID")
    razorpay_key_secret: str = Field("", alias="SHOP_RAZORPAY_KEY_SECRET")
    given_razorpay_secrets: str = Field("", alias="SHOP_RAZORPAY_WEBHOOK_SECRETS")
    simulated_delay: float = Field(0.0, alias="SHOP_SIMULATED_DELAY", ge=0)
    simulated_duplicates: float = Field(0.1, alias="SHOP_SIMULATED_DUPLICATES", ge=0, le=1)
    simulated_lost: float = Field(0.0, alias="SHOP_SIMULATED_LOST", ge=0, le=1)

    @property
    def stripe_webhook_secrets(self) -> list[str]:
        """Each of them is live, so that one can be replaced without losing a webhook."""
        return _listed(self.given_stripe_secrets)

    @property
    def razorpay_webhook_secrets(self) -> list[str]:
        return _listed(self.given_razorpay_secrets)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@cache
def keys() -> Keys:
    return Keys()  # type: ignore[call-arg]  # its fields are the environment's


def front_url() -> str:
    """Where the shop's pages live, to which providers send customers back; without one, the gateway."""
    return (config().front_url or f"http://localhost:{topology.service('gateway').listen_port}").rstrip("/")


def may_be_tried() -> bool:
    """Whether payments may be tried by hand: in open access, which is in development alone."""
    return config().open_access and not config().production
