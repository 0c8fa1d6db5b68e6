"""What the operations of a Binance transaction history are; a word that is not here is refused, never guessed."""

from enum import Enum
from functools import lru_cache
from typing import Final

from apps.portfolios.domain.importing.reading import unknown_kind, unsupported_kind


class Kind(Enum):
    """What a line does to a balance; lines of an exchange belong together, others stand alone."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRADE = "trade"
    TRADE_FEE = "trade_fee"
    CONVERT = "convert"
    DUST = "dust"
    SWAP = "swap"
    CASH = "cash"
    FEE = "fee"
    SPEND = "spend"
    INTERNAL = "internal"
    INCOME = "income"


_BY_KIND: Final = {
    Kind.DEPOSIT: "deposit|fiat deposit|crypto deposit|initial deposit",
    Kind.WITHDRAWAL: "withdraw|withdrawal|fiat withdraw|fiat withdrawal|crypto withdrawal|send",
    Kind.TRADE: (
        "buy|sell|transaction related|transaction buy|transaction spend|transaction sold|transaction revenue"
        "|large otc trading|the easiest way to trade"
    ),
    Kind.TRADE_FEE: "fee|transaction fee",
    Kind.CONVERT: (
        "binance convert|convert|sell crypto to fiat|auto-invest transaction|eth 2.0 staking|wbeth2.0 - staking"
        "|sol staking - purchase|sol staking - redemption|bnsol staking - purchase|wbeth wrap|wbeth unwrap"
    ),
    Kind.DUST: "small assets exchange bnb|small assets exchange bnb (spot)|convert small assets to bnb",
    Kind.SWAP: "token swap - redenomination/rebranding|token swap - distribution|asset recovery|token swap",
    Kind.CASH: "buy crypto|buy crypto with fiat|buy crypto with card|credit card purchase|p2p trading",
    Kind.FEE: "bnb fee deduction|network fee|withdrawal fee|fiat withdraw fee",
    Kind.SPEND: "merchant acquiring|binance card spending|pay|gift card",
    Kind.INTERNAL: (
        "transfer_in|transfer_out|main and funding account transfer|transfer from main account to funding"
        "|transfer from funding to main account|simple earn flexible subscription|simple earn flexible redemption"
        "|simple earn locked subscription|simple earn locked redemption|savings purchase|savings subscription"
        "|savings principal redemption|savings redemption|pos savings purchase|pos savings redemption"
        "|staking purchase|staking redemption|locked staking purchase|locked staking redemption"
        "|launchpool subscription/redemption|launchpool subscription|launchpool redemption"
        "|bnb vault subscription|bnb vault redemption|defi staking subscription|defi staking redemption"
        "|auto-invest subscription|megadrop subscription/redemption|asset - transfer"
    ),
}
#: The kinds of income, with the operations that bring them.
_INCOME: Final = {
    "staking": (
        "staking rewards|eth 2.0 staking rewards|pos savings interest|defi staking interest|locked staking rewards"
        "|bnsol staking - extra rewards|sol staking - rewards|bnb vault rewards|on-chain yields rewards"
    ),
    "interest": (
        "savings interest|savings distribution|simple earn flexible interest|simple earn locked rewards"
        "|rewards distribution|launchpool interest|launchpool earnings withdrawal|liquid swap rewards"
        "|swap farming rewards|savings rewards"
    ),
    "airdrop": (
        "airdrop assets|distribution|simple earn flexible airdrop|crypto box|hodler airdrops distribution"
        "|launchpool airdrop|launchpool airdrop - user claim distribution|launchpool airdrop - system distribution"
        "|megadrop rewards|token distribution"
    ),
    "mining": "super bnb mining|pool distribution|mining rewards",
    "reward": (
        "cash voucher|cash voucher distribution|cashback voucher|mission reward distribution|commission history"
        "|commission fee shared with you|commission rebate|referrer rebates|referral kickback|referral commission"
        "|strategy trading fee rebate|binance card cashback|learn and earn rewards"
    ),
}
_UNSUPPORTED: Final = frozenset({
    "funding fee", "realized profit and loss", "realize profit and loss", "insurance fund compensation",
    "isolated margin loan", "isolated margin repayment", "isolated margin liquidation - fee", "margin loan",
    "margin repayment", "margin fee", "margin interest", "cross margin liquidation - small assets takeover",
    "futures fee", "liquid swap add", "liquid swap remove", "liquidity farming remove", "crypto loan",
    "loan repayment", "isolated margin interest", "leveraged tokens purchase", "leveraged tokens redemption",
    "options premium fee", "options settlement",
})  # fmt: skip
_INTERNAL_PREFIX: Final = "transfer between "
_KINDS: Final = {word: kind for kind, words in _BY_KIND.items() for word in words.split("|")}
_INCOME_KINDS: Final = {word: kind for kind, words in _INCOME.items() for word in words.split("|")}


@lru_cache(maxsize=1_024)
def kind_of(operation: str) -> tuple[Kind, str]:
    """Return what an operation is, with the kind of income if it is one, or raise `LineError`."""
    word = " ".join(operation.lower().split())
    if word in _KINDS:
        return _KINDS[word], ""
    if word in _INCOME_KINDS:
        return Kind.INCOME, _INCOME_KINDS[word]
    if word.startswith(_INTERNAL_PREFIX):
        return Kind.INTERNAL, ""
    if word in _UNSUPPORTED:
        raise unsupported_kind(operation, "operation")
    raise unknown_kind(operation, "operation")
