"""Many fits: what is done, in which order, what is kept, and what a failure costs."""

import dataclasses
import functools
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from pathlib import Path

import interrupted
import numpy as np
import pytest
import xarray as xr
from synthetic import small_trials, synthetic_fit

import trustbayes.inference.tasks as manyfits
from trustbayes.errors import InputError
from trustbayes.games import FiniteGame, ForecastGame, PayoffFunctions
from trustbayes.inference.executors import dask_executor, process_pool
from trustbayes.inference.fit import load_fit
from trustbayes.inference.records import fit_key
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitsFailed, FitTask, iter_fits, run_fits
from trustbayes.models import FullTrust, LevelK, TrustEmbedded
from trustbayes.priors.prior import Prior
from trustbayes.trials.table import trials_from_frame

TRIALS = small_trials()
QUIET = {"progress": False}


def task(seed=1, made=FullTrust, trials=TRIALS):
    return FitTask(made("sender"), trials, Sampling(draws=20, tune=10, chains=2, seed=seed))


@pytest.fixture
def fitted(monkeypatch):
    """Replace sampling by random draws, remember what was asked for, and fail for seed 13."""
    asked = []

    def fake(model, trials, sampling, *, progress, cores=None):
        asked.append((model.name, sampling.seed, progress, cores))
        if sampling.seed == 13:
            raise ZeroDivisionError("unlucky")
        return synthetic_fit(model, trials, sampling.seed, sampling.chains, sampling.draws)

    monkeypatch.setattr(manyfits, "fit", fake)
    return asked


@pytest.fixture(params=["here", "threads"])
def run(request):
    """`run_fits` one after the other, and on an executor."""
    if request.param == "here":
        yield run_fits
    else:
        with ThreadPoolExecutor(2) as executor:
            yield functools.partial(run_fits, executor=executor)


def seeds(fits):
    return [fit.manifest["sampler"]["seed"] for fit in fits]


def test_results_have_the_order_of_the_tasks_and_equal_ones_are_done_once(fitted, run, tmp_path):
    numbers = [5, 2, 9, 2, 7]
    found = run([task(n) for n in numbers], tmp_path, **QUIET)
    assert seeds(found) == numbers
    assert found[1] is found[3]
    assert sorted(seed for _, seed, *_ in fitted) == [2, 5, 7, 9]
    assert {path.name for path in tmp_path.iterdir()} == {task(n).file for n in numbers}
    for one in found:
        xr.testing.assert_identical(
            one.posterior, load_fit(tmp_path / task(seeds([one])[0]).file).posterior
        )


def test_an_executor_begins_with_the_longest(fitted):
    models = [FullTrust, TrustEmbedded, LevelK]  # one parameter of people, three and two
    with ThreadPoolExecutor(1) as executor:
        made = run_fits([task(made=each) for each in models], executor=executor, **QUIET)
    assert [name for name, *_ in fitted] == ["trust-embedded", "level-k", "full-trust"]
    assert [fit.model.name for fit in made] == ["full-trust", "trust-embedded", "level-k"]


