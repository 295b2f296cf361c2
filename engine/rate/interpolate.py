"""A smooth curve through few points."""

from __future__ import annotations


def interpolate(xs: list[float], ys: list[float], x: float) -> float:
    """Monotone piecewise cubic through 2 to 4 points, at `x` between the two in the middle (or the only two).

    Slopes are weighted harmonic means of the neighbouring secants (Fritsch & Butland 1984); at an end that of the
    parabola through three points, held within 0 and three times the secant. `xs` and `ys` must both increase.
    """
    secants = [(ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i]) for i in range(len(xs) - 1)]
    i = next(k for k in range(len(xs) - 1) if x <= xs[k + 1] or k == len(xs) - 2)

    def slope(k: int) -> float:
        if len(secants) == 1:
            return secants[0]
        inner = min(max(k, 1), len(secants) - 1)  # the inner point itself, or that next to an end
        left, right = secants[inner - 1], secants[inner]
        h0, h1 = xs[inner] - xs[inner - 1], xs[inner + 1] - xs[inner]
        if k == inner:
            return 3 * (h0 + h1) / ((2 * h1 + h0) / left + (h1 + 2 * h0) / right) if left * right > 0 else 0.0
        near, far, h, other = (left, right, h0, h1) if k < inner else (right, left, h1, h0)
        return min(max(((2 * h + other) * near - h * far) / (h + other), 0.0), 3 * near)

    h = xs[i + 1] - xs[i]
    t = (x - xs[i]) / h
    a, b = slope(i) * h, slope(i + 1) * h
    rise = ys[i + 1] - ys[i]
    return ys[i] + t * (a + t * (3 * rise - 2 * a - b + t * (a + b - 2 * rise)))
