"""`Problem`: data, and the law behind it."""

from dataclasses import dataclass, field, replace

import numpy as np

from ..expression import Expression

SCALES = ("linear", "log", "integer")


@dataclass(frozen=True)
class Variable:
    """One column: its name, unit and meaning, the range it is drawn from, and a wider one to extrapolate to.

    `scale` says how values spread over the range: "linear" (uniform), "log" (uniform in the logarithm) or "integer".
    """

    name: str
    unit: str
    low: float
    high: float
    scale: str = "linear"
    wide: tuple[float, float] | None = None
    meaning: str = ""

    def __post_init__(self):
        if self.scale not in SCALES:
            raise ValueError(f"scale={self.scale!r} of {self.name}: choose one of {', '.join(SCALES)}")
        for low, high in (self.range("domain"), self.range("extrapolation")):
            if not low < high or (self.scale == "log" and low <= 0):
                raise ValueError(f"range {low}..{high} of {self.name} is empty or, on a log scale, not positive")

    def range(self, where):
        """Return (low, high) of the "domain" or of the "extrapolation" domain."""
        return (self.low, self.high) if where == "domain" or self.wide is None else self.wide

    def spread(self, u, where="domain"):
        """Return the values that numbers `u` in [0, 1) stand for."""
        low, high = self.range(where)
        if self.scale == "log":
            return np.exp(np.log(low) + u * (np.log(high) - np.log(low)))
        if self.scale == "integer":
            return np.floor(low + u * (high + 1 - low))
        return low + u * (high - low)


