"""The fold: a state that takes one line after the other, in order, and books what it means."""

from collections.abc import Callable, Mapping
from typing import Final

from apps.portfolios.domain.booking.basis import Key
from apps.portfolios.domain.booking.books import Books
from apps.portfolios.domain.booking.lines import (
    Buy,
    Charge,
    Fee,
    Income,
    Line,
    Opening,
    ReturnOfCapital,
    Sell,
    Spend,
    Split,
    Trade,
    Transfer,
)
from apps.portfolios.domain.booking.pools import Trail
from apps.portfolios.domain.booking.records import Problem, Received, Sink
from apps.portfolios.domain.policy import CoinFee, Fees, Policy, SameCoinFee


class LineError(ValueError):
    """A line that cannot be booked; nothing of it is."""

    def __init__(self, *, code: str, message: str, field: str) -> None:
        self.code = code
        self.message = message
        self.field = field
        super().__init__(message)


class State:
    """All that the lines so far came to; `apply` goes one line further."""

    def __init__(
        self,
        policy: Policy,
        *,
        quote: str,
        sink: Sink | None = None,
        foresight: Mapping[tuple[str, str | None], Trail] | None = None,
    ) -> None:
        self.policy = policy
        self.quote = quote
        self.sink = sink or Sink()
        self.books = Books(policy, sink=self.sink, foresight=foresight)
        self._in_basis = policy.fees is Fees.BASIS
        self._handlers: Final[Mapping[type, Callable[..., None]]] = {
            Buy: self._buy,
            Sell: self._sell,
            Trade: self._trade,
            Income: self._income,
            Spend: self._spend,
            Charge: self._charge,
            Transfer: self._transfer,
            Split: self._split,
            ReturnOfCapital: self._return_of_capital,
            Opening: self._opening,
        }

    def apply(self, line: Line) -> None:
        """Book one line; one that cannot be booked becomes a problem and changes nothing else."""
        self.books.seq += 1
        try:
            if line.quote is not None and line.quote != self.quote:
                raise _other_quote(self.quote)
            self._handlers[type(line)](line)
        except LineError as error:
            self.sink.problems.append(Problem(line.id, error.code, error.message, field=error.field))

    def cut(self) -> tuple[Sink, frozenset[Key]]:
        """Hand out what was recorded since the last cut, and the bases that may have changed since."""
        records = self.sink
        self.sink = self.books.sink = Sink()
        return records, self.books.changed()

    def _buy(self, line: Buy) -> None:
        _, _, _, account, asset, amount, value, fee = line
        if value is None:
            raise _no_value()
        cost = value if fee is None else value + self._into_basis(line, fee)
        self.books.acquire(line, account, asset, amount, cost, value)
        if fee is not None:
            self._coin_leaves(line, fee, account=account)

    def _sell(self, line: Sell) -> None:
        _, _, _, account, asset, amount, proceeds, fee = line
        if proceeds is None:
            raise _no_value()
        if fee is not None:
            if fee.asset == asset and self.policy.same_coin_fee is SameCoinFee.IN_DISPOSAL:
                amount, fee = amount + fee.amount, None
            else:
                proceeds -= self._into_basis(line, fee)
        self.books.dispose(line, "sell", account, asset, amount, proceeds)
        if fee is not None:
            self._coin_leaves(line, fee, account=account)

    def _trade(self, line: Trade) -> None:
        if self.policy.bucket(line.out_asset) == self.policy.bucket(line.in_asset):
            self._move_inside(line)
            return
        proceeds = cost = value = _known(line.value)
        fee = line.fee
        if fee is not None and line.fee_on_out:
            proceeds -= self._into_basis(line, fee)
        elif fee is not None:
            cost += self._into_basis(line, fee)
        account = line.account
        self.books.dispose(line, "trade", account, line.out_asset, line.out_amount, proceeds)
        self.books.acquire(line, account, line.in_asset, line.in_amount, cost, value)
        if fee is not None:
            self._coin_leaves(line, fee, account=account)

    def _move_inside(self, line: Trade) -> None:
        """Change one name of a bucket for another: lots stay as they are."""
        if line.out_amount != line.in_amount:
            raise LineError(
                code="alias_amounts_differ",
                message="Inside one basis bucket as much arrives as leaves; enter the difference as a fee.",
                field="in_amount",
            )
        if line.fee is not None:
            self.books.charge(line, self._fee_value(line.fee))
        self.books.hold(line.account, line.out_asset, -line.out_amount)
        self.books.hold(line.account, line.in_asset, line.in_amount)
        if line.fee is not None:
            self._coin_leaves(line, line.fee, account=line.account)

    def _income(self, line: Income) -> None:
        value = line.value or 0
        self.books.acquire(line, line.account, line.asset, line.amount, value, value)
        self.books.totals.income += value
        self.sink.income(Received(line.id, line.kind, line.asset, line.account, line.at_us, line.amount, value))
        if line.value is None:
            message = "The income is booked at zero until its value is known; give price or value."
            self.sink.problems.append(Problem(line.id, "value_missing", message, field="value"))

    def _spend(self, line: Spend) -> None:
        value = _known(line.value)
        self.books.dispose(
            line, kind="spend", account=line.account, asset=line.asset, amount=line.amount, proceeds=value
        )

    def _charge(self, line: Charge) -> None:
        if line.asset == self.quote:
            self.books.charge(line, line.amount)
            return
        value = _known(line.value)
        self.books.charge(line, value)
        self._leaves(line, self.policy.crypto_fee, kind="fee", asset=line.asset, amount=line.amount, value=value)

    def _transfer(self, line: Transfer) -> None:
        lost, fee = line.amount - line.received, line.fee
        value = 0 if self.policy.transfer_fee is CoinFee.CONSUME and line.value is None else line.value
        if lost and value is None:
            raise _no_fee_value()
        if fee is not None:
            if lost and self._is_coin(fee):
                raise LineError(
                    code="fee_twice",
                    message="fee_value is the value of what did not arrive; enter the other fee by itself.",
                    field="fee",
                )
            self.books.charge(line, self._fee_value(fee))
            self._coin_leaves(line, fee, account=line.account)
        if lost and value is not None:
            self.books.charge(line, value)
            self._leaves(
                line, self.policy.transfer_fee, kind="transfer_fee", asset=line.asset, amount=lost, value=value
            )
        self.books.move(line, account=line.account, to_account=line.to_account, asset=line.asset, amount=line.received)

    def _split(self, line: Split) -> None:
        self.books.split(line, asset=line.asset, ratio=line.ratio)

    def _return_of_capital(self, line: ReturnOfCapital) -> None:
        self.books.lower_cost(line, account=line.account, asset=line.asset, value=line.value)

    def _opening(self, line: Opening) -> None:
        if not self.policy.pooled:
            raise LineError(
                code="not_a_pool",
                message="An opening balance of a pool goes with acb or uk_s104; enter a buy with its date and cost.",
                field="type",
            )
        self.books.open_pool(line, account=line.account, asset=line.asset, amount=line.amount, cost=line.value)

    def _is_coin(self, fee: Fee) -> bool:
        return fee.asset is not None and fee.asset != self.quote

    def _fee_value(self, fee: Fee) -> int:
        if not self._is_coin(fee):
            return fee.amount
        if fee.value is None:
            raise _no_fee_value()
        return fee.value

    def _into_basis(self, line: Buy | Sell | Trade, fee: Fee) -> int:
        """Return what of the fee enters cost or proceeds; the rest stands beside them."""
        value = self._fee_value(fee)
        if self._in_basis:
            return value
        self.books.charge(line, value)
        return 0

    def _coin_leaves(self, line: Buy | Sell | Trade | Transfer, fee: Fee, *, account: str) -> None:
        if fee.asset is not None and fee.asset != self.quote:
            tx, value = f"{line.id}:fee", fee.value or 0
            books = self.books
            if self.policy.crypto_fee is CoinFee.DISPOSE:
                books.dispose(line, "fee", account, fee.asset, fee.amount, value, tx)
            else:
                books.consume(line, tx=tx, kind="fee", account=account, asset=fee.asset, amount=fee.amount)

    def _leaves(self, line: Charge | Transfer, how: CoinFee, *, kind: str, asset: str, amount: int, value: int) -> None:
        if how is CoinFee.DISPOSE:
            self.books.dispose(line, kind, line.account, asset, amount, value)
        else:
            self.books.consume(line, tx=line.id, kind=kind, account=line.account, asset=asset, amount=amount)


def _known(value: int | None) -> int:
    if value is None:
        raise _no_value()
    return value


def _no_value() -> LineError:
    return LineError(code="value_missing", message="Give price or value in the money of account.", field="value")


def _no_fee_value() -> LineError:
    message = "A fee in a coin needs fee_value, what it was worth in the money of account."
    return LineError(code="fee_value_missing", message=message, field="fee_value")


def _other_quote(quote: str) -> LineError:
    message = f"All values of one file are in one money of account, here {quote}."
    return LineError(code="quote_mismatch", message=message, field="quote")
