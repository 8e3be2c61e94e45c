"""Tables, and the goals beside what was measured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.figures import Summary

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """One section of the report."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Goal:
    """What the project promises, and what was measured."""

    text: str
    limit: float
    measured: float | None
    at_least: bool = False
    unit: str = "x"

    @property
    def verdict(self) -> str:
        """In words; a goal that was not measured is not reached."""
        if self.measured is None:
            return "not measured"
        held = self.measured >= self.limit if self.at_least else self.measured <= self.limit
        return "reached" if held else "NOT reached"


FIVE = ("n", "min", "median", "p95", "max")


def five(summary: Summary | None) -> tuple[Cell, ...]:
    """The cells under FIVE."""
    if summary is None:
        return (0, None, None, None, None)
    return (summary.n, summary.min, summary.median, summary.p95, summary.max)


def said(problems: Mapping[str, int]) -> str:
    """Problems in one cell."""
    return ", ".join(f"{count} x {problem[:60]}" for problem, count in problems.items()) or "-"


def show(cell: Cell) -> str:
    """Three figures are enough."""
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 1000 else f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"
    return str(cell)


def text(table: Table) -> str:
    """Aligned columns under a title: words to the left, numbers to the right."""
    columns = [_column(head, cells) for head, *cells in zip(table.head, *table.rows, strict=True)]
    lines = ("  ".join(line).rstrip() for line in zip(*columns, strict=True))
    return "\n".join(["", table.title, "-" * len(table.title), *lines, *_notes(table.notes)])


def _column(head: Cell, cells: Sequence[Cell]) -> list[str]:
    shown = [show(cell) for cell in (head, *cells)]
    width = max(map(len, shown))
    words = any(isinstance(cell, str) for cell in cells)
    return [cell.ljust(width) if words else cell.rjust(width) for cell in shown]


def _notes(notes: Iterable[str]) -> list[str]:
    return [f"  ({note})" for note in notes]


def goals_table(goals: Sequence[Goal]) -> Table:
    """Every goal, reached or not."""
    rows = tuple((g.text, f"{'>=' if g.at_least else '<='} {g.limit:g} {g.unit}", g.measured, g.verdict) for g in goals)
    return Table("Goals", ("goal", "promised", "measured", "verdict"), rows)
