"""Commands that list what there is: models, datasets; and fetch a data set."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from trustbayes.cli.options import DONE, Json, KindName, RoleName
from trustbayes.cli.printing import add_row, empty_table, print_json, print_tables
from trustbayes.errors import Fault, InputError, suggestion

if TYPE_CHECKING:
    from trustbayes.theories.spec import ModelSpec

__all__ = ["fetch", "list_datasets", "models"]


def models(
    name: str | None = None,
    /,
    *,
    role: RoleName | None = None,
    kind: KindName | None = None,
    as_json: Json = False,
) -> int:
    """List the models with their parameters, default priors and sources, or describe one.

    Example: `trustbayes models level-k --role sender`

    Parameters
    ----------
    name : str, optional
        A model to describe: what depends on what, every prior written out, all conventions.
    role : "sender" or "receiver", optional
        Only models of their choices.
    kind : "finite", "forecast-sharing", "interval" or "recommendation", optional
        Only models for this kind of game.
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.models import SPECS, Model, model_names

    if name is not None and name not in model_names(kind):
        raise InputError(Fault("model", name, suggestion(name, model_names(kind))))
    chosen = [
        spec
        for spec in SPECS
        if name in (None, spec.name) and role in (None, spec.role) and kind in (None, spec.kind)
    ]
    if name is not None:
        descriptions = [Model(spec).describe() for spec in chosen]
        if as_json:
            print_json([each.to_dict() for each in descriptions])
        else:
            print("\n\n\n".join(map(str, descriptions)))
        return DONE
    if as_json:
        print_json([_declared(spec) for spec in chosen])
        return DONE
    tables = []
    for spec in chosen:
        table = empty_table(f"{spec.name}, {spec.role}, {spec.kind} game")
        request = "" if spec.by_default else " On request."
        table.caption = f"{spec.description}{request} {spec.citation}."
        for heading in ("parameter", "meaning", "varies by", "default prior"):
            table.add_column(heading)
        for p in spec.parameters:
            add_row(table, f"{p.symbol}  {p.name}", p.meaning, ", ".join(p.varies), str(p.prior))
        for c in spec.conventions:
            choices = ", ".join(map(str, c.choices)) or "a whole number from 0"
            add_row(table, f"convention {c.name}", c.meaning, "", choices)
        tables.append(table)
    print_tables(tables)
    return DONE


def list_datasets(*, as_json: Json = False) -> int:
    """List the data sets that come with the package or can be fetched.

    Example: `trustbayes datasets`

    Parameters
    ----------
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.trials.datasets import BUNDLED, DATASETS, bundled

    listed: list[dict[str, Any]] = [
        {
            "name": dataset.name,
            "from": "bundled",
            "game": str(dataset.game),
            "is": dataset.description,
        }
        for dataset in map(bundled, BUNDLED)
    ]
    listed += [
        {
            "name": d.name,
            "from": list(d.sources),
            "game": str(d.game),
            "is": d.description,
            "licence": d.licence,
            "citation": d.citation,
        }
        for d in DATASETS.values()
    ]
    if as_json:
        print_json(listed)
    else:
        for entry in listed:
            source = "bundled" if entry["from"] == "bundled" else f"datasets fetch {entry['name']}"
            print(f"{entry['name']} ({source}): {entry['is']}\n  game: {entry['game']}")
    return DONE


def fetch(name: str, /, *, as_json: Json = False) -> int:
    """Download a public data set and write it as a file of trials.

    Example: `trustbayes datasets fetch ioannidis-2024`

    Parameters
    ----------
    name : str
        A name that `trustbayes datasets` lists.
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.trials.datasets import DATASETS, fetch as download

    trials = download(name)
    dataset = DATASETS[name]
    said = {
        "sources": dict(dataset.sources),
        "licence": dataset.licence,
        "citation": dataset.citation,
    }
    if as_json:
        print_json({"trials": str(trials), "game": str(dataset.game), **said})
    else:
        print(f"trials: {trials}\ngame: {dataset.game}")
        for source, checksum in dataset.sources.items():
            print(f"from: {source}\nSHA-256, as expected: {checksum}")
        print(f"licence: {dataset.licence}\nto be cited: {dataset.citation}")
    return DONE


def _declared(spec: ModelSpec) -> dict[str, Any]:
    """A model's declaration, JSON-safe."""
    return {
        **{key: getattr(spec, key) for key in ("name", "role", "kind", "title", "description")},
        "citation": spec.citation,
        "parameters": [
            {**vars(parameter), "prior": parameter.prior.to_dict()} for parameter in spec.parameters
        ],
        "conventions": [asdict(convention) for convention in spec.conventions],
    }
