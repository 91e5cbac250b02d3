"""What policies would do, with every assumption in plain sight.

    python models/policies.py [--draws N] [--tune N]

It fits level-k to both roles of the bundled simulated experiment, plays the policies below, and
prints what each may cost, how strong the fine should be, and what is held.

To make it yours: copy this file, read your own trials, take the theory that predicts best, and
change the policies. A shift is on the scale of the parameter's link: log odds of trust and other
shares, logs of lying aversion and precision. Amounts are payoff units of one meeting.
"""

import argparse

import trustbayes as tb

MODELS = tb.LevelK("sender"), tb.LevelK("receiver")

POLICIES = (
    # Found out with the probability, a lie costs the fine, which the receiver gets.
    tb.Policy(
        "a fine for lies",
        audit=tb.Audit(probability=0.25, fine=40, per="lie", to="receiver"),
        frontier=tb.Strength("audit.fine", low=0, high=200, cost=0.01),
    ),
    # Contracts with less conflict of interest, in two of the three treatments.
    tb.Policy("less conflict", game={"bias": 0.5}, treatments=("Medium", "High"), cost=5.0),
    # Half of the receivers follow what is best for them twice as sharply.
    tb.Policy("training", shift={"receiver.response_precision": 0.7}, share=0.5),
    # The yardstick: true messages, believed.
    tb.Policy("full trust", play="full-trust"),
)

PEOPLE = "these"  # or "new": others from their population
EXPECTATIONS = "held"  # or "respond", where senders have an expected trust and receivers a trust

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000, help="of each of 4 chains")
    parser.add_argument("--tune", type=int, default=1000, help="warm-up steps of each chain")
    options = parser.parse_args()
    data = tb.bundled("simulated-finite")
    trials = tb.read_trials(data.trials, data.game)
    sampling = tb.Sampling(draws=options.draws, tune=options.tune)
    sender, receiver = (tb.fit(model, trials, sampling, progress=False) for model in MODELS)
    effect = tb.counterfactual(
        sender, receiver, POLICIES, people=PEOPLE, expectations=EXPECTATIONS, seed=1
    )
    print(effect.costs.round(2).to_string(index=False))
    for sentence in (*effect.sentences, *effect.held):
        print(f"\n{sentence}")
