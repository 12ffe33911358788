"""Checkpoints of the trainings of torch modules: weights, the optimiser's moments and the history, in one NPZ file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from ..run import whole_file

__all__ = ["read_training", "write_training"]


def write_training(
    path: str | os.PathLike, about: Mapping, module: torch.nn.Module, optimiser: torch.optim.Optimizer, history: list
) -> None:
    """Write a training as it is now, whole or not at all.

    Parameters
    ----------
    path : path
    about : mapping of str
        What makes it this training and no other, as plain data for JSON.
    module : torch.nn.Module
    optimiser : torch.optim.Optimizer
    history : list
        Plain data for JSON.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    arrays = {f"weight {name}": value.numpy() for name, value in module.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        arrays.update({f"moment {number} {name}": value.numpy() for name, value in state.items()})
    with whole_file(path) as file:
        np.savez(file, text=np.array(json.dumps({"about": about, "history": history})), **arrays)


def read_training(
    path: str | os.PathLike | None, about: Mapping, module: torch.nn.Module, optimiser: torch.optim.Optimizer
) -> list:
    """Put module and optimiser where :func:`write_training` left them.

    Returns
    -------
    list
        The history; empty if ``path`` is None or there is no such file.

    Raises
    ------
    ValueError
        If the file is damaged or of another training; it is left as it is.
    """
    if path is None or not Path(path).exists():
        return []
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        text = json.loads(str(arrays.pop("text")))
        written, history = text["about"], text["history"]
    except Exception as error:
        raise ValueError(f"checkpoint {str(path)!r} is damaged ({error!r}); the file was left as it is") from None
    for name, value in json.loads(json.dumps(about)).items():
        if written.get(name) != value:
            raise ValueError(
                f"checkpoint {str(path)!r} is of a training with {name} = {written.get(name)!r}, not {value!r}: "
                "choose another file"
            )
    moments: dict[int, dict] = {}
    weights = {}
    for key, value in arrays.items():
        kind, name = key.split(" ", 1)
        if kind == "weight":
            weights[name] = torch.from_numpy(value)
        else:
            number, name = name.split(" ", 1)
            moments.setdefault(int(number), {})[name] = torch.from_numpy(value)
    module.load_state_dict(weights)
    optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
    return history
