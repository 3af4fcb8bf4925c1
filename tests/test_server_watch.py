"""The profiler of a server's process books what is called on who calls it."""

import json
import re

from benchmarks.server_watch import ELSE, by_group, group_of


def test_a_path_has_the_group_of_what_it_is_part_of() -> None:
    assert group_of("/srv/app/vae/web/quiz.py") == "this app's own code"
    assert group_of("/lib/streamlit/elements/markdown.py").startswith("elements")
    assert group_of(json.__file__) == ELSE
    assert group_of(re.__file__) == ELSE


def test_what_is_in_no_group_counts_with_its_callers() -> None:
    ours, theirs = ("/srv/vae/web/quiz.py", 1, "ask"), ("/lib/streamlit/util.py", 1, "calc_hash")
    plain, built_in = ("/lib/json/__init__.py", 1, "dumps"), ("~", 0, "<built-in>")
    stats = {
        ours: (1, 1, 1.0, 5.0, {}),
        theirs: (1, 1, 2.0, 4.0, {}),
        plain: (3, 3, 0.0, 3.0, {ours: (3, 3, 0.0, 3.0)}),
        built_in: (4, 4, 4.0, 4.0, {plain: (3, 3, 3.0, 3.0), theirs: (1, 1, 1.0, 1.0)}),
    }
    seconds = by_group(stats)
    assert seconds[group_of(ours[0])] == 4.0
    assert seconds[group_of(theirs[0])] == 3.0
    assert seconds.total() == 7.0
