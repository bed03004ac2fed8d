"""Charts as inline SVG: marks differ in colour and in shape, and every mark has its figures as a title.

Colours come from classes, so that the page's style decides on light and dark. Widths are those of a
narrow screen, since a picture that is enlarged stays readable and one that is shrunk does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from tokforge.report.markup import element, text_of

__all__ = ["Series", "dot_plot", "interval_plot", "legend", "line_chart", "marker"]

WIDTH = 480
_LEFT, _RIGHT, _TOP, _ROW = 84, 14, 14, 24


@dataclass(frozen=True, slots=True)
class Series:
    """One tokenizer's values: points for a line chart, or one for each row of a dot plot."""

    name: str
    points: Sequence[tuple[float, float]]


def marker(number: int, x: float, y: float, title: str = "") -> str:
    """Returns the mark of the series with this number: of ten colours and five shapes, fifty in all."""
    r = 4.5
    shapes: tuple[Callable[[], str], ...] = (
        lambda: f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z",
        lambda: f"M{x - 4:.1f} {y - 4:.1f}h8v8h-8z",
        lambda: f"M{x:.1f} {y - 5:.1f}l5 9h-10z",
        lambda: f"M{x:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z",
        lambda: f"M{x - 5:.1f} {y - 4:.1f}h10l-5 9z",
    )
    path = shapes[(number + number // 10) % len(shapes)]()  # the eleventh has the first's colour alone
    return element(
        "path", element("title", text_of(title)) if title else "", d=path, class_=f"mark c{number % 10}"
    )


def legend(names: Sequence[str]) -> str:
    """Returns the list of series and their marks, for all charts of the page."""
    items = [
        element("li", element("svg", marker(i, 7, 7), viewBox="0 0 14 14", aria_hidden="true"), text_of(name))
        for i, name in enumerate(names)
    ]
    return element("ul", *items, class_="legend")


def dot_plot(title: str, unit: str, rows: Sequence[str], series: Sequence[Series]) -> str:
    """Returns one row for each category and a mark for each tokenizer; ``points`` are (row, value)."""
    most = max((value for one in series for _, value in one.points), default=1.0)
    body, height, across = _rows(rows, unit, most)
    for number, one in enumerate(series):
        for at, value in one.points:
            y = _TOP + _ROW * (at + 0.5)
            body.append(marker(number, across(value), y, f"{one.name}, {rows[int(at)]}: {value:.3f} {unit}"))
    return _svg(title, height, body)


def interval_plot(
    title: str, unit: str, rows: Sequence[str], values: Sequence[float], spans: Sequence[Sequence[float]]
) -> str:
    """Returns one row for each category: a mark at its value, on a line over its interval if it has one."""
    most = max([*values, *(high for _, high in spans)], default=1.0)
    body, height, across = _rows(rows, unit, most)
    for number, (row, value) in enumerate(zip(rows, values, strict=True)):
        y, said = _TOP + _ROW * (number + 0.5), f"{row}: {value:.2f} {unit}"
        if spans:
            low, high = (across(end) for end in spans[number])
            body.append(element("path", d=f"M{low:.1f} {y:.1f}H{high:.1f}", class_="line c0"))
            said += ", {:.2f} to {:.2f}".format(*spans[number])
        body.append(marker(0, across(value), y, said))
    return _svg(title, height, body)


def line_chart(
    title: str,
    x_unit: str,
    y_unit: str,
    series: Sequence[Series],
    *,
    log_x: bool = False,
    y_max: float | None = None,
) -> str:
    """Returns a line for each tokenizer over ``points``; ``log_x`` puts x on a logarithmic scale."""
    height, bottom = 300, 258
    xs = [x for one in series for x, _ in one.points] or [1.0]
    ys = [y for one in series for _, y in one.points] or [1.0]
    y_ticks = _ticks(0.0, max(ys) if y_max is None else y_max)
    x_ticks = _decades(max(xs)) if log_x else _ticks(0.0, max(xs))
    along: Callable[[float], float] = log10 if log_x else float
    low, high = along(x_ticks[0]), along(max(xs) if log_x else x_ticks[-1])
    across, up = _scale(low, high, 46, WIDTH - 16), _scale(0.0, y_ticks[-1], bottom, _TOP + 12)
    body = [_horizontal(up(tick), _number(tick)) for tick in y_ticks]
    body += [
        _vertical(across(along(tick)), _TOP, bottom, _number(tick)) for tick in x_ticks if along(tick) <= high
    ]
    for number, one in enumerate(series):
        at = [(across(along(x)), up(y)) for x, y in one.points]
        body.append(_line(number, at, one.name))
        step = max(1, len(at) // 4)
        body += [
            marker(number, x, y, _point(one, i, x_unit, y_unit))
            for i, (x, y) in enumerate(at)
            if i % step == step // 2
        ]
    body.append(
        element("text", text_of(x_unit), x=WIDTH - 16, y=height - 6, text_anchor="end", class_="unit")
    )
    body.append(element("text", text_of(y_unit), x=46, y=10, class_="unit"))
    return _svg(title, height, body)


def _rows(rows: Sequence[str], unit: str, most: float) -> tuple[list[str], int, Callable[[float], float]]:
    """Returns the grid behind named rows, its height, and where a value from 0 to ``most`` stands."""
    ticks = _ticks(0.0, most)
    height = _TOP + _ROW * len(rows) + 34
    across = _scale(0.0, ticks[-1], _LEFT, WIDTH - _RIGHT)
    body = [_vertical(across(tick), _TOP, height - 30, _number(tick)) for tick in ticks]
    for number, row in enumerate(rows):
        y = _TOP + _ROW * (number + 0.5)
        body.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="row"))
        body.append(element("text", text_of(_short(row)), x=_LEFT - 8, y=y + 4, text_anchor="end"))
    named = element("text", text_of(unit), x=WIDTH - _RIGHT, y=height - 2, text_anchor="end", class_="unit")
    return [*body, named], height, across


def _point(one: Series, at: int, x_unit: str, y_unit: str) -> str:
    x, y = one.points[at]
    return f"{one.name}: {x:g} {x_unit}, {y:.3f} {y_unit}"


def _line(number: int, at: Sequence[tuple[float, float]], name: str) -> str:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in at) if at else "M0 0"
    return element("path", element("title", text_of(name)), d=path, class_=f"line c{number % 10}")


