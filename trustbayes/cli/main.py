"""The command line: every command is one call into the package.

Exit codes: 0 done, 1 some fits failed, 2 bad input, 3 done but some model did not converge, 130
interrupted. Results go to standard output, messages and progress to standard error. What is heavy
to import is imported by the commands that need it.
"""

from __future__ import annotations

import errno
import os
import shlex
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from trustbayes.cli import analysed, compare, inspected, listed, policies, pooled, simulated
from trustbayes.cli.options import BAD_INPUT, DONE, FAILED, INTERRUPTED
from trustbayes.cli.terminal import expand_home, plain, prepare_output
from trustbayes.errors import InputError, WorkFailed

__all__ = ["main"]

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _version() -> str:
    from importlib.metadata import version

    return version("trustbayes")


app = App(
    name="trustbayes",
    help=(
        "Bayesian models of trust and strategic thinking in cheap-talk experiments.\n\n"
        "Example: `trustbayes report trials.csv --game game.toml --out report.html`"
    ),
    help_format="markdown",
    version=_version,
)

datasets = App(name="datasets", help="List the data sets, or fetch one.")

for command in (
    analysed.report,
    analysed.validate,
    inspected.inspect,
    analysed.fit,
    compare.compare,
    compare.holdout,
    policies.policy,
    pooled.pool,
    simulated.simulate,
    simulated.calibrate,
    simulated.recover,
    simulated.design,
    listed.models,
    datasets,
):
    app.command(command)
datasets.default(listed.list_datasets)
datasets.command(listed.fetch)


def main(tokens: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    tokens : sequence of str, optional
        Default: those of the command line.

    Returns
    -------
    int
        The exit code.
    """
    tokens = sys.argv[1:] if tokens is None else list(tokens)
    prepare_output()
    try:
        tokens = [expand_home(token) for token in tokens]
        command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
        if "invocation" in ignored:
            bound.arguments["invocation"] = shlex.join(["trustbayes", *tokens])
        code = command(*bound.args, **bound.kwargs) or DONE
        sys.stdout.flush()
        return code
    except (CycloptsError, InputError) as error:
        print(plain(f"trustbayes: {error}"), file=sys.stderr)
        return BAD_INPUT
    except WorkFailed as error:
        print(plain(f"trustbayes: {error}"), file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # whoever reads the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # it is flushed at the end
        print(f"trustbayes: standard output or a temporary file: {error.strerror}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("trustbayes: interrupted", file=sys.stderr)
        return INTERRUPTED
