"""How to install what is missing: by pip, or in an environment of pipx."""

import sys

import pytest

from estimator_ckpt.bundle import install_hints


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/me/.venv", "pip install"),
        ("/usr", "pip install"),
        ("/home/me/.local/pipx/venvs/estimator-ckpt", "pipx inject estimator-ckpt"),
        ("/opt/pipx/venvs/estimator-ckpt-old", "pipx inject estimator-ckpt-old"),
    ],
)
def test_what_is_missing_goes_where_this_package_is(monkeypatch, prefix, command):
    monkeypatch.setattr(sys, "prefix", prefix)
    assert install_hints.install("shtab") == f"{command} shtab"
    assert install_hints.install("tf-keras==2.21.*") == f"{command} 'tf-keras==2.21.*'"
    extra = "estimator-ckpt[estimator]"
    assert install_hints.install(extra) == f"{command} '{extra}'"


def test_another_version_replaces_the_one_that_is_there(monkeypatch):
    upgrade = "install --upgrade tensorflow"
    monkeypatch.setattr(sys, "prefix", "/usr")
    assert install_hints.install("tensorflow", upgrade=True) == f"pip {upgrade}"
    monkeypatch.setattr(sys, "prefix", "/home/me/.local/share/pipx/venvs/e")
    found = install_hints.install("tensorflow", upgrade=True)
    assert found == f"pipx runpip e {upgrade}"


def test_pipx_may_have_another_home(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "prefix", f"{tmp_path}/estimator-ckpt")
    assert install_hints.install("shtab") == "pip install shtab"
    (tmp_path / "estimator-ckpt").mkdir()
    (tmp_path / "estimator-ckpt" / "pipx_metadata.json").write_text("{}")
    assert install_hints.install("shtab") == "pipx inject estimator-ckpt shtab"
