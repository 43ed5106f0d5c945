"""Draws line charts side by side as one SVG, for light and dark pages."""

import math
from html import escape

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 290, 210, 46, 44, 46
COLORS = ("#2f6db5", "#c2571a", "#3b8a4b")

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1c2733 }
.small { font-size: 11px; fill: #5b6b7b } .axis { stroke: #9fb0c0; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .small { fill: #9fb0c0 } }
"""


def short(number):
    if number >= 1_000_000:
        return f"{number / 1_000_000:g}M"
    if number >= 1000:
        return f"{number / 1000:g}k"
    return f"{number:g}"


def scale(values):
    """Logarithmic from left to right: sizes are powers of something."""
    low, high = math.log(min(values)), math.log(max(values))
    return lambda value: (math.log(value) - low) / ((high - low) or 1)


def text(x, y, content, kind="", anchor="start"):
    place = f'x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(content)}</text>"


def chart(left, title, lines):
    xs = sorted({x for points in lines.values() for x, _ in points})
    most = 1.25 * max(y for points in lines.values() for _, y in points)
    across = scale(xs)
    room = WIDTH - LEFT - 24
    floor = HEIGHT - BOTTOM
    height = floor - TOP

    def place(x, y):
        return left + LEFT + across(x) * room, floor - y / most * height

    out = [text(left + 8, 20, title)]
    right = left + LEFT + room
    out.append(f'<path class="axis" d="M{left + LEFT} {TOP}V{floor}H{right}" fill="none"/>')
    for share in (0, 0.5, 1):
        label = f"{most * share:.2g}"
        out.append(text(left + LEFT - 6, floor - share * height + 4, label, "small", "end"))
    for x in xs:
        out.append(text(place(x, 0)[0], floor + 16, short(x), "small", "middle"))
    for index, (name, points) in enumerate(lines.items()):
        color = COLORS[index % len(COLORS)]
        path = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in sorted(points))
        out.append(f'<polyline class="line" stroke="{color}" points="{path}"/>')
        if len(lines) > 1:
            at = left + LEFT + index * room / len(lines)
            out.append(
                f'<rect x="{at:.0f}" y="{HEIGHT - 14}" width="9" height="9" fill="{color}"/>'
            )
            out.append(text(at + 12, HEIGHT - 6, name, "small"))
    return out


def draw(charts):
    parts = []
    count = 0
    for title, lines in charts:
        parts += chart(count * WIDTH, title, lines)
        count += 1
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {count * WIDTH} {HEIGHT}"'
        f' role="img">\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )
