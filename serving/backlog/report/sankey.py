"""The picture of the flows from old labels to categories: SVG, its text in the reader's own fonts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from corpora.markup import safe

FLOWS = 30  # drawn by themselves; the rest is one band
OTHERS = "（其余）"  # no label is called that
WIDTH, SIDE, NODE = 900, 250, 14  # of the picture, of the names on each side, of a node
GAP, LINE, LETTER = 8, 16, 13  # between nodes, least height of a node's place, width of a Chinese character
HEIGHT = 420  # of all nodes of a side together, without gaps
COLOURS = ("#2f6f9f", "#b5482f", "#5b8c5a", "#8a6fb0", "#c08a2d", "#3f8f8b", "#a8527c", "#6b7a3a")
GREY = "#9aa5b1"


@dataclass(frozen=True)
class Flow:
    """How many rows go from one name to another."""

    source: str
    target: str
    rows: int


@dataclass
class _Node:
    """A name on one side: its place, its rows, and where the next band begins."""

    name: str
    rows: int
    top: float
    height: float
    used: float = 0.0

    def taken(self, thick: float) -> float:
        """The middle of the next band, which is so thick."""
        self.used += thick
        return self.top + self.used - thick / 2


def sankey(flows: Sequence[Flow], title: str) -> str:
    """The largest flows as bands, the others together; a narrow screen scrolls. `title` tells what cannot be seen."""
    drawn = largest(flows)
    total = max(1, sum(flow.rows for flow in drawn))
    left = _nodes([(flow.source, flow.rows) for flow in drawn], total)
    drawn.sort(key=lambda flow: left[flow.source].top)  # bands cross less where both sides have about the same order
    right = _nodes([(flow.target, flow.rows) for flow in drawn], total)
    colours = {name: GREY if name == OTHERS else COLOURS[place % len(COLOURS)] for place, name in enumerate(left)}
    bands = "".join(_bands(drawn, left, right, colours, total))
    nodes = "".join(_name(node, SIDE, colours[name], ahead=True) for name, node in left.items())
    nodes += "".join(_name(node, WIDTH - SIDE - NODE, GREY, ahead=False) for node in right.values())
    tall = GAP + max((node.top + max(node.height, LINE) for side in (left, right) for node in side.values()), default=0)
    return (
        f'<figure class="wide"><svg role="img" aria-label="{safe(title)}" width="{WIDTH}" height="{tall:.0f}" '
        f'viewBox="0 0 {WIDTH} {tall:.0f}" font-size="{LETTER}" style="max-width:none">{bands}{nodes}</svg></figure>'
    )


def largest(flows: Sequence[Flow], most: int = FLOWS) -> list[Flow]:
    """The largest flows, and the others counted under `OTHERS`; a source that is shown keeps all its rows."""
    ordered = sorted(flows, key=lambda flow: (-flow.rows, flow.source, flow.target))
    sources, targets = ({getattr(flow, side) for flow in ordered[:most]} for side in ("source", "target"))
    drawn: dict[tuple[str, str], int] = defaultdict(int)
    for place, flow in enumerate(ordered):
        if place < most:
            ends = flow.source, flow.target
        elif flow.source in sources:
            ends = flow.source, OTHERS
        else:
            ends = OTHERS, flow.target if flow.target in targets else OTHERS
        drawn[ends] += flow.rows
    return [Flow(*ends, rows) for ends, rows in drawn.items()]


def _nodes(parts: Sequence[tuple[str, int]], total: int) -> dict[str, _Node]:
    """The nodes of a side from above, in the order in which they are first named."""
    rows: dict[str, int] = defaultdict(int)
    for name, count in parts:
        rows[name] += count
    nodes: dict[str, _Node] = {}
    top = float(GAP)
    for name, count in sorted(rows.items(), key=lambda one: one[0] == OTHERS):
        height = max(1.0, HEIGHT * count / total)
        nodes[name] = _Node(name, count, top, height)
        top += max(height, LINE) + GAP
    return nodes


def _bands(
    flows: Sequence[Flow], left: dict[str, _Node], right: dict[str, _Node], colours: dict[str, str], total: int
) -> Iterator[str]:
    """The bands, those of others behind; on each side they lie in the order of their other ends."""
    thick = {flow: max(1.0, HEIGHT * flow.rows / total) for flow in flows}
    begins, ends = (
        {flow: side[name(flow)].taken(thick[flow]) for flow in sorted(flows, key=lambda flow: far[other(flow)].top)}
        for side, far, name, other in (
            (left, right, attrgetter("source"), attrgetter("target")),
            (right, left, attrgetter("target"), attrgetter("source")),
        )
    )
    for flow in sorted(flows, key=lambda flow: flow.source != OTHERS):
        yield _band(flow, begins[flow], ends[flow], thick[flow], colours[flow.source])


def _band(flow: Flow, begin: float, end: float, thick: float, colour: str) -> str:
    left, right = SIDE + NODE, WIDTH - SIDE - NODE
    middle = (left + right) / 2
    told = f"{flow.source} → {flow.target}：{flow.rows:,} 行"
    return (
        f'<path d="M{left} {begin:.1f}C{middle:.0f} {begin:.1f} {middle:.0f} {end:.1f} {right} {end:.1f}" fill="none" '
        f'stroke="{colour}" stroke-opacity=".4" stroke-width="{thick:.1f}"><title>{safe(told)}</title></path>'
    )


def _name(node: _Node, left: int, colour: str, *, ahead: bool) -> str:
    """A node with its name outside the bands."""
    place, anchor = (left - 6, "end") if ahead else (left + NODE + 6, "start")
    middle = node.top + max(node.height, LETTER) / 2
    words = f"{fitting(node.name, SIDE - 75)} {node.rows:,}"
    return (
        f'<rect x="{left}" y="{node.top:.1f}" width="{NODE}" height="{node.height:.1f}" fill="{colour}"/>'
        f'<text x="{place}" y="{middle + 4:.1f}" text-anchor="{anchor}">{safe(words)}'
        f"<title>{safe(node.name)}</title></text>"
    )


def fitting(name: str, width: float) -> str:
    """As much of a name as fits into a width; others than Chinese characters take about half of theirs."""
    taken = 0.0
    for place, sign in enumerate(name):
        taken += LETTER if ord(sign) > 0x2E7F else 0.6 * LETTER
        if taken > width:
            return name[: max(1, place - 1)] + "…"
    return name
