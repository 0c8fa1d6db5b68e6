"""A small instance full of people, and everything that a caller may hold in hand: tokens, invites, a job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from apps.accounts.actions.registration import make_invite
from apps.accounts.domain.grants import Scope
from apps.accounts.domain.origin import NO_REQUEST
from apps.accounts.models import PersonalToken, Role, User
from apps.accounts.tests.factories import make_personal_token, make_tokens, make_totp, make_user
from apps.core import clock
from apps.exchanges.models import Connection
from apps.exchanges.tests.factories import make_connection
from apps.markets.models import Watchlist
from apps.markets.tests.factories import make_instrument, make_item, make_watchlist
from apps.operations.models import SelfCheck
from apps.operations.tests.factories import make_beat
from apps.portfolios.actions import answer_address, create_account, preview_import
from apps.portfolios.actions.import_templates import make_template
from apps.portfolios.actions.sharing import make_share
from apps.portfolios.domain.addresses import Whose
from apps.portfolios.domain.importing import Choices
from apps.portfolios.domain.sharing import ShareContent, SharePurpose
from apps.portfolios.models import Account, AddressAnswer, FileImport, ImportTemplate, ShareLink, Transaction
from apps.portfolios.tests.factories import make_default, make_frozen, make_portfolio, post, raw_buy

MISSING = "00000000-0000-7000-8000-000000000007"
#: What is on the owner's watchlist.
ITEM = "00000000-0000-7000-8000-000000000017"


@dataclass(frozen=True)
class Cast:
    """Who is there. `owner` and `member` each have a personal token, a program's session and an authenticator app."""

    owner: User
    admin: User
    member: User
    viewer: User
    other: User
    job: SelfCheck
    invite_id: str


def make_cast() -> Cast:
    """Fill the instance."""
    owner = make_user(email="owner@example.com", role=Role.OWNER, display_name="Olga Owner")
    member = make_user(email="member@example.com", display_name="Mika Member")
    for person in (owner, member):
        make_personal_token(user=person)
        make_totp(user=person)
    make_instrument("kraken:ETH/USD")
    make_item(make_watchlist(user=owner), "kraken:BTC/USD", item_id=UUID(ITEM))
    post(make_default(user=owner), raw_buy())
    ledger = make_portfolio(user=owner)
    post(ledger, raw_buy())
    create_account(portfolio=ledger, name="Empty", now=clock.now())
    answer_address(portfolio=ledger, address="bc1qshop", whose=Whose.PAYMENT, by=owner, now=clock.now())
    make_frozen(portfolio=ledger, year=2024)
    preview_import(
        portfolio=ledger, data=b"ts,type,asset,amount,price\n2024-01-01,buy,BTC,1,1\n", by=owner, now=clock.now()
    )
    make_template(user=owner, name="Bank", choices=Choices(), now=clock.now())
    make_share(
        portfolio=ledger,
        purpose=SharePurpose.PORTFOLIO,
        shows=ShareContent.FULL,
        now=clock.now(),
        request_meta=NO_REQUEST,
    )
    make_connection(portfolio=ledger)
    for process in settings.ENABLED_PROCESSES:
        make_beat(name=process)
    invite, _token = make_invite(
        actor=owner, role=Role.MEMBER, note="For Nora", now=clock.now(), request_meta=NO_REQUEST
    )
    return Cast(
        owner=owner,
        admin=make_user(email="admin@example.com", role=Role.ADMIN),
        member=member,
        viewer=make_user(email="viewer@example.com", role=Role.VIEWER),
        other=make_user(email="other@example.com"),
        job=SelfCheck.objects.create(),
        invite_id=str(invite.pk),
    )


def ids_of(*, cast: Cast, user: User) -> Mapping[str, str]:
    """Return for each path parameter the id of something that exists and, where things have owners, is this user's."""
    token = PersonalToken.objects.filter(user=user).first()
    family = user.refresh_families.first()
    watchlist = Watchlist.objects.for_user(user).first()
    entry = Transaction.objects.for_user(user).order_by("-id").first()
    upload = FileImport.objects.for_user(user).first()
    answer = AddressAnswer.objects.filter(portfolio__owner=user).first()
    share = ShareLink.objects.for_user(user).first()
    template = ImportTemplate.objects.for_user(user).first()
    connection = Connection.objects.for_user(user).first()
    empty = Account.objects.filter(portfolio__owner=user, name="Empty").first()
    return {
        "token_id": str(token.pk) if token else MISSING,
        "session_id": str(family.pk) if family else MISSING,
        "passkey_id": MISSING,
        "watchlist_id": str(watchlist.pk) if watchlist else MISSING,
        "item_id": ITEM if watchlist else MISSING,
        "candle_id": MISSING,
        "person_id": str(user.pk),
        "invite_id": cast.invite_id,
        "job_id": str(cast.job.pk),
        "portfolio_id": str(entry.portfolio_id) if entry else MISSING,
        "account_id": str(empty.pk) if empty else MISSING,
        "transaction_id": str(entry.pk) if entry else MISSING,
        "batch_id": str(entry.batch_id) if entry else MISSING,
        "import_id": str(upload.pk) if upload else MISSING,
        "answer_id": str(answer.pk) if answer else MISSING,
        "share_id": str(share.pk) if share else MISSING,
        "template_id": str(template.pk) if template else MISSING,
        "connection_id": str(connection.pk) if connection else MISSING,
        "purpose": "portfolio",
        "token": "cs_share_of_nobody",
        "symbol": "ETH",
        "exchange": "binance",
        "asset": "BTC",
        "year": "2024",
        "name": "kraken:ETH-USD",
    }


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


def fresh_access(user: User) -> str:
    """Sign a program in a moment ago; return its access token."""
    return make_tokens(user=user).access


def personal(user: User, scope: Scope) -> str:
    """Return a personal token of one scope."""
    return make_personal_token(user=user, scopes=(scope,), expires_in=timedelta(days=1))