def test_without_a_folder_nothing_is_left(fitted, run, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert seeds(run([task(3), task(4)], **QUIET)) == [3, 4]
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_read_and_not_repeated(fitted, run, tmp_path):
    run([task(1), task(2)], tmp_path, **QUIET)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    fitted.clear()
    found = run([task(n) for n in (3, 2, 1)], tmp_path, **QUIET)
    assert seeds(found) == [3, 2, 1]
    assert [seed for _, seed, *_ in fitted] == [3]
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    fresh = synthetic_fit(FullTrust("sender"), TRIALS, seed=2, draws=20)
    xr.testing.assert_identical(found[1].posterior, fresh.posterior)


def test_a_file_that_cannot_be_read_is_replaced(fitted, run, tmp_path, caplog):
    for one in (task(1), task(2)):
        (tmp_path / one.file).write_bytes(b"\x89HDF half a file")
    [found] = run([task(1)], tmp_path, **QUIET)
    assert "fitting again what could not be read" in caplog.text
    xr.testing.assert_identical(load_fit(tmp_path / task(1).file).posterior, found.posterior)


def test_a_failure_is_recorded_and_does_not_stop_the_rest(fitted, run, tmp_path):
    tasks = [task(n) for n in (1, 13, 2)]
    with pytest.raises(FitsFailed) as caught:
        run(tasks, tmp_path, **QUIET)
    error = caught.value
    [failure] = error.failures
    assert failure.task is tasks[1]
    assert failure.reason == "ZeroDivisionError: unlucky"
    assert str(error) == (
        f"1 of the fits failed:\n{tasks[1].label}, small: {failure.reason}\n"
        f"all others are in {tmp_path}, from which the same command goes on"
    )
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert error.fits[1] is None
    assert seeds([error.fits[0], error.fits[2]]) == [1, 2]
    assert len(list(tmp_path.iterdir())) == 2
    # What failed is tried again, and nothing else.
    fitted.clear()
    with pytest.raises(FitsFailed):
        run(tasks, tmp_path, **QUIET)
    assert [seed for _, seed, *_ in fitted] == [13]


def test_a_folder_that_cannot_be_written_to_is_found_before_the_fits(fitted, run, tmp_path):
    (tmp_path / "folder").write_text("no folder")
    with pytest.raises(InputError, match=r"folder of the fits: .*is no folder"):
        run([task(1)], tmp_path / "folder", **QUIET)
    assert fitted == []


def test_a_folder_that_moved_and_a_clock_that_jumps_cost_no_fit(fitted, run, tmp_path):
    tasks = [task(n) for n in (1, 2, 3)]
    before = run(tasks, tmp_path / "here", **QUIET)
    (tmp_path / "here").rename(tmp_path / "there and 被験者")
    fitted.clear()
    for number, path in enumerate((tmp_path / "there and 被験者").glob("*.nc")):
        os.utime(path, (4e9 * number, 4e9 * number))  # from 1970 to 2223
    after = run(tasks, tmp_path / "there and 被験者", **QUIET)
    assert fitted == []
    assert not (tmp_path / "here").exists()
    for one, other in zip(before, after, strict=True):
        xr.testing.assert_identical(one.posterior, other.posterior)


def test_a_kernel_that_restarts_during_a_fit_keeps_those_before_it(fitted, tmp_path, monkeypatch):
    tasks = [task(n) for n in (1, 2, 3)]
    fits = iter_fits(tasks, tmp_path, **QUIET)
    next(fits)
    whole = {path: path.read_bytes() for path in tmp_path.iterdir()}
    del fits  # as a kernel forgets everything that it held
    (tmp_path / f".{tasks[1].file}.part").write_bytes(b"\x89HDF half a file")  # while it wrote
    fitted.clear()
    assert seeds(run_fits(tasks, tmp_path, **QUIET)) == [1, 2, 3]
    assert [seed for _, seed, *_ in fitted] == [2, 3]
    assert {path: path.read_bytes() for path in whole} == whole


class Broken(Executor):
    """Takes one task, and then its workers are dead."""

    def __init__(self):
        self.taken = 0

    def submit(self, function, /, *args, **kwargs):
        self.taken += 1
        if self.taken > 1:
            raise BrokenExecutor("a worker died")
        future = Future()
        future.set_result(function(*args, **kwargs))
        return future


def test_dead_workers_cost_only_what_was_not_done(fitted, tmp_path):
    with pytest.raises(FitsFailed) as caught:
        run_fits([task(n) for n in (1, 2, 3)], tmp_path, Broken(), **QUIET)
    reasons = [f.reason for f in caught.value.failures]
    assert len(reasons) == 2
    assert all(reason.startswith("BrokenExecutor: a worker died") for reason in reasons)
    assert seeds(run_fits([task(n) for n in (1, 2, 3)], tmp_path, **QUIET)) == [1, 2, 3]
    assert [seed for _, seed, *_ in fitted] == [1, 2, 3]


def test_fits_come_as_they_are_done_and_the_rest_can_be_left(fitted, tmp_path):
    fits = iter_fits([task(n) for n in (1, 2, 3)], tmp_path, **QUIET)
    position, first = next(fits)
    assert (position, *seeds([first])) == (0, 1)
    assert len(fitted) == 1
    fits.close()
    with ThreadPoolExecutor(1) as executor:
        fits = iter_fits([task(n) for n in range(20, 60)], tmp_path, executor, **QUIET)
        next(fits)
        fits.close()
    assert len(fitted) < 40


def test_cores_are_shared_out(fitted, monkeypatch):
    run_fits([task(1)], **QUIET)
    with ThreadPoolExecutor(1) as executor:
        run_fits([task(2)], executor=executor, **QUIET)
        executor.cores = 3
        run_fits([task(3)], executor=executor, **QUIET)
    assert [cores for *_, cores in fitted] == [None, 1, 3]
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    for jobs, cores in ((1, 8), (2, 4), (3, 2), (5, 1), (8, 1)):
        with process_pool(jobs) as pool:  # starts no process before it has work
            assert pool.cores == cores
    for jobs in (0, 9):
        with pytest.raises(InputError, match="a whole number from 1 to 8, the number of cores"):
            process_pool(jobs)


def test_one_fit_shows_its_draws_and_many_show_a_bar_over_fits(fitted, capsys):
    run_fits([task(1)])
    assert capsys.readouterr().err == ""
    run_fits([task(1), task(2)])
    assert "2/2" in capsys.readouterr().err
    run_fits([task(1), task(2)], progress=False)
    assert capsys.readouterr().err == ""
    assert [progress for _, _, progress, _ in fitted] == [True, False, False, False, False]


def test_a_task_says_what_it_is():
    one = FitTask(LevelK("sender", max_level=2), TRIALS, Sampling())
    assert (
        one.label
        == "level-k, sender (max_level=2, ties=smallest-lie, unsent=monotone, lapse=False, "
        "reply=best, learning=none)"
    )
    assert one.key == fit_key(one.model, TRIALS, Sampling())
    assert one.file == f"sender-level-k-{one.key[:16]}.nc"
    part = TRIALS.subset((TRIALS.table["round"] > 3).to_numpy(), "late rounds")
    assert task(1).key != task(1, trials=part).key


def test_tasks_that_cannot_be_done_are_refused_before_any_is():
    frame = TRIALS.table.drop(columns=["receiver", "action", "bias"])
    senders = trials_from_frame(frame, TRIALS.game)
    with pytest.raises(InputError, match="trials of the receiver"):
        FitTask(LevelK("receiver"), senders, Sampling())
    with pytest.raises(InputError, match="kind of game"):
        FitTask(LevelK("sender", ForecastGame()), TRIALS, Sampling())


def test_payoffs_that_are_functions_stay_here(fitted, tmp_path):
    game = FiniteGame(
        [1, 2, 3],
        payoffs=PayoffFunctions(lambda s, a, b: -abs(s + b - a), lambda s, a: -abs(s - a)),
        treatments={"Low": 0.5, "High": 1.0},
    )
    trials = dataclasses.replace(TRIALS, game=game)
    tasks = [task(1), task(2, trials=trials)]
    with pytest.raises(InputError, match=r"payoffs that are Python functions.*no executor"):
        run_fits(tasks, tmp_path, Broken(), **QUIET)
    assert not fitted
    for _ in range(2):
        found = run_fits(tasks, tmp_path, **QUIET)
        assert found[1].game is game
    assert len(fitted) == 2


@pytest.mark.slow
def test_processes_give_the_same_numbers_as_here():
    # Six states: a prior that, normalised once more, changes in the last digit, and so the key.
    trials = small_trials(states=6)
    flat = Prior("LogNormal", mu=Prior("Normal", mu=0.0, sigma=0.5), sigma=0.5)
    chosen = FullTrust("sender", priors={"response_precision": flat})
    tasks = [FitTask(chosen, trials, Sampling(draws=30, tune=30, chains=2, seed=5))]
    [here] = run_fits(tasks, **QUIET)
    with process_pool(1) as pool:
        [there] = run_fits(tasks, None, pool, **QUIET)
    xr.testing.assert_identical(here.posterior, there.posterior)
    assert here.manifest["key"] == there.manifest["key"] == tasks[0].key
    assert here.model.to_dict() == there.model.to_dict()
    assert there.game is trials.game
    np.testing.assert_array_equal(here.units.counts, there.units.counts)


@pytest.fixture(scope="module")
def uninterrupted():
    """What the fits of ``interrupted.py``, and two more, give if nothing happens."""
    return run_fits(interrupted.tasks(8), **QUIET)


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_was(uninterrupted, tmp_path):
    script, folder = Path(interrupted.__file__), tmp_path / "fits"
    killed = subprocess.Popen([sys.executable, script, folder])
    deadline = time.monotonic() + 100
    while len(list(folder.glob("*.nc"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    time.sleep(0.5)  # its worker ends by itself
    done = {path: path.stat().st_mtime_ns for path in folder.glob("*.nc")}
    tasks = interrupted.tasks()
    assert 2 <= len(done) < len(tasks)
    for path in done:
        load_fit(path)  # whole
    found = run_fits(tasks, folder, **QUIET)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    for one, other in zip(found, uninterrupted, strict=False):
        xr.testing.assert_identical(one.posterior, other.posterior)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of a worker that dies
def test_dask_gives_the_same_numbers_though_a_worker_dies(uninterrupted, tmp_path):
    distributed = pytest.importorskip("distributed")
    folder, done = tmp_path / "fits", []
    local = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**local) as cluster:

        def kill_one():
            while len(list(folder.glob("*.nc"))) < 2:
                time.sleep(0.02)
            os.kill(cluster.workers[0].pid, signal.SIGKILL)
            done.extend(folder.glob("*.nc"))

        killer = threading.Thread(target=kill_one)
        killer.start()
        with dask_executor(cluster.scheduler_address) as executor:
            found = run_fits(interrupted.tasks(8), folder, executor, **QUIET)
        killer.join(timeout=1)
    assert 2 <= len(done) < 8
    for one, other in zip(found, uninterrupted, strict=True):
        xr.testing.assert_identical(one.posterior, other.posterior)


def test_a_dask_that_does_not_answer_is_an_error():
    distributed = pytest.importorskip("distributed")
    with pytest.raises(InputError, match="a running scheduler"), dask_executor("nowhere"):
        pass
    with pytest.raises(ValueError, match="No clients"):  # what saves files later does not ask it
        distributed.default_client()


@pytest.mark.slow
def test_workers_end_when_what_started_them_is_killed():
    code = (
        "import os; from trustbayes.inference.executors import process_pool\n"
        "pool = process_pool(1); "
        "print(pool.submit(abs, -3).result(), flush=True); os.kill(os.getpid(), 9)"
    )
    # The worker has the same standard output: this returns once both have ended.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert done.stdout.strip() == b"3"
    assert done.returncode != 0


def test_a_script_without_its_guard_is_told_what_to_write(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from trustbayes.inference.executors import process_pool\n"
        "with process_pool(1) as pool:\n"
        "    print(pool.submit(abs, -1).result())\n"
    )
    root = str(Path(manyfits.__file__).parents[2])
    found = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode != 0
    assert 'if __name__ == "__main__":' in found.stderr
    assert "bootstrapping phase" not in found.stderr


def test_covariates_keep_their_names_in_files(tmp_path):
    names = ["a/b", "=x", "..", "José 5%", "%2F", "被験者", "$x$"]
    table = TRIALS.table.drop(columns="bias")
    codes = table["receiver"].astype("category").cat.codes + 0.5
    more = {f"receiver_{name}": codes for name in names}
    trials = trials_from_frame(table.assign(**more), TRIALS.game)
    path = synthetic_fit(FullTrust("receiver"), trials).save(tmp_path / "a b.nc")
    people = load_fit(path).units.people
    assert set(names) <= set(people)
