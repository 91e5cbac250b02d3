"""The figures of the report: for each, a function that draws it and one that says its message."""
