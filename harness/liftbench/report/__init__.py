"""Reports: one self-contained HTML page, and the same figures as files for papers."""

from liftbench.report.collect import collect_suite
from liftbench.report.content import SuiteReport
from liftbench.report.figures import write_figures
from liftbench.report.page import render_page

__all__ = ["SuiteReport", "collect_suite", "render_page", "write_figures"]
