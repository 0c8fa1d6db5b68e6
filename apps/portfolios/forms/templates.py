"""What a person can enter by hand: each way asks for its own fields and becomes one entry of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.portfolios.domain.drafts import OUTSIDE
from apps.portfolios.domain.transactions import EntryType

FEES: Final = ("fee", "fee_asset", "fee_value")
PRICED: Final = _("Leave it empty to take the price of that moment.")


@dataclass(frozen=True, slots=True)
class Template:
    """One way to enter something: its words, its fields in their order, and what is fixed about the entry."""

    code: str
    type: EntryType
    name: Promise
    say: Promise
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    labels: Mapping[str, Promise] = field(default_factory=dict)
    hints: Mapping[str, Promise] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of all fields this way asks for."""
        return (*self.required, *self.one_of, *self.optional, "note")


_COIN_FOR_COIN: Final = ("out_asset", "out_amount", "in_asset", "in_amount")

TRADING: Final = (
    Template(
        "buy",
        EntryType.BUY,
        _("Bought"),
        _("A coin bought with money. The fee adds to what it cost."),
        ("asset", "amount"),
        ("account", *FEES),
        one_of=("value", "price"),
        labels={"value": _("Paid in all, without the fee"), "price": _("or price of one")},
    ),
    Template(
        "sell",
        EntryType.SELL,
        _("Sold"),
        _("A coin sold for money. The fee lowers what you received."),
        ("asset", "amount"),
        ("account", *FEES),
        one_of=("value", "price"),
        labels={"value": _("Received in all, before the fee"), "price": _("or price of one")},
    ),
    Template(
        "trade",
        EntryType.TRADE,
        _("Converted"),
        _("One coin for another: the first is disposed of, the second acquired, both at the value you state."),
        _COIN_FOR_COIN,
        ("value", "account", *FEES, "fee_on"),
        hints={"value": PRICED},
        labels={"value": _("What it was worth then")},
    ),
)
COMING_IN: Final = (
    Template(
        "income",
        EntryType.INCOME,
        _("Income"),
        _("Staking, interest, mining or an airdrop. It counts as income at its value when it arrived."),
        ("asset", "amount", "kind"),
        ("value", "account"),
        labels={"value": _("What it was worth when it arrived")},
        hints={"value": PRICED},
    ),
    Template(
        "gift_in",
        EntryType.BUY,
        _("Gift received"),
        _("It becomes a lot with the cost you state: usually what the giver had paid."),
        ("asset", "amount", "value"),
        ("account",),
        labels={"value": _("Cost to take over")},
    ),
    Template(
        "opening",
        EntryType.BUY,
        _("Opening balance"),
        _("Coins you held before your records begin: when you got them and what they cost."),
        ("asset", "amount", "value"),
        ("account",),
        labels={"at": _("Acquired"), "value": _("What they cost")},
    ),
    Template(
        "fork",
        EntryType.INCOME,
        _("Fork"),
        _("Coins that a fork gave you. Leave the value at 0 to take them over without income and without cost."),
        ("asset", "amount", "value"),
        ("account",),
        labels={"value": _("Value when they arrived")},
        fixed={"kind": "fork"},
    ),
)
GOING_OUT: Final = (
    Template(
        "spend",
        EntryType.SPEND,
        _("Payment"),
        _("Something paid for with coins: a disposal at the value of what you got for them."),
        ("asset", "amount"),
        ("value", "account"),
        labels={"value": _("What you got for it was worth")},
        hints={"value": PRICED},
    ),
    Template(
        "gift_out",
        EntryType.SPEND,
        _("Gift given"),
        _("Coins given away. Many countries count their value on that day as proceeds; state it."),
        ("asset", "amount"),
        ("value", "account"),
        labels={"value": _("Value on that day")},
        hints={"value": PRICED},
    ),
    Template(
        "lost",
        EntryType.SPEND,
        _("Lost or stolen"),
        _("Coins that are gone for nothing. Their whole cost becomes a loss."),
        ("asset", "amount"),
        ("account",),
        fixed={"value": "0"},
    ),
    Template(
        "fee",
        EntryType.FEE,
        _("Fee"),
        _("A fee on its own, paid in a coin."),
        ("asset", "amount"),
        ("value", "account"),
        labels={"value": _("What it was worth then")},
        hints={"value": PRICED},
    ),
)
MOVES: Final = (
    Template(
        "deposit",
        EntryType.TRANSFER,
        _("Deposit"),
        _("Coins that arrived from a place that is not in this portfolio."),
        ("asset", "amount", "to_account"),
        labels={"amount": _("Amount that arrived")},
        fixed={"from_account": OUTSIDE},
    ),
    Template(
        "withdrawal",
        EntryType.TRANSFER,
        _("Withdrawal"),
        _("Coins that left for a place that is not in this portfolio."),
        ("asset", "amount", "from_account"),
        labels={"amount": _("Amount sent")},
        fixed={"to_account": OUTSIDE},
    ),
    Template(
        "transfer",
        EntryType.TRANSFER,
        _("Moved"),
        _("Between your own accounts. Nothing is sold; the coins keep their date and cost."),
        ("asset", "amount", "from_account", "to_account"),
        ("received", "fee_value"),
        labels={
            "amount": _("Amount sent"),
            "received": _("Amount that arrived"),
            "fee_value": _("What the difference was worth"),
        },
    ),
    Template(
        "migration",
        EntryType.TRADE,
        _("Migration"),
        _("An old coin became a new one. State the value on that day."),
        _COIN_FOR_COIN,
        ("value", "account"),
        labels={"value": _("What it was worth then")},
        hints={"value": PRICED},
    ),
    Template(
        "split",
        EntryType.SPLIT,
        _("Split"),
        _("Every coin became several, or several became one. Cost and dates stay."),
        ("asset", "ratio"),
        (),
    ),
    Template(
        "return_of_capital",
        EntryType.RETURN_OF_CAPITAL,
        _("Capital returned"),
        _("Money paid back on a coin you keep. It lowers the cost; what is beyond the cost is a gain."),
        ("asset", "value"),
        ("account",),
        labels={"value": _("Paid back")},
    ),
)
GROUPS: Final = (
    (_("Trading"), TRADING),
    (_("Coming in"), COMING_IN),
    (_("Going out"), GOING_OUT),
    (_("Moves and changes"), MOVES),
)
TEMPLATES: Final = {template.code: template for _name, group in GROUPS for template in group}


def template_for(*, entry_type: str, kind: str, comes: bool, goes: bool) -> Template:
    """Return the way in which an entry would be typed; `comes` and `goes`: one of its sides is outside."""
    if entry_type == EntryType.TRANSFER and (comes or goes):
        return TEMPLATES["deposit" if comes else "withdrawal"]
    if kind == "fork":
        return TEMPLATES["fork"]
    return next((one for one in TEMPLATES.values() if one.type == entry_type), TEMPLATES["buy"])
