"""How a key that can only read is made at each exchange, step by step, in our own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The steps at one exchange, where they begin, and what is easily overlooked."""

    address: str
    steps: tuple[Promise, ...]
    care: tuple[Promise, ...] = ()


_GUIDES: Final[Mapping[str, Guide]] = {
    "binance": Guide(
        address="https://www.binance.com/my/settings/api-management",
        steps=(
            _("Sign in at Binance, open your profile and choose API Management."),
            _("Create an API key that the system generates, and name it after this place, such as Coinsphere."),
            _("Confirm with your second factor. Leave “Enable Reading” on and everything else off."),
            _("Copy the API key and the secret key. The secret is shown only this once."),
        ),
        care=(
            _("Binding the key to this server's address makes it useless to anybody else."),
            _("Binance tells trades pair by pair. Pairs of coins that you no longer hold are found little by little."),
        ),
    ),
    "coinbase": Guide(
        address="https://portal.cdp.coinbase.com/access/api",
        steps=(
            _("Sign in at Coinbase, open the settings and choose API, which leads to the developer platform."),
            _("Create a secret API key for your portfolio, with the permission View and no other."),
            _("Choose ECDSA or Ed25519 as the way it signs; both are read here."),
            _("Copy the name of the key and the private key, all lines of it. It is shown only this once."),
        ),
        care=(_("Trade and Transfer must be off. A key that can transfer is refused."),),
    ),
    "kraken": Guide(
        address="https://www.kraken.com/u/security/api",
        steps=(
            _("Sign in at Kraken, open Settings, then API, and create a key."),
            _("Allow Query funds, Query closed orders and trades, and Query ledger entries. Leave all others off."),
            _("Leave the nonce window as it is, and use this key nowhere else."),
            _("Copy the API key and the private key."),
        ),
        care=(
            _("One key for one program: Kraken numbers the requests of a key, and two programs disturb each other."),
        ),
    ),
    "kucoin": Guide(
        address="https://www.kucoin.com/account/api",
        steps=(
            _("Sign in at KuCoin, open your account and choose API Management."),
            _("Create an API for trading by API, and choose a passphrase that you use nowhere else."),
            _("Leave General on and every other permission off."),
            _("Copy the key and the secret, and keep the passphrase at hand: all three are needed."),
        ),
        care=(_("Without an address that it is bound to, KuCoin lets a key end after some time."),),
    ),
}
_ANY: Final = Guide(
    address="",
    steps=(
        _("Sign in at the exchange and find its page for API keys, usually under security or settings."),
        _("Make a key that can only read: balances, trades, deposits, withdrawals."),
        _("Leave trading, withdrawing and transferring off."),
        _("Copy the key and the secret, and the passphrase if there is one."),
    ),
)


def guide_of(exchange: str) -> Guide:
    """Return the steps at an exchange."""
    return _GUIDES.get(exchange, _ANY)
