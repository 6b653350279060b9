"""`names=`: one parser for every entry point."""

import pytest

from estimator_ckpt.checkpoint import naming
from estimator_ckpt.checkpoint.naming import NamesBy


@pytest.mark.parametrize("names_by", NamesBy)
def test_what_users_say_is_parsed(names_by):
    assert naming.parse(names_by.value) is names_by
    assert naming.parse(names_by) is names_by


@pytest.mark.parametrize("given", ["bogus", "", "FULL_NAME", None])
def test_anything_else_is_refused_with_the_choices(given):
    with pytest.raises(ValueError, match="use 'full_name' or 'path'"):
        naming.parse(given)
