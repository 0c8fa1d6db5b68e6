"""What each type of transaction means, in seven plain steps that every method of booking understands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from apps.portfolios.tests.reference.numbers import ZERO, BadLineError, read_number, read_time, rounded

Raw = Mapping[str, object]


@dataclass(frozen=True)
class Step:
    """One thing that happens to the lots of one basis bucket.

    `acquire` amount for money · `dispose` amount for money · `consume` amount without a gain · `move` amount to
    another account · `split` by ratio (amount) · `return_of_capital` of money · `opening` of a pool with amount and
    money.
    """

    act: str
    place: int
    at: datetime
    tx: str
    asset: str
    coin: str
    account: str
    amount: Fraction = ZERO
    money: Fraction = ZERO
    kind: str = ""
    price: Fraction = ZERO
    to_account: str = ""
    number: int = 0


@dataclass
class Change:
    """What one transaction does to the plain sum of one coin in one account; a ratio stands for a split."""

    place: int
    account: str
    coin: str
    amount: Fraction
    is_ratio: bool = False


@dataclass
class Meaning:
    """All that one transaction does."""

    steps: list[Step] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    income: Fraction = ZERO
    fees: Fraction = ZERO
    unpriced: bool = False
    tx: str = ""


def bucket(coin: str, policy: Raw) -> str:
    """Return the coin whose basis the given one shares, itself as a rule."""
    alias = policy.get("alias") or {}
    while isinstance(alias, Mapping) and alias.get(coin, coin) != coin:
        coin = str(alias[coin])
    return coin


class Reader:
    """Reads one transaction under one policy."""

    def __init__(self, raw: Raw, place: int, policy: Raw, quote: str) -> None:
        self.raw, self.place, self.policy, self.quote = raw, place, policy, quote
        self.tx = str(raw["id"])
        self.at = read_time(raw["ts"])
        self.account = str(raw.get("account") or "default")
        self.meaning = Meaning(tx=self.tx)

    # --- Reading fields ---
    def has(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def number(self, name: str, *, zero: bool = False) -> Fraction:
        if not self.has(name):
            raise BadLineError
        value = read_number(self.raw[name])
        if value < 0 or (value == 0 and not zero):
            raise BadLineError
        return value

    def coin(self, name: str) -> str:
        if not self.raw.get(name):
            raise BadLineError
        return str(self.raw[name])

    def bucket(self, coin: str) -> str:
        return bucket(coin, self.policy)

    def value(self) -> Fraction:
        if self.has("value"):
            return self.number("value", zero=True)
        return rounded(self.number("amount") * self.number("price", zero=True))

    # --- Doing things ---
    def step(self, act: str, coin: str, **rest: Any) -> None:
        given = {"tx": self.tx, "account": self.account, **rest}
        step = Step(act=act, place=self.place, at=self.at, asset=self.bucket(coin), coin=coin, **given)
        self.meaning.steps.append(step)

    def change(self, coin: str, amount: Fraction, account: str = "") -> None:
        self.meaning.changes.append(Change(self.place, account or self.account, coin, amount))

    def acquire(self, coin: str, amount: Fraction, value: Fraction, fee: Fraction = ZERO) -> None:
        self.step("acquire", coin, amount=amount, money=value + fee, price=value)
        self.change(coin, amount)

    def dispose(self, coin: str, amount: Fraction, proceeds: Fraction, kind: str, tx: str = "") -> None:
        self.step("dispose", coin, amount=amount, money=proceeds, kind=kind, tx=tx or self.tx)
        self.change(coin, -amount)

    def leave(self, coin: str, amount: Fraction, value: Fraction, kind: str, tx: str, how: str) -> None:
        """Let a fee's coin leave its lots: as a disposal at its value, or without a gain."""
        if how == "dispose":
            self.dispose(coin, amount, value, kind, tx)
        else:
            self.step("consume", coin, amount=amount, tx=tx)
            self.change(coin, -amount)

    # --- Fees of a buy, sell or trade ---
    def fee_money(self) -> Fraction:
        """Return what the fee is worth; a fee in a coin says so itself."""
        if not self.fee_amount():
            return ZERO
        return self.number("fee_value", zero=True) if self.fee_coin() else self.fee_amount()

    def fee_amount(self) -> Fraction:
        return self.number("fee", zero=True) if self.has("fee") else ZERO

    def fee_coin(self) -> str | None:
        """Return the coin of the fee, or nothing where it is the quote money."""
        name = self.raw.get("fee_asset")
        return str(name) if name and name != self.quote else None

    def into_basis(self) -> Fraction:
        """Return what of the fee goes into cost or proceeds; count what does not."""
        money = self.fee_money()
        if self.policy.get("fees", "basis") == "basis":
            return money
        self.meaning.fees += money
        return ZERO

    def fee_coin_leaves(self) -> None:
        coin, amount = self.fee_coin(), self.fee_amount()
        if coin and amount:
            how = str(self.policy.get("crypto_fee", "dispose"))
            self.leave(coin, amount, self.fee_money(), "fee", f"{self.tx}:fee", how)

    # --- The types ---
    def read(self) -> Meaning:
        reading = getattr(self, f"read_{self.raw.get('type')}", None)
        if reading is None:
            raise BadLineError
        reading()
        return self.meaning

    def read_buy(self) -> None:
        self.acquire(self.coin("asset"), self.number("amount"), self.value(), self.into_basis())
        self.fee_coin_leaves()

    def read_sell(self) -> None:
        coin, amount, value = self.coin("asset"), self.number("amount"), self.value()
        fee_coin = self.fee_coin()
        in_disposal = self.policy.get("same_coin_fee") == "in_disposal"
        if in_disposal and fee_coin == coin:
            self.dispose(coin, amount + self.fee_amount(), value, "sell")
            return
        self.dispose(coin, amount, value - self.into_basis(), "sell")
        self.fee_coin_leaves()

    def read_trade(self) -> None:
        out, into = self.coin("out_asset"), self.coin("in_asset")
        out_amount, in_amount = self.number("out_amount"), self.number("in_amount")
        if self.bucket(out) == self.bucket(into):
            if out_amount != in_amount:
                raise BadLineError
            self.meaning.fees += self.fee_money()
            self.change(out, -out_amount)
            self.change(into, in_amount)
        else:
            value, fee = self.number("value", zero=True), self.into_basis()
            fee_on_out = self.raw.get("fee_on", "in") == "out"
            self.dispose(out, out_amount, value - fee if fee_on_out else value, "trade")
            self.acquire(into, in_amount, value, ZERO if fee_on_out else fee)
        self.fee_coin_leaves()

    def read_income(self) -> None:
        value = self.value() if self.has("value") or self.has("price") else ZERO
        self.meaning.income += value
        self.meaning.unpriced = not self.has("value") and not self.has("price")
        self.acquire(self.coin("asset"), self.number("amount"), value)

    def read_spend(self) -> None:
        self.dispose(self.coin("asset"), self.number("amount"), self.value(), "spend")

    def read_fee(self) -> None:
        value = self.value()
        self.meaning.fees += value
        how = str(self.policy.get("crypto_fee", "dispose"))
        self.leave(self.coin("asset"), self.number("amount"), value, "fee", self.tx, how)

    def read_transfer(self) -> None:
        coin, sent = self.coin("asset"), self.number("amount")
        received = self.number("received", zero=True) if self.has("received") else sent
        source, target = (str(self.raw.get(name) or "default") for name in ("from_account", "to_account"))
        if received > sent:
            raise BadLineError
        self.account = source
        if sent > received and self.fee_amount() and self.fee_coin():
            raise BadLineError
        self.meaning.fees += self.fee_money()
        self.fee_coin_leaves()
        if sent > received:
            value = self.number("fee_value", zero=True)
            self.meaning.fees += value
            how = str(self.policy.get("transfer_fee", "dispose"))
            self.leave(coin, sent - received, value, "transfer_fee", self.tx, how)
        self.change(coin, -received)
        self.change(coin, received, target)
        if received:
            self.step("move", coin, amount=received, to_account=target)

    def read_split(self) -> None:
        coin, ratio = self.coin("asset"), self.number("ratio")
        self.step("split", coin, amount=ratio)
        self.meaning.changes.append(Change(self.place, self.account, coin, ratio, is_ratio=True))

    def read_return_of_capital(self) -> None:
        self.step("return_of_capital", self.coin("asset"), money=self.number("value", zero=True))

    def read_pool_opening(self) -> None:
        if self.policy.get("method", "fifo") not in {"acb", "uk_s104"}:
            raise BadLineError
        coin, amount = self.coin("asset"), self.number("amount")
        self.step("opening", coin, amount=amount, money=self.number("value", zero=True))
        self.change(coin, amount)
