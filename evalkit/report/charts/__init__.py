"""The page's charts, each twice: interactive, and drawn for readers without JavaScript and for print.

Titles say the finding. Labels hold names of languages and judges and no text of models. Every chart has its data as a
table, and all of it stands in results.json.
"""

from __future__ import annotations

from evalkit.report.charts.base import Chart
from evalkit.report.charts.length import length_chart
from evalkit.report.charts.position import position_chart
from evalkit.report.charts.slope import slope_chart
from evalkit.report.view import View


def charts(view: View) -> list[Chart]:
    """Return the charts that the results can draw."""
    made = (slope_chart(view), length_chart(view), position_chart(view))
    return [chart for chart in made if chart is not None]
