"""Files are whole or not there."""

import pytest

from trustbayes.errors import InputError
from trustbayes.files import write_whole


def fail(part):
    part.write_text("half of it")
    raise OSError(28, "No space left on device")


def test_when_one_of_two_fails_neither_changes(tmp_path):
    first, second = tmp_path / "a" / "one.txt", tmp_path / "two.txt"
    write_whole({first: "old"})
    with pytest.raises(InputError, match=r"two\.txt: found 'No space left on device'"):
        write_whole({first: "new", second: fail})
    assert first.read_text() == "old"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "one.txt"]


def test_an_error_of_the_writer_leaves_nothing(tmp_path):
    def break_off(part):
        part.write_text("half of it")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_whole({tmp_path / "one.txt": break_off})
    assert list(tmp_path.iterdir()) == []
