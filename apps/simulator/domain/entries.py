"""Entries of an account in the form in which its venue writes them down, and what each does to the balances."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext

from apps.simulator.domain import coins, keys, seeds
from apps.simulator.domain.happenings import BEGIN_MS
from apps.simulator.domain.shapes import Account, Deposit, Fill, Reward, Side, Withdrawal

EIGHT = Decimal("0.00000001")
FEE_RATES = {
    "binance": Decimal("0.001"),
    "coinbase": Decimal("0.006"),
    "kraken": Decimal("0.0026"),
    "kucoin": Decimal("0.001"),
}
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FIRST_LETTER = {"fill": "T", "order": "O", "deposit": "F", "withdrawal": "A"}

Entry = Fill | Deposit | Withdrawal | Reward


@dataclass(frozen=True, slots=True)
class Posted:
    """A trade that somebody asked for."""

    ts: int
    symbol: str
    side: Side
    amount: Decimal
    price: Decimal


def effects(entry: Entry) -> Iterable[tuple[str, Decimal]]:
    """Return what an entry adds to and takes from each asset."""
    if isinstance(entry, Fill):
        sign = 1 if entry.side is Side.BUY else -1
        return (entry.base, sign * entry.amount), (entry.quote, -sign * entry.cost), (entry.fee_asset, -entry.fee)
    if isinstance(entry, Withdrawal):
        return ((entry.asset, -entry.amount - entry.fee),)
    return ((entry.asset, entry.amount),)


def total(entries: Iterable[Entry]) -> dict[str, Decimal]:
    """Return the exact sum of entries by asset, zeros left out."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    with localcontext() as context:
        context.prec = 80
        for entry in entries:
            for asset, amount in effects(entry):
                sums[asset] += amount
    return {asset: amount for asset, amount in sums.items() if amount}


class Maker:
    """Writes entries for one account; numbers rise with time and are never given twice."""

    def __init__(self, seed: int, account: Account) -> None:
        self._seed, self._account = seed, account
        self._given: set[int] = set()

    def _number(self, moment: int) -> int:
        number = (moment - BEGIN_MS) * 16
        while number in self._given:
            number += 1
        self._given.add(number)
        return number

    def order(self, moment: int) -> str:
        """Return the id of an order."""
        return self._id("order", self._number(moment))

    def fill(self, posted: Posted, *, order: str = "", fee: tuple[Decimal, str] | None = None) -> Fill:
        """Return a trade; without a fee given, the venue's own rate and manners."""
        base, quote = posted.symbol.split("/")
        number = self._number(posted.ts)
        with localcontext() as context:
            context.prec = 60
            cost = posted.amount * posted.price
            paid, fee_asset = fee or _fee(self._account.venue, posted, cost)
        return Fill(
            number=number,
            id=self._id("fill", number),
            order_id=order or self._id("order", number),
            ts=posted.ts,
            symbol=posted.symbol,
            base=base,
            quote=quote,
            side=posted.side,
            price=posted.price,
            amount=posted.amount,
            cost=cost,
            fee=paid,
            fee_asset=fee_asset,
            maker=number % 3 == 0,
        )

    def deposit(self, moment: int, asset: str, amount: Decimal) -> Deposit:
        """Return money that came in."""
        return Deposit(*self._transfer("deposit", moment, asset, amount, Decimal()))

    def withdrawal(self, moment: int, asset: str, amount: Decimal, fee: Decimal) -> Withdrawal:
        """Return money that went out, with the fee for sending it."""
        return Withdrawal(*self._transfer("withdrawal", moment, asset, amount, fee))

    def reward(self, moment: int, asset: str, amount: Decimal, kind: str) -> Reward:
        """Return income that the venue paid out."""
        number = self._number(moment)
        return Reward(number, self._id("reward", number), moment, asset, amount, kind)

    def _transfer(
        self, kind: str, moment: int, asset: str, amount: Decimal, fee: Decimal
    ) -> tuple[int, str, int, str, Decimal, Decimal, str, str, str, str]:
        number = self._number(moment)
        networks = coins.COINS[asset].networks
        words = (self._seed, self._account.venue, self._account.label, number)
        fiat = coins.COINS[asset].kind == coins.FIAT
        address = "" if fiat else keys.letters(words[0], 34, *words[1:], "address")
        txid = "" if fiat else seeds.digest(words[0], *words[1:], "txid").hex()
        network = networks[0] if networks else ""
        name = self._id(kind, number)
        return number, name, moment, asset, amount, fee, network, address, txid, "fiat" if fiat else "crypto"

    def _id(self, kind: str, number: int) -> str:
        """Return an id in the form in which the venue writes this kind."""
        venue, words = self._account.venue, (self._account.venue, self._account.label, kind, number)
        if venue == "binance":
            return str(number) if kind == "fill" else str(seeds.number(self._seed, *words) >> 28)
        if venue == "coinbase":
            return keys.uuid(self._seed, *words)
        if venue == "kucoin":
            return seeds.digest(self._seed, *words).hex()[:24]
        text = "".join(_BASE32[byte % 32] for byte in seeds.digest(self._seed, *words))
        return f"{_FIRST_LETTER.get(kind, 'L')}{text[:5]}-{text[5:10]}-{text[10:16]}"


def _fee(venue: str, posted: Posted, cost: Decimal) -> tuple[Decimal, str]:
    """Return the fee: Binance takes it from what was received, the others from the quote money."""
    base, quote = posted.symbol.split("/")
    rate = FEE_RATES[venue]
    if venue == "binance" and posted.side is Side.BUY:
        return (posted.amount * rate).quantize(EIGHT), base
    return (cost * rate).quantize(EIGHT), quote
