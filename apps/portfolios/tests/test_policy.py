"""The policy: its defaults, its choices, and what it refuses."""

import pytest

from apps.portfolios.domain.policy import (
    CoinFee,
    Fees,
    Method,
    Missing,
    Policy,
    PolicyError,
    SameCoinFee,
    Scope,
    parse_policy,
    policy_as_portable,
)
from apps.portfolios.domain.transactions import JsonNumber


def refusal(raw: object) -> tuple[str, str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(raw)
    assert caught.value.message == str(caught.value)
    return caught.value.code, caught.value.field


def test_nothing_given_is_the_first_of_every_choice() -> None:
    assert parse_policy({}) == parse_policy({"method": None}) == Policy()
    assert policy_as_portable(Policy()) == {
        "method": "fifo",
        "scope": "universal",
        "fees": "basis",
        "crypto_fee": "dispose",
        "same_coin_fee": "dispose",
        "transfer_fee": "dispose",
        "missing": "zero_cost",
        "long_days": 365,
        "hifo_excl_fee": False,
        "alias": {},
    }


def test_every_setting_is_read_and_written() -> None:
    policy = parse_policy(
        {
            "method": "acb",
            "scope": "per_account",
            "fees": "separate",
            "crypto_fee": "consume",
            "same_coin_fee": "in_disposal",
            "transfer_fee": "consume",
            "missing": "error",
            "long_days": JsonNumber("366"),
            "hifo_excl_fee": "true",
            "alias": {"WETH": "ETH"},
            "superficial_window_days": 30,
        }
    )
    assert policy == Policy(
        method=Method.ACB,
        scope=Scope.PER_ACCOUNT,
        fees=Fees.SEPARATE,
        crypto_fee=CoinFee.CONSUME,
        same_coin_fee=SameCoinFee.IN_DISPOSAL,
        transfer_fee=CoinFee.CONSUME,
        missing=Missing.ERROR,
        long_days=366,
        hifo_excl_fee=True,
        alias={"WETH": "ETH"},
        superficial_window_days=30,
    )
    assert parse_policy(policy_as_portable(policy)) == policy


def test_pools_are_the_averages() -> None:
    assert [method for method in Method if Policy(method=method).pooled] == [Method.ACB, Method.UK_S104]


def test_aliases_lead_to_one_bucket() -> None:
    policy = parse_policy({"alias": {"AWETH": "WETH", "WETH": "ETH", "ETH": "ETH"}})
    assert {policy.bucket(name) for name in ("AWETH", "WETH", "ETH")} == {"ETH"}
    assert policy.bucket("BTC") == "BTC"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ([], ("policy_invalid", "policy")),
        ({"method": "lofo"}, ("policy_invalid", "method")),
        ({"metod": "lifo"}, ("policy_invalid", "metod")),
        ({"long_days": -1}, ("policy_invalid", "long_days")),
        ({"long_days": True}, ("policy_invalid", "long_days")),
        ({"long_days": "1.5"}, ("policy_invalid", "long_days")),
        ({"superficial_window_days": "9" * 7}, ("policy_invalid", "superficial_window_days")),
        ({"hifo_excl_fee": "yes"}, ("policy_invalid", "hifo_excl_fee")),
        ({"hifo_excl_fee": 1}, ("policy_invalid", "hifo_excl_fee")),
        ({"alias": ["WETH"]}, ("policy_invalid", "alias")),
        ({"alias": {"WETH": 1}}, ("policy_invalid", "alias")),
        ({"alias": {"A": "B", "B": "C", "C": "A"}}, ("policy_invalid", "alias")),
        ({"method": "uk_s104", "scope": "per_account"}, ("policy_refused", "scope")),
    ],
)
def test_what_cannot_be_booked_by_is_refused(raw: object, said: tuple[str, str]) -> None:
    assert refusal(raw) == said
