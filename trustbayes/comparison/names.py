"""What the fits and models of a comparison are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.models import Model

__all__ = ["by_name", "title_of"]


def by_name[Item: (Fit, Model)](items: Sequence[Item] | Mapping[str, Item]) -> dict[str, Item]:
    """Fits or models by the names that results call them by.

    Parameters
    ----------
    items : sequence or mapping of str to Fit or Model
        In a sequence each is called after its model; in a mapping by its key, so that one theory
        can stand in it with several priors.

    Returns
    -------
    dict of str to Fit or Model

    Raises
    ------
    InputError
        If a model occurs twice in a sequence, or a name is empty or has a comma or a character
        that cannot be seen.

    Examples
    --------
    >>> import trustbayes as tb
    >>> list(by_name([tb.LevelK("sender")]))
    ['level-k']
    >>> list(by_name({"wide": tb.LevelK("sender"), "narrow": tb.LevelK("sender")}))
    ['wide', 'narrow']
    """
    if isinstance(items, Mapping):
        expected = "a name without commas, of characters that can be seen"
        faults = [
            Fault("comparison, name", name, expected)
            for name in items
            if not name.strip() or "," in name or not name.isprintable()
        ]
        if faults:
            raise InputError(faults)
        return dict(items)
    names = [_model(item).name for item in items]
    faults = [
        Fault("comparison", name, "every model once, or a name for each (NAME=FILE; a dict)")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if faults:
        raise InputError(faults)
    return dict(zip(names, items, strict=True))


def title_of(name: str, fit: Fit) -> str:
    """What a text calls a fit: the title of its model, and the name that it was given."""
    title = fit.model.spec.title
    return title if name == fit.model.name else f"{title} ({name})"


def _model(item: Fit | Model) -> Model:
    return item.model if isinstance(item, Fit) else item
