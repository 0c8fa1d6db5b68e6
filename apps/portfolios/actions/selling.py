"""Selling on paper: what every method would make of a sale now; nothing is posted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from apps.core import money
from apps.core.errors import FieldProblem, InvalidError
from apps.portfolios.actions.reading import read_lots
from apps.portfolios.domain.booking import OpenLot, scaled
from apps.portfolios.domain.drafts import OUTSIDE
from apps.portfolios.domain.policy import Method, Policy, Scope
from apps.portfolios.domain.selling import Sale, SaleNote, SaleOutcome, is_pool, methods_in, sellable, simulate
from apps.portfolios.domain.transactions import microseconds, parse_moment
from apps.portfolios.models import Portfolio, ValueState
from apps.portfolios.queries.portfolios import policy_of
from apps.portfolios.queries.pricing import prices_of
from apps.portfolios.queries.sale_pages import SaleAnswer

_NOTHING: Final = Decimal(0)


class NothingToSellError(InvalidError):
    """None of the asset is held there."""

    code = "nothing_held"
    title = "None of it is held"
    default_detail = "Choose an asset, and an account, in which something is left."


class MoreThanHeldError(InvalidError):
    """More would be sold than there is."""

    code = "more_than_held"
    title = "More than is held"
    default_detail = "Sell at most what is held."


class PriceUnknownError(InvalidError):
    """No market tells what the asset is worth."""

    code = "price_unknown"
    title = "No price is known"
    default_detail = "No market here trades it at the moment. Give a price."


@dataclass(frozen=True, slots=True)
class Stock:
    """What could be sold of an asset: in which account, out of which lots, and how much that is."""

    account: str | None
    accounts: tuple[str, ...]
    lots: tuple[OpenLot, ...]
    held: Decimal


def read_sale(
    *,
    portfolio: Portfolio,
    asset: str,
    amount: Decimal,
    price: Decimal | None = None,
    fee: Decimal | None = None,
    account: str = "",
    now: datetime,
) -> SaleAnswer:
    """Return what selling so much now would come to, by each method, from the lots that are open; nothing is posted."""
    _refuse_odd(amount=amount, price=price, fee=fee)
    policy = policy_of(portfolio=portfolio)
    stock = stock_of(portfolio=portfolio, policy=policy, asset=asset, account=account, now=now)
    if amount > stock.held:
        message = f"{money.plain(stock.held)} {asset} can be sold."
        raise MoreThanHeldError(message, problems=[FieldProblem("amount", MoreThanHeldError.code, message)])
    worth, source, at = _price(portfolio, asset, price, now)
    proceeds = money.multiply(amount, worth)
    sale = Sale(scaled(amount), scaled(proceeds), scaled(fee or _NOTHING), microseconds(now), stock.account)
    outcomes = [_outcome(portfolio, stock, sale, method, policy, asset, now) for method in methods_in(policy.scope)]
    return SaleAnswer(
        asset=asset,
        account=stock.account,
        accounts=stock.accounts,
        amount=amount,
        held=stock.held,
        price=worth,
        price_source=source,
        price_at=at,
        fee=fee or _NOTHING,
        proceeds=proceeds,
        policy=policy,
        outcomes=tuple(sorted(outcomes, key=lambda one: (not one.is_own, one.gain, one.method))),
    )


def stock_of(*, portfolio: Portfolio, policy: Policy, asset: str, account: str = "", now: datetime) -> Stock:
    """Return what could be sold of an asset, in the account named or in the one that holds most of it."""
    booked = read_lots(portfolio=portfolio, policy=None, now=now)
    held = _held(booked["holdings"], asset)
    accounts = tuple(sorted((name for name in held if held[name] > 0), key=lambda name: (-held[name], name)))
    own = (account or next(iter(accounts), "")) if policy.scope is Scope.PER_ACCOUNT else None
    lots = tuple(sellable(_lots(booked), asset=asset, policy=policy, account=own))
    there = sum(held.values(), _NOTHING) if own is None else held.get(own, _NOTHING)
    most = min(there, money.from_scaled(sum(lot.amount for lot in lots)))
    if most <= 0:
        problem = FieldProblem("asset", NothingToSellError.code, NothingToSellError.default_detail)
        raise NothingToSellError(problems=[problem])
    return Stock(own, accounts, lots, most)


def _outcome(
    portfolio: Portfolio, stock: Stock, sale: Sale, method: Method, policy: Policy, asset: str, now: datetime
) -> SaleOutcome:
    """Return what a method makes of it; out of a pool, the others sell what they would have left from the start."""
    pooled = method in {Method.ACB, Method.UK_S104}
    if pooled or not is_pool(stock.lots):
        return simulate(stock.lots, sale=sale, method=method, policy=policy)
    other = replace(policy, method=method, superficial_window_days=None)
    booked = read_lots(portfolio=portfolio, policy=other, now=now)
    lots = sellable(_lots(booked), asset=asset, policy=other, account=stock.account)
    found = simulate(lots, sale=sale, method=method, policy=policy)
    return replace(found, notes=(SaleNote.FROM_THE_START,))


def _lots(booked: Mapping[str, Any]) -> list[OpenLot]:
    return [
        OpenLot(
            row["lot"],
            row["asset"],
            row["account"],
            scaled(Decimal(row["amount"])),
            scaled(Decimal(row["cost_basis"])),
            None if row["acquired_at"] is None else parse_moment(row["acquired_at"]),
            place,
        )
        for place, row in enumerate(booked["remaining_lots"], start=1)
    ]


def _held(holdings: Mapping[str, Mapping[str, str]], asset: str) -> dict[str, Decimal]:
    """Return what each of one's own accounts holds of the asset; coins outside are nobody's to sell."""
    return {name: Decimal(held[asset]) for name, held in holdings.items() if asset in held and name != OUTSIDE}


def _refuse_odd(*, amount: Decimal, price: Decimal | None, fee: Decimal | None) -> None:
    """Refuse what is no sale: nothing of it, or a price or fee below zero."""
    problems = [] if amount > 0 else [FieldProblem("amount", "amount_zero", "Enter a number above zero.")]
    for name, value in (("price", price), ("fee", fee)):
        if value is not None and value < 0:
            problems.append(FieldProblem(name, "amount_negative", "Enter zero or more."))
    if problems:
        raise InvalidError(problems=problems)


def _price(
    portfolio: Portfolio, asset: str, given: Decimal | None, now: datetime
) -> tuple[Decimal, str, datetime | None]:
    if given is not None:
        return given, "", None
    rate = prices_of(assets=[asset], currency=portfolio.currency, now=now).get(asset)
    if rate is None or rate.value is None or rate.state.value != ValueState.PRICED:
        problem = FieldProblem("price", PriceUnknownError.code, PriceUnknownError.default_detail)
        raise PriceUnknownError(problems=[problem])
    at = rate.at if rate.ts is None else datetime.fromtimestamp(rate.ts / 1000, tz=rate.at.tzinfo)
    return rate.value, ", ".join(rate.sources), at
