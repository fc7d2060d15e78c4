"""The report's drawings, as SVG inside a page. Colours differ in brightness, lines in dashes too."""

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from geo.cells import boundary, centre
from simulations.planning.groups import Groups
from simulations.planning.page import Html
from simulations.planning.records import Cells, Flags, Floats, Longs
from simulations.planning.tally import COUNTED_S, Tally

COLOURS = ("#005a8c", "#d55e00", "#009e73", "#8a3f77", "#806000", "#3b3b3b")
"""After Okabe and Ito: told apart by the colour-blind too."""
DASHES = ("-", "--", "-.", ":")
SHOWN_S = 1800
HOURS = 24
FEW = 10
"""Alarms in a cell or an hour, over all replications, below which its share says little."""
VECTORS_MAX = 3000
"""Cells drawn one by one; more of them become a picture, so that the page stays small."""

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
}


def arrivals(policies: Sequence[str], sums: Sequence[Tally]) -> Html:
    """Share of alarms with the first medic, and the ambulance, by each second. Who never comes is in it."""
    with mpl.rc_context(_STYLE):
        drawing, (axes,) = _axes(1, 4.2)
        minutes = np.arange(1, SHOWN_S + 1) / 60
        for column, (policy, one) in enumerate(zip(policies, sums, strict=True)):
            _line(axes, column, minutes, _reached(one.first_medic)[:SHOWN_S], f"First medic, {policy}")
        ambulance = _reached(sums[0].ambulance)[:SHOWN_S]
        axes.plot(minutes, ambulance, color="#1a1a1a", linewidth=1, label="Ambulance")
        _finish(axes, "Minutes since the call was answered", "Alarms, %", 100)
        axes.set_xlim(0, SHOWN_S / 60)
        axes.legend(loc="upper left", frameon=False)
        return _svg(drawing, "arrivals")


def gained(policies: Sequence[str], sums: Sequence[Tally]) -> Html:
    """Share of alarms that gain at least so many seconds; what is missing to 100 % gains nothing."""
    with mpl.rc_context(_STYLE):
        drawing, (axes,) = _axes(1, 3.6)
        seconds = np.arange(1, SHOWN_S)
        for column, (policy, one) in enumerate(zip(policies, sums, strict=True)):
            _line(axes, column, seconds / 60, 100 - _reached(one.gained)[: SHOWN_S - 1], policy)
        _finish(axes, "Minutes gained, at least", "Alarms, %", None)
        axes.set_xlim(0, SHOWN_S / 60)
        axes.legend(loc="upper right", frameon=False)
        return _svg(drawing, "gained")


def by_hour(policies: Sequence[str], sums: Sequence[Tally]) -> Html:
    with mpl.rc_context(_STYLE):
        drawing, panels = _axes(3, 3.2)
        for column, (policy, one) in enumerate(zip(policies, sums, strict=True)):
            shares = (
                _each_hour(one.by_hour, "gained_ms", 1 / 1000),
                _each_hour(one.by_hour, "medic_6_min", 100),
                _each_hour(one.by_hour, "alerts", 1),
            )
            for axes, means in zip(panels, shares, strict=True):
                _line(axes, column, np.arange(HOURS), means, policy, marker="o", markersize=2.5)
        names = ("Seconds gained, mean", "A medic within 6 min, %", "Alerts per alarm")
        for axes, name in zip(panels, names, strict=True):
            axes.set_title(name, fontsize=9, loc="left")
            _finish(axes, "Hour of the day", "", None)
            axes.set_xlim(-0.5, HOURS - 0.5)
            axes.set_xticks(range(0, HOURS, 6))
        drawing.legend(
            *panels[0].get_legend_handles_labels(), loc="outside upper left", frameon=False, ncols=3
        )
        return _svg(drawing, "hours")