def _svg(title: str, height: float, body: Sequence[str]) -> str:
    return element(
        "svg",
        element("title", text_of(title)),
        *body,
        viewBox=f"0 0 {WIDTH} {height:g}",
        role="img",
        aria_label=title,
        class_="chart",
    )


def _vertical(x: float, top: float, bottom: float, label: str) -> str:
    line = element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=top, y2=bottom, class_="grid")
    return line + element(
        "text", text_of(label), x=f"{x:.1f}", y=bottom + 16, text_anchor="middle", class_="tick"
    )


def _horizontal(y: float, label: str) -> str:
    line = element("line", x1=46, x2=WIDTH - 16, y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid")
    return line + element("text", text_of(label), x=40, y=f"{y + 4:.1f}", text_anchor="end", class_="tick")


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    width = (high - low) or 1.0
    return lambda value: start + (value - low) / width * (end - start)


def _ticks(low: float, high: float) -> list[float]:
    """Returns about five round numbers from ``low`` that reach ``high``."""
    span = max(high - low, 1e-9)
    step = 10.0 ** floor(log10(span / 4))
    step *= next(m for m in (1, 2, 2.5, 5, 10) if span / (step * m) <= 5)
    return [low + step * i for i in range(ceil(span / step - 1e-9) + 1)]


def _decades(high: float) -> list[float]:
    return [10.0**power for power in range(ceil(log10(max(high, 10.0))) + 1)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


def _short(name: str) -> str:
    # Its end, too: names of files and targets often begin alike.
    return name if len(name) <= 12 else f"{name[:5]}…{name[-5:]}"
