"""What the benchmark of speed says: its figure and its section of the README."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from common import markdown
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import trustbayes as tb
from trustbayes.report.page.style import GREY, grid, legend_below, log_axis, look, style

NAMES = {
    "trustbayes": "trustbayes",
    "nutpie": "PyMC, nutpie",
    "numpyro": "NumPyro",
    "pymc": "PyMC's NUTS",
    "discrete": "PyMC, level sampled",
}
DRAWN = {
    "trustbayes": ("#0072B2", "o"),
    "nutpie": ("#D55E00", "s"),
    "numpyro": ("#009E73", "^"),
    "pymc": ("#E69F00", "v"),
    "discrete": ("#CC79A7", "D"),
}
RIVALS = {"nutpie": 100, "numpyro": 50}
"""How many times their ESS per second is aimed at."""
LIMIT, FOLD = 2.0, 11.0
MIB = 2**20


def figure(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Effective draws per second of each engine; time per gradient by number of subjects."""
    drawn = [part for part in ("comparison", "growth") if part in tables]
    with style():
        drawing, axes = grid(max(1, len(drawn)), 2, width=5.0, height=3.6)
        for panel, part in zip(axes, drawn, strict=False):
            if part == "comparison":
                legend_below(drawing, _compared(panel, tables[part]), columns=5)
            else:
                _grown(panel, tables[part])
        return drawing


def _compared(panel: Axes, table: pd.DataFrame) -> list[Line2D]:
    """What is drawn, for the legend."""
    models = list(dict.fromkeys(zip(table["model"], table["role"], strict=True)))
    engines = [engine for engine in DRAWN if engine in set(table["engine"])]
    for y, (model, role) in enumerate(models):
        rows = table[(table["model"] == model) & (table["role"] == role)].set_index("engine")
        speed = rows["ess_per_second"]
        panel.plot([speed.min(), speed.max()], [y, y], color=GREY, lw=1, zorder=1)
        for engine in rows.index:
            colour, marker = DRAWN[engine]
            panel.plot(speed[engine], y, marker=marker, color=colour, ms=7, ls="", zorder=2)
    low, high = table["ess_per_second"].min(), table["ess_per_second"].max()
    panel.set_xlim(low / 2, high * 2)
    log_axis(panel, "x")
    titles = [f"{tb.model(m, r).spec.title},\n{r}s" for m, r in models]
    panel.set_yticks(range(len(models)), titles)
    panel.set_ylim(len(models) - 0.5, -0.5)
    panel.set_xlabel("effective draws of the worst parameter\nper second of sampling")
    return [
        Line2D([], [], color=DRAWN[e][0], marker=DRAWN[e][1], ls="", label=NAMES[e])
        for e in engines
    ]


def _grown(panel: Axes, table: pd.DataFrame) -> None:
    table = table[table["method"] == "nuts"]
    for (model, role), rows in table.groupby(["model", "role"], sort=False):
        shape, sender = look(str(model)), role == "sender"
        panel.plot(
            rows["subjects"], 1e3 * rows["gradient"], color=shape.colour, marker=shape.marker,
            ls="-" if sender else "--", mfc=shape.colour if sender else "white",
            label=f"{tb.model(str(model), role).spec.title}, {role}s",
        )  # fmt: skip
    for which in ("x", "y"):
        log_axis(panel, which)
    sizes = sorted(set(table["subjects"]))
    panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
    panel.set_xlabel("subjects")
    panel.set_ylabel("time per gradient (ms)")
    panel.legend(loc="upper left")


