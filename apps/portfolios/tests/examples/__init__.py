"""Worked examples of booking, each with the figures that its source states or that its rule gives by hand."""

from apps.portfolios.tests.examples.american import AMERICAN
from apps.portfolios.tests.examples.british import BRITISH
from apps.portfolios.tests.examples.canadian import CANADIAN
from apps.portfolios.tests.examples.changing import CHANGING
from apps.portfolios.tests.examples.contract import CONTRACT
from apps.portfolios.tests.examples.fees import FEES
from apps.portfolios.tests.examples.shape import Example
from apps.portfolios.tests.examples.tools import TOOLS

EXAMPLES: list[Example] = [*BRITISH, *AMERICAN, *CANADIAN, *TOOLS, *FEES, *CONTRACT, *CHANGING]

__all__ = ["EXAMPLES", "Example"]
