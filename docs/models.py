"""Write docs/models.md: every model in words, made from its declaration.

python docs/models.py
"""

from pathlib import Path

import trustbayes as tb
from trustbayes.files import write_whole
from trustbayes.models import SPECS

PAGE = Path(__file__).with_name("models.md")

ABOUT = """\
# The models

Made by `make docs` from the declarations of the models; `model.describe()` shows the same of any
model, with its own priors and conventions, and so does `trustbayes models NAME`.

What stands in a plate exists once for each of its members: in the population, for each treatment,
each subject, each trial. `~` says how a variable is distributed, `=` what it follows from; names
are those of the PyMC model, but for the effects of subjects. `expit` is the inverse of `logit`.
Gamma is given by mean and shape; LogNormal and LogitNormal by mean and standard deviation of the
logarithm and of the logit, which is meant by a prior on the scale of a link. A prior whose argument
is a prior is a hierarchy. Shares of levels may also have the priors `TruncatedPoisson`, that of the
cognitive hierarchy, and `Fixed`; see `tb.Prior`. A model of people who round what they answer on a
slider, and two with formulas, which regress parameters on what is known of people, stand before the
joint model.
"""


def page() -> str:
    """The text of the page."""
    models = [tb.model(spec.name, spec.role, spec.kind) for spec in SPECS]
    models += [
        tb.FullTrust("receiver", "interval", heaping=True),
        tb.TrustEmbedded("receiver", formulas={"trust": "1 + treatment + age + (1 | group)"}),
        tb.LevelK("sender", formulas={"level": "1 + age"}),
    ]
    joint = tb.Joint(tb.TrustEmbedded("sender"), tb.TrustEmbedded("receiver"))
    return "\n".join([ABOUT, *(model.describe().markdown() for model in [*models, joint])])


if __name__ == "__main__":
    write_whole({PAGE: page()})
