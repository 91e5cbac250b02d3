"""Errors say the same wherever they were raised."""

import pickle

from trustbayes.errors import Fault, InputError


def test_the_faults_of_a_worker_process_arrive_as_they_were():
    sent = InputError(
        [Fault("fits/a.nc", "No space left on device", "a file"), Fault("b", "", "c")]
    )
    got = pickle.loads(pickle.dumps(sent))
    assert str(got) == "fits/a.nc: found 'No space left on device', expected a file\nb: expected c"
    assert got.faults == sent.faults
