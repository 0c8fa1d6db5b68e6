"""How tests are dealt out when several processes run them: the products of the journeys follow each other in one.

A file's tests stay together, so that what they share is made once; generated requests are dealt out one operation at
a time and come last, which lets all processes end at about the same time.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

#: These start whole products and measure them: no two of them at a time.
_WITH_PRODUCTS = (
    "test_console_journey.py",
    "test_faults.py",
    "test_ledger_journey.py",
    "test_market_faults.py",
    "test_markets_journey.py",
    "test_outages.py",
    "test_with_services.py",
)
_GENERATED = "test_every_operation_survives_what_is_generated"
_PRODUCTS = "products"


def hand_of(nodeid: str) -> str:
    """Return what a test is dealt out with: its file, all journeys with products, or itself alone."""
    path, _, name = nodeid.partition("::")
    if path.endswith(_WITH_PRODUCTS):
        return _PRODUCTS
    return nodeid if name.startswith(_GENERATED) else path


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a generated test go by its operation; else all have one name, and only one of them would be dealt out."""
    operation = getattr(item, "operation_label", None)
    if operation and item.id.params is None:
        item._id = item.id.with_params(operation)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest as one piece, and end with the smallest pieces; else the order stays."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (hand_of(item.nodeid) != _PRODUCTS, hand_of(item.nodeid) == item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadScopeScheduling":
    """Deal out by hands, in the order of the tests."""
    from xdist.scheduler import LoadScopeScheduling

    class ByHand(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return hand_of(nodeid)

    config.option.loadscopereorder = False
    return ByHand(config, log)
