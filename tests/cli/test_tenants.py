"""What `stead tenant seed` refuses, before it asks for a database."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from stead.apps.mentor.errors import OrganisationInvalid
from stead.cli.main import app
from stead.core.errors import Invalid, SteadError


def refused(*arguments: str) -> SteadError:
    answer = CliRunner().invoke(app, ["tenant", "seed", *arguments])
    assert isinstance(answer.exception, SteadError), answer.output
    return answer.exception


def test_an_organisation_that_is_nowhere() -> None:
    error = refused("nobody")
    assert isinstance(error, Invalid)
    assert "rafael-tatts" in error.hint


def test_files_are_copied_into_a_new_folder_and_over_nothing(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    copied = CliRunner().invoke(app, ["tenant", "seed", "rafael-tatts", "--copy-to", str(mine)])
    assert copied.exit_code == 0, copied.output
    names = ["chat.toml", "diagnosis.toml", "organisation.toml", "summary.toml"]
    assert sorted(path.name for path in mine.iterdir()) == names
    (mine / "chat.toml").write_text("mine")
    assert "is there already" in refused("rafael-tatts", "--copy-to", str(mine)).detail
    assert (mine / "chat.toml").read_text() == "mine"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "organisation.toml").write_text("slug =")
    error = refused(str(tmp_path))
    assert isinstance(error, OrganisationInvalid)
    assert "organisation.toml" in error.detail
