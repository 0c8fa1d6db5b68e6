"""Worked examples of tax offices and public tools: the engine's figures, and the reference's, are theirs."""

import pytest

from apps.portfolios.tests import reference
from apps.portfolios.tests.examples import EXAMPLES, Example
from apps.portfolios.tests.examples.shape import agrees, figure
from apps.portfolios.tests.ledgers import engine_result


def _differences(example: Example, result: dict[str, object]) -> list[str]:
    found = {path: figure(result, path) for path in example.expected}
    return [
        f"{path}: {found[path]}, not {stated}"
        for path, stated in example.expected.items()
        if not agrees(found[path], stated)
    ]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.source}: {example.name}")
def test_the_engine_meets_the_stated_figures(example: Example) -> None:
    assert _differences(example, engine_result(example.file)) == []
    assert _differences(example, reference.book(example.file)) == []
