"""The controls of panels: what a reader can change, and the widgets for it.

A slider of ipywidgets has no name that a screen reader could say. Each slider is therefore linked with a number box,
which has one and also takes exact values from the keyboard.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

__all__ = ["Choice", "Controls", "Slider", "Toggle"]

_LABEL = {"description_width": "11em"}


@dataclass(frozen=True)
class Slider:
    """A number between two bounds; whole when ``low``, ``high``, ``step`` and ``value`` all are.

    Parameters
    ----------
    name : str
        The parameter's name.
    low, high, step, value : int or float
        The range, the distance of two settings, the first setting. On a logarithmic scale ``step`` is in decades.
    label : str, optional
        What the reader sees; the name by default.
    help : str
        A few words beside it.
    log : bool
        A logarithmic scale.
    """

    name: str
    low: float
    high: float
    step: float
    value: float
    label: str | None = None
    help: str = ""
    log: bool = False

    def __post_init__(self):
        if not self.low < self.high:
            raise ValueError(f"Slider {self.name!r}: low={self.low!r} must be below high={self.high!r}.")
        if not self.step > 0:
            raise ValueError(f"Slider {self.name!r}: step={self.step!r} must be positive.")
        if self.log and not self.low > 0:
            raise ValueError(f"Slider {self.name!r}: low={self.low!r} must be positive on a logarithmic scale.")
        self.check(self.value)

    @property
    def whole(self) -> bool:
        """Whether the values are integers."""
        numbers = (self.low, self.high, self.step, self.value)
        return not self.log and all(isinstance(number, int) for number in numbers)

    def check(self, value) -> None:
        """Raise unless ``value`` is a possible setting."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not self.low <= value <= self.high:
            raise ValueError(f"{self.name}={value!r}: give a number from {self.low} to {self.high}.")
        if self.whole and value != int(value):
            raise ValueError(f"{self.name}={value!r}: give a whole number from {self.low} to {self.high}.")

    def sweep(self) -> list:
        """Return the lowest, a middle and the highest value."""
        if self.log:
            return [self.low, math.sqrt(self.low * self.high), self.high]
        steps = round((self.high - self.low) / 2 / self.step)
        return [self.low, min(self.low + steps * self.step, self.high), self.high]

    def widgets(self) -> tuple:
        """Return the widget that holds the value and the row to display."""
        import ipywidgets as w

        label, narrow = self.label or self.name, {"width": "19em"}
        options = dict(value=self.value, continuous_update=False, readout=False, layout={"width": "18em"})
        if self.log:
            low, high = math.log10(self.low), math.log10(self.high)
            slider = w.FloatLogSlider(min=low, max=high, step=self.step, **options)
            # The box is a little wider, because 10**log10(low) can lie just outside the bounds.
            limits = dict(min=self.low * (1 - 1e-9), max=self.high * (1 + 1e-9), step=None)
        else:
            limits = dict(min=self.low, max=self.high, step=self.step)
            slider = (w.IntSlider if self.whole else w.FloatSlider)(**limits, **options)
        box = (w.BoundedIntText if self.whole else w.BoundedFloatText)(
            value=self.value, description=label, style=_LABEL, layout=narrow, **limits
        )
        # The box leads: link() copies its value first, and a log slider may round its own.
        w.link((box, "value"), (slider, "value"))
        return slider, _row([box, slider], self.help)


