"""What people's traits predict in the real experiment.

    python benchmarks/traits.py [TRIALS --game GAME.toml] [--people PEOPLE.csv] [--jobs N]
        [--folder FITS] [--out DIR]

Two questions. Does cognitive reflection (crt, 0 to 3) predict the depth of thinking? Level-k of
both roles, the shares of levels by a multinomial logit on crt. Does the agreement with a statement
of trust in senders (trust_sender, 1 to 5) predict the trust that a receiver gives? Trust-embedded
receivers, trust by treatment, the answer, and matching groups. Average effects on the natural scale
have 90 % intervals.
"""

from __future__ import annotations

import pandas as pd
from common import command_line, largest_rhat, markdown, read_experiment, write_results

import trustbayes as tb
from trustbayes.inference.executors import process_pool
from trustbayes.inference.tasks import FitTask, run_fits
from trustbayes.report.figures.traits import average_effects, average_effects_says
from trustbayes.report.page.style import style

FULL = tb.Sampling()


def main() -> None:
    options = command_line(__doc__, experiment=True).parse_args()
    trials = read_experiment(options)
    models = [
        tb.LevelK("sender", trials.game, formulas={"level": "1 + crt"}),
        tb.LevelK("receiver", trials.game, formulas={"level": "1 + crt"}),
        tb.TrustEmbedded(
            "receiver",
            trials.game,
            formulas={"trust": "1 + treatment + trust_sender + (1 | group)"},
        ),
    ]
    tasks = [FitTask(model, trials, FULL) for model in models]
    with process_pool(options.jobs) as pool:
        fits = run_fits(tasks, options.folder, pool)
    effects = pd.concat([tb.trait_effects(fit) for fit in fits], ignore_index=True)
    titles = {fit.model.name: fit.model.spec.title for fit in fits}
    words = says(effects, len(fits), largest_rhat(fit.gate for fit in fits), fits)
    with style():
        figure = average_effects(effects, titles, 0.9)
    write_results("traits", options.out, {"traits.csv": effects.round(4)}, figure, words)


def says(effects: pd.DataFrame, fitted: int, rhat: float, fits: list[tb.Fit]) -> str:
    """What was found, in Markdown."""
    shown = effects[effects["kind"] == "average effect"]
    table = pd.DataFrame(
        {
            "role": shown["role"],
            "model": shown["model"],
            "parameter": shown["parameter"],
            "trait": shown["term"],
            "change": shown["change"],
            "of": shown["option"],
            "mean": shown["mean"].map("{:+.3f}".format),
            "90 % interval": shown["lower"].map("{:+.3f}".format)
            + " to "
            + shown["upper"].map("{:+.3f}".format),
            "above zero": shown["positive"].map("{:.3f}".format),
        }
    )
    passed = sum(fit.gate.passed for fit in fits)
    return (
        f"{average_effects_says(effects, 0.9)}\n\n{{plot}}\n\n{markdown(table)}\n\n"
        f"{passed} of {fitted} fits passed the gate; largest R-hat {rhat:.3f}. Coefficients, too: "
        "[traits.csv](results/traits.csv)."
    )


if __name__ == "__main__":
    main()
