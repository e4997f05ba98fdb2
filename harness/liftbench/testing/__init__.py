"""The conformance kit: what every plugin promises, as checks that anyone can run.

`liftbench plugins check NAME` runs the checks of an installed plugin;
`liftbench.testing.pytest_checks` makes a test of each check.
"""

from liftbench.testing.checking import checks_of
from liftbench.testing.datasets import check_dataset
from liftbench.testing.methods import Patience, check_method
from liftbench.testing.outcomes import Outcome, State, tally
from liftbench.testing.scenes import moving_body, scene

__all__ = [
    "Outcome",
    "Patience",
    "State",
    "check_dataset",
    "check_method",
    "checks_of",
    "moving_body",
    "scene",
    "tally",
]