@dataclass(frozen=True, eq=False)
class Problem:
    """A data set together with the formula that it is known, or believed, to follow.

    Attributes
    ----------
    X, y : ndarray of shape (rows, features), (rows,)
        The data. A target that is the natural logarithm of the measured quantity has ``target_transform == "log"``.
    variables : tuple of Variable
        One for each column of X.
    target, target_unit : str
        The measured quantity and its unit (of the quantity itself where the target is its logarithm).
    family : Expression
        The form of the law over ``names`` followed by the names of the free constants.
    parameters : dict
        The free constants and their values in `truth`.
    noise, noise_free : str, bool
        What separates y from the truth.
    law : str
        The law as it is usually written, in LaTeX.
    source, licence : str
        Where the data and the law are from, and the terms of use.

    Examples
    --------
    >>> from srlib import problems
    >>> problems.load("kepler")  # doctest: +ELLIPSIS
    Problem kepler: Kepler's third law
      P [d] = 365.25*sqrt(a**3), 6 rows...
    """

    name: str
    title: str
    suite: str
    variables: tuple[Variable, ...]
    target: str
    target_unit: str
    family: Expression
    parameters: dict[str, float]
    X: np.ndarray = field(repr=False)
    y: np.ndarray = field(repr=False)
    noise: str = "none"
    noise_free: bool = True
    target_transform: str | None = None
    law: str = ""
    source: str = ""
    licence: str = ""

    @property
    def names(self):
        """The names of the columns of X."""
        return tuple(v.name for v in self.variables)

    @property
    def units(self):
        """The units of the columns and of the target, by name."""
        return {v.name: v.unit for v in self.variables} | {self.target: self.target_unit}

    @property
    def domain(self):
        """The range and scale of each column, by name: {"r": (low, high, "log"), …}."""
        return {v.name: (*v.range("domain"), v.scale) for v in self.variables}

    @property
    def extrapolation(self):
        """The wider ranges on which a formula is judged, in the form of `domain`."""
        return {v.name: (*v.range("extrapolation"), v.scale) for v in self.variables}

    @property
    def truth(self):
        """The law as an Expression over the columns, with numbers for its constants."""
        return self.member(self.parameters)

    @property
    def free(self):
        """Which of ``truth.constants`` are free: a tuple of positions."""
        constants = self.family.codes[(self.family.codes == 0) | (self.family.codes < -len(self.variables))]
        return tuple(np.flatnonzero(constants < 0).tolist())

    def member(self, parameters):
        """Return the member of the family with these values of the free constants, as an Expression."""
        if missing := self.parameters.keys() - dict(parameters).keys():
            raise ValueError(f"parameters lacks {sorted(missing)}; {self.name} has {list(self.parameters)}")
        codes, values = self.family.codes.copy(), self.family.values.copy()
        for column, name in enumerate(self.parameters, start=len(self.variables)):
            at = codes == -1 - column  # the leaves that stand for this constant
            codes[at], values[at] = 0, parameters[name]
        return Expression(codes, values, names=self.names)

    def to_frame(self):
        """Return X as a pandas DataFrame, whose column names survive into fitted formulas."""
        import pandas

        return pandas.DataFrame(self.X, columns=list(self.names))

    def sample(self, n, rng=None, noise=0.0, where="domain"):
        """Return fresh data: X drawn from the domain, y from the truth.

        Rows in which the law has no value (n1 >= n2 in Rydberg's formula) are drawn again.

        Parameters
        ----------
        n : int
            Number of rows.
        rng : int, numpy Generator or RandomState, or None
            Seed or generator; None draws differently each time.
        noise : float
            Standard deviation of Gaussian noise, as a fraction of the standard deviation of y.
        where : "domain" or "extrapolation"
            Which ranges to draw from.

        Returns
        -------
        X, y : ndarray of shape (n, features), (n,)
        """
        n, noise = _count("n", n), _level(noise)
        rng = rng if hasattr(rng, "random_sample") else np.random.default_rng(rng)
        X = self._fill(n, where, lambda m: rng.uniform(size=(m, len(self.variables))))
        y = self.truth.evaluate(X)
        return X, y + noise * np.std(y) * rng.standard_normal(n) if noise else y

    def points(self, n=256, where="domain"):
        """Return n rows that cover the domain evenly: a Halton sequence, the same at each call."""
        from scipy.stats import qmc

        sequence = qmc.Halton(len(self.variables), scramble=False)
        sequence.fast_forward(20)  # the first points of a Halton sequence lie near the diagonal
        return self._fill(_count("n", n), where, sequence.random)

    def _fill(self, n, where, unit_rows):
        """Return n rows from a source of points in the unit cube, leaving out those where the law has no value."""
        if where not in ("domain", "extrapolation"):
            raise ValueError(f'where={where!r}: choose "domain" or "extrapolation"')
        truth, kept, found = self.truth, [], 0
        for _ in range(100):
            u = unit_rows(n)  # (n, features)
            X = np.column_stack([v.spread(u[:, j], where) for j, v in enumerate(self.variables)])
            kept.append(X[np.isfinite(truth.evaluate(X))])
            found += len(kept[-1])
            if found >= n:
                return np.concatenate(kept)[:n]
        raise ValueError(f"{self.name}: the law has a value on only {found} of {100 * n} points of its {where}")

    def with_noise(self, level, seed=None, relative_to="sd"):
        """Return this problem with Gaussian noise added to y.

        Parameters
        ----------
        level : float
            Standard deviation of the noise, in units of `relative_to`.
        seed : int, numpy Generator or RandomState, or None
            Seed or generator.
        relative_to : "sd", "rms" or "absolute"
            The standard deviation of y; its root mean square, as in SRBench; or 1, as in GMEQL's noisy problems.
        """
        level = _level(level)
        units = {"sd": np.std(self.y), "rms": np.sqrt(np.mean(self.y**2)), "absolute": 1.0}
        if relative_to not in units:
            raise ValueError(f"relative_to={relative_to!r}: choose one of {', '.join(map(repr, units))}")
        if level == 0:
            return self
        rng = seed if hasattr(seed, "random_sample") else np.random.default_rng(seed)
        scale = level * units[relative_to]
        added = f"Gaussian, standard deviation {scale:.3g} (level {level:g}, relative to {relative_to})"
        return replace(
            self,
            y=self.y + scale * rng.standard_normal(len(self.y)),
            noise=added if self.noise_free else f"{self.noise}; then {added}",
            noise_free=False,
        )

    def __repr__(self):
        target = f"log {self.target}" if self.target_transform == "log" else self.target
        unit = f" [{self.target_unit}]" if self.target_unit else ""
        lines = [
            f"Problem {self.name}: {self.title}",
            f"  {target}{unit} = {self.truth.format(precision=6)}, {len(self.y)} rows, noise: {self.noise}",
        ]
        for v in self.variables:
            low, high = (f"{x:.4g}" for x in v.range("domain"))
            about = f" ({v.meaning})" if v.meaning else ""
            lines.append(f"  {v.name}{f' [{v.unit}]' if v.unit else ''}{about}: {low} to {high}, {v.scale}")
        return "\n".join(lines)


def _count(name, n):
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"{name}={n!r}: the number of rows must be an integer of at least 1")
    return int(n)


def _level(level):
    if isinstance(level, str | bool) or not np.isscalar(level) or not (np.isfinite(level) and level >= 0):
        raise ValueError(f"noise level {level!r}: must be a number of at least 0, such as 0.1")
    return float(level)