def coverage(policies: Sequence[str], groups: Sequence[Groups]) -> Html:
    """A map a policy: in how many of a cell's alarms a medic was there within 6 minutes."""
    with mpl.rc_context(_STYLE):
        rows = -(-len(policies) // 2)
        columns = min(2, len(policies))
        drawing = Figure(figsize=(9, 4.6 * rows if columns == 2 else 6), layout="constrained")
        grid = drawing.subplots(rows, columns, squeeze=False).ravel()
        top = max(10.0, *(10 * np.ceil(_shares(one).max(initial=0) / 10) for one in groups))
        for axes, policy, one in zip(grid, policies, groups, strict=False):
            last = _map(axes, one, top)
            axes.set_title(policy, fontsize=9, loc="left", parse_math=False)
        for axes in grid[len(policies) :]:
            axes.set_visible(False)
        drawing.colorbar(last, ax=list(grid), shrink=0.6, label="A medic within 6 min, % of alarms")
        return _svg(drawing, "map")


def with_enough(groups: Groups) -> Flags:
    """The groups with alarms enough for a share."""
    return groups.column("alarms") >= FEW


def _shares(groups: Groups) -> Floats:
    """Per cent with a medic within 6 minutes, of each cell with alarms enough."""
    enough = with_enough(groups)
    shares: Floats = 100 * groups.column("medic_6_min")[enough] / groups.column("alarms")[enough]
    return shares


def _map(axes: Axes, groups: Groups, top: float) -> PolyCollection:
    """``top``: the share of the brightest colour, the same in each policy's map."""
    enough = with_enough(groups)
    beside = centre(int(groups.keys[0]))[1]
    few = PolyCollection(
        list(outlines(groups.keys[~enough], beside)), facecolor="#eeeeee", edgecolor="#cccccc"
    )
    cells = PolyCollection(
        list(outlines(groups.keys[enough], beside)),
        array=_shares(groups),
        cmap="cividis",
        edgecolor="white",
        linewidth=0.3,
    )
    cells.set_clim(0, top)
    for one in (few, cells):
        one.set_rasterized(len(groups.keys) > VECTORS_MAX)
        axes.add_collection(one)
    axes.autoscale_view()
    middle = float(np.mean(axes.get_ylim()))
    axes.set_aspect(1 / np.cos(np.radians(middle)))
    axes.grid(False)
    axes.ticklabel_format(useOffset=False)
    axes.locator_params(nbins=4)
    axes.set_xlabel("Longitude, degrees")
    axes.set_ylabel("Latitude, degrees")
    return cells


def outlines(cells: Cells, beside: float) -> Iterator[list[tuple[float, float]]]:
    """Longitudes within 180 degrees of ``beside``: a map across the 180th meridian is one piece."""
    for cell in cells.tolist():
        yield [(lon - 360.0 * round((lon - beside) / 360.0), lat) for lat, lon in boundary(cell)]


def _reached(counts: Longs) -> Floats:
    """Per cent of all, later and never too, that came before the end of each second."""
    reached: Floats = 100 * np.cumsum(counts)[:COUNTED_S] / counts.sum()
    return reached


def _axes(count: int, height: float) -> tuple[Figure, Sequence[Axes]]:
    drawing = Figure(figsize=(9, height), layout="constrained")
    return drawing, drawing.subplots(1, count, squeeze=False)[0]


def _each_hour(groups: Groups, name: str, factor: float) -> Floats:
    """Mean of a count by hour of the day; NaN, a gap in the line, for an hour with too few alarms."""
    alarms = groups.column("alarms")
    enough = with_enough(groups)
    means = np.full(HOURS, np.nan)
    means[groups.keys[enough]] = factor * groups.column(name)[enough] / alarms[enough]
    return means


def _line(axes: Axes, column: int, x: np.ndarray, y: np.ndarray, label: str, **style: Any) -> None:
    colour, dashes = COLOURS[column % len(COLOURS)], DASHES[column % len(DASHES)]
    axes.plot(x, y, color=colour, linestyle=dashes, linewidth=1.8, label=label, **style)


def _finish(axes: Axes, x: str, y: str, top: float | None) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_ylim(0, top)


def _svg(drawing: Figure, name: str) -> Html:
    """Without the XML heading and metadata; ids begin with ``name``, for several stand in one page."""
    for words in drawing.findobj(lambda one: hasattr(one, "set_parse_math")):
        words.set_parse_math(False)  # type: ignore[attr-defined]
    written = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    drawing.savefig(written, format="svg", metadata=nothing)
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    return Html(svg)