@dataclass(frozen=True)
class Choice:
    """One of several options.

    Parameters
    ----------
    name : str
        The parameter's name.
    options : sequence or dict
        The values, or a dict from what the reader sees to the value.
    value : optional
        The first setting; the first option by default.
    label, help
        As for :class:`Slider`.
    """

    name: str
    options: Sequence | dict
    value: Any = None
    label: str | None = None
    help: str = ""

    def __post_init__(self):
        if not self.values:
            raise ValueError(f"Choice {self.name!r}: options is empty; give at least one.")
        if self.value is None:
            object.__setattr__(self, "value", self.values[0])
        self.check(self.value)

    @property
    def values(self) -> list:
        """The values that can be chosen."""
        return list(self.options.values()) if isinstance(self.options, dict) else list(self.options)

    def check(self, value) -> None:
        """Raise unless ``value`` is a possible setting."""
        if value not in self.values:
            raise ValueError(f"{self.name}={value!r}: give one of {self.values}.")

    def sweep(self) -> list:
        """Return all values."""
        return self.values

    def widgets(self) -> tuple:
        """Return the widget that holds the value and the row to display."""
        import ipywidgets as w

        options = list(self.options.items()) if isinstance(self.options, dict) else list(self.options)
        label, wide = self.label or self.name, {"width": "37em"}
        menu = w.Dropdown(options=options, value=self.value, description=label, style=_LABEL, layout=wide)
        return menu, _row([menu], self.help)


@dataclass(frozen=True)
class Toggle:
    """Yes or no.

    Parameters
    ----------
    name : str
        The parameter's name.
    value : bool
        The first setting.
    label, help
        As for :class:`Slider`.
    """

    name: str
    value: bool = False
    label: str | None = None
    help: str = ""

    def check(self, value) -> None:
        """Raise unless ``value`` is a possible setting."""
        if not isinstance(value, bool):
            raise ValueError(f"{self.name}={value!r}: give True or False.")

    def sweep(self) -> list:
        """Return both values."""
        return [False, True]

    def widgets(self) -> tuple:
        """Return the widget that holds the value and the row to display."""
        import ipywidgets as w

        box = w.Checkbox(value=self.value, description=self.label or self.name, style=_LABEL, layout={"width": "37em"})
        return box, _row([box], self.help)


def _row(widgets: list, text: str):
    """Return the widgets side by side, followed by the text."""
    import ipywidgets as w

    return w.HBox([*widgets, *([w.HTML(text)] if text else [])], layout={"flex_flow": "row wrap"})


class Controls:
    """The widgets of several controls, and their values.

    Parameters
    ----------
    controls : sequence of Slider, Choice or Toggle
    changed : callable
        Called without arguments when a reader changes a value.
    """

    def __init__(self, controls, changed):
        import ipywidgets as w

        self.specs = {control.name: control for control in controls}
        if len(self.specs) < len(list(controls)):
            raise ValueError("Two controls have the same name; each parameter needs its own.")
        self.changed, self.quiet = changed, False
        pairs = {name: control.widgets() for name, control in self.specs.items()}
        self.widgets = {name: holder for name, (holder, _) in pairs.items()}
        # Two columns where the page is wide enough, so that many controls and their picture are seen together.
        self.box = w.Box([row for _, row in pairs.values()], layout={"flex_flow": "row wrap"})
        for holder in self.widgets.values():
            holder.observe(self._changed, "value")

    def _changed(self, _change) -> None:
        if not self.quiet:
            self.changed()

    @property
    def values(self) -> dict[str, Any]:
        """The present setting of each control."""
        return {name: holder.value for name, holder in self.widgets.items()}

    def check(self, values) -> None:
        """Raise unless all names are known and all values are possible."""
        for name, value in values.items():
            if name not in self.specs:
                close = get_close_matches(name, self.specs, 1)
                meant = f"; did you mean {close[0]!r}?" if close else ""
                raise ValueError(f"There is no control {name!r}{meant} The controls are: {', '.join(self.specs)}.")
            self.specs[name].check(value)

    def set(self, values) -> None:
        """Set several controls without a call of ``changed``."""
        self.check(values)
        self.quiet = True
        try:
            for name, value in values.items():
                self.widgets[name].value = value
        finally:
            self.quiet = False

    def words(self, values) -> str:
        """Return settings in words: "degree = 3, noise = yes"."""
        return ", ".join(f"{self.specs[name].label or name} = {self._word(name, v)}" for name, v in values.items())

    def _word(self, name, value) -> str:
        options = getattr(self.specs[name], "options", None)
        if isinstance(options, dict):
            return next(word for word, option in options.items() if option == value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:.4g}" if isinstance(value, float) else str(value)