def says(
    tables: Mapping[str, pd.DataFrame],
    how: Mapping[str, int],
    shortened: Mapping[str, Mapping[str, int]],
    large: Mapping[str, int],
) -> str:
    """The section of the README."""
    parts = [markdown(targets(tables, how)), "{plot}"]
    if "comparison" in tables:
        parts += [
            _comparison(tables["comparison"]),
            f"""
Real experiment; {how["chains"]} chains of {how["draws"]} draws after {how["tune"]} steps of
warm-up, on {how["chains"]} cores, each engine with its own defaults otherwise; shortened to
{_short(shortened)}, whose rates are those of the short run. ESS: the smallest over all parameters
of population and subjects, on the natural scale, the same in all; ESS per second takes the smaller
of bulk and tail. Medians of the runs, each with its own seed.
Compilation: building the model and everything else before the first step, with empty caches; then
again, in a new process. Gradients: steps of the sampler with its warm-up. Memory: of the largest
process (PyMC's NUTS runs each chain in a process of its own). All numbers:
[speed_comparison.csv](results/speed_comparison.csv).""",
        ]
    if "limit" in tables:
        shown = tables["limit"].assign(
            **{
                "trustbayes, µs": (1e6 * tables["limit"]["trustbayes"]).map("{:.0f}".format),
                "by hand, µs": (1e6 * tables["limit"]["kernel"]).map("{:.0f}".format),
                "times": tables["limit"]["ratio"].map("{:.2f}".format),
            }
        )
        parts += [
            "**One log density and gradient**, against a fused numba kernel by hand over the same "
            "cells, in turns in one process:",
            markdown(shown[["model", "role", "trustbayes, µs", "by hand, µs", "times"]]),
        ]
    if "growth" in tables:
        parts += [
            f"**Growth**: simulated experiments of {large['rounds']} rounds:",
            _growth(tables["growth"], large["large"]),
            f"Seconds to 400 ESS: by the run's ESS per second; above {large['large']:,} subjects "
            f"extrapolated (*) from {large['draws']} draws after {large['tune']} steps of warm-up. "
            "Memory: the peak of the whole process that read the trials, compiled and fitted.",
        ]
        if (tables["growth"]["method"] == "population").any():
            parts += [
                "**The population engine** against NUTS on the same trials:",
                _summed_out(tables["growth"], large["large"]),
                """
Seconds: all of a fit by the population engine; compilation and drawing by NUTS to 400 ESS
(*: as above). Shift: the largest difference of
a population parameter's posterior mean, in NUTS's standard deviations; spread: the smallest and
largest ratio of standard deviations. Where NUTS's R-hat, the largest of its parameters, is far from
one, its own draws had not converged, and neither shift nor spread says which of the two is off.""",
            ]
    if "report" in tables:
        parts.append(_report(tables, how))
    return "\n\n".join(part.strip() for part in parts)


def _short(shortened: Mapping[str, Mapping[str, int]]) -> str:
    return " and ".join(
        f"{sampling['draws']} draws after {sampling['tune']} ({NAMES[engine]})"
        for engine, sampling in shortened.items()
    )


def ratios(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """How many times each engine's value trustbayes' is, by model and role."""
    wide = table.pivot_table(index=["model", "role"], columns="engine", values=column, sort=False)
    return wide[["trustbayes"]].to_numpy() / wide


def targets(tables: Mapping[str, pd.DataFrame], how: Mapping[str, int]) -> pd.DataFrame:
    """What was aimed at, what was measured, and whether it is reached."""
    rows: list[tuple[str, str, str, bool]] = []
    if "comparison" in tables and "trustbayes" in set(tables["comparison"]["engine"]):
        times = ratios(tables["comparison"], "ess_per_second")
        for engine, aim in RIVALS.items():
            if engine in times:
                ratio = times[engine]
                what = f"ESS per second, times that of {NAMES[engine]}"
                rows.append((what, f"≥ {aim}", _each(ratio, "{:.0f}"), bool((ratio >= aim).all())))
    if "limit" in tables:
        ratio = tables["limit"].set_index(["model", "role"])["ratio"]
        met = bool((ratio <= LIMIT).all())
        what = "one gradient, times that by hand"
        rows.append((what, f"≤ {LIMIT:g}", _each(ratio, "{:.2f}"), met))
    if "growth" in tables and {1000, 10000} <= set(tables["growth"]["subjects"]):
        for column, what in (("gradient", "time per gradient"), ("memory", "memory")):
            sampled = tables["growth"][tables["growth"]["method"] == "nuts"]
            wide = sampled.pivot_table(
                index=["model", "role"], columns="subjects", values=column, sort=False
            )
            growth = wide[10000] / wide[1000]
            met = bool((growth <= FOLD).all())
            what = f"{what}, 10,000 subjects against 1,000"
            rows.append((what, f"≤ {FOLD:g}-fold", _each(growth, "{:.1f}"), met))
    if "report" in tables:
        [record] = tables["report"].to_dict("records")
        memory = record["memory"] / 2**30
        rows.append(("memory of the whole report", "≤ 2 GiB", f"{memory:.1f}", memory <= 2))
        if (naive := _naive_fit(tables, how)) is not None:
            times = record["seconds"] / naive
            what = "time of the whole report, times the trust-embedded senders in PyMC, nutpie"
            rows.append((what, "< 1", f"{times:.2f}", times < 1))
    return pd.DataFrame(
        [(*row[:3], "yes" if row[3] else "no") for row in rows],
        columns=["aim", "target", "measured", "reached"],
    )


def _each(values: pd.Series, form: str) -> str:
    """Values by model and role in words."""
    short = {"trust-embedded": "TE", "level-k": "LK"}
    return ", ".join(f"{short[m]} {r} {form.format(v)}" for (m, r), v in values.items())


def _naive_fit(tables: Mapping[str, pd.DataFrame], how: Mapping[str, int]) -> float | None:
    """Seconds of the naive trust-embedded senders at the report's draws, extrapolated."""
    if "comparison" not in tables:
        return None
    table = tables["comparison"].set_index(["model", "role", "engine"])
    if ("trust-embedded", "sender", "nutpie") not in table.index:
        return None
    row, full = table.loc[("trust-embedded", "sender", "nutpie")], tb.Sampling()
    steps = full.chains * (full.draws + full.tune) / (how["chains"] * (how["draws"] + how["tune"]))
    return float(row["compile"] + steps * row["sample"])


def _report(tables: Mapping[str, pd.DataFrame], how: Mapping[str, int]) -> str:
    [record] = tables["report"].to_dict("records")
    full = tb.Sampling()
    text = (
        f"**The whole default report** on the real experiment took {record['seconds']:.0f} s, "
        f"compilation as the machine's cache has it, and {record['memory'] / 2**30:.1f} GiB in all "
        "processes together."
    )
    if (naive := _naive_fit(tables, how)) is not None:
        text += (
            f" The trust-embedded senders alone in PyMC with nutpie: {naive:.0f} s at "
            f"{full.chains} chains of {full.draws} draws, extrapolated from {how['chains']} of "
            f"{how['draws']} by steps."
        )
    return text


def _comparison(table: pd.DataFrame) -> str:
    whole = {
        "model": table["model"],
        "role": table["role"],
        "sampled by": table["engine"].map(NAMES),
        "runs": table["runs"].astype(str),
        "compile, s": _form(table["compile"], "{:.0f}"),
        "again, s": _form(table["compile_again"], "{:.0f}"),
        "sample, s": _form(table["sample"], "{:.1f}"),
        "bulk ESS": _form(table["bulk"], "{:.0f}"),
        "tail ESS": _form(table["tail"], "{:.0f}"),
        "R-hat": _form(table["rhat"], "{:.2f}"),
        "ESS/s": _form(table["ess_per_second"], "{:.3g}"),
        "trustbayes, times": _times(table, "ess_per_second"),
        "ESS/s with compilation": _form(table["ess_per_second_compiled"], "{:.3g}"),
        "trustbayes, times ": _times(table, "ess_per_second_compiled"),
        "gradients/s": _form(table["gradients_per_second"], "{:,.0f}"),
        "memory, MiB": _form(table["memory"] / MIB, "{:.0f}"),
    }
    return markdown(pd.DataFrame(whole))


def _form(values: pd.Series, form: str) -> pd.Series:
    return values.map(lambda value: "–" if pd.isna(value) else form.format(value))


def _times(table: pd.DataFrame, column: str) -> pd.Series:
    """How many times as many ESS per second trustbayes has."""
    if "trustbayes" not in set(table["engine"]):
        return pd.Series("–", index=table.index)
    ratio = ratios(table, column)
    keys = zip(table["model"], table["role"], table["engine"], strict=True)
    values = [ratio.loc[(model, role), engine] for model, role, engine in keys]
    return _form(pd.Series(values, index=table.index), "{:.3g}")


def _summed_out(table: pd.DataFrame, large: int) -> str:
    sampled = table[table["method"] == "nuts"].set_index(["model", "role", "subjects"])
    rows = []
    for row in table[table["method"] == "population"].to_dict("records"):
        nuts = sampled.loc[(row["model"], row["role"], row["subjects"])]
        star = " *" if row["subjects"] > large else ""
        rows.append(
            {
                "model": row["model"],
                "role": row["role"],
                "subjects": f"{row['subjects']:,}",
                "seconds": f"{row['compile'] + row['sample']:.0f}",
                "NUTS's R-hat": f"{nuts['rhat']:.2f}",
                "NUTS, seconds": f"{nuts['compile'] + nuts['seconds_to_400']:.0f}{star}",
                "shift": f"{row['shift']:.1f}",
                "spread": f"{row['narrowest']:.2f} to {row['widest']:.2f}",
            }
        )
    return markdown(pd.DataFrame(rows))


def _growth(table: pd.DataFrame, large: int) -> str:
    table = table[table["method"] == "nuts"]
    starred = table["subjects"].gt(large).map({True: " *", False: ""})
    shown = table.assign(
        **{
            "subjects": table["subjects"].map("{:,}".format),
            "gradient, ms": _form(1e3 * table["gradient"], "{:.2f}"),
            "memory, MiB": _form(table["memory"] / MIB, "{:.0f}"),
            "smallest ESS": _form(table[["bulk", "tail"]].min(axis=1), "{:.0f}"),
            "R-hat": _form(table["rhat"], "{:.2f}"),
            "seconds to 400 ESS": _form(table["seconds_to_400"], "{:.0f}") + starred,
        }
    )
    columns = ["model", "role", "subjects", "gradient, ms", "memory, MiB"]
    return markdown(shown[[*columns, "smallest ESS", "R-hat", "seconds to 400 ESS"]])
