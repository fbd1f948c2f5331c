import os
from datetime import UTC, datetime, timedelta

import pytest

from x25.graph.settings import load_settings
from x25.graph.training_folders import FILES, delete_folder, delete_folders, file_of, folder_of, part_of
from x25.state.errors import InvalidRequest, NotFound


@pytest.fixture
def settings(tmp_path):
    return load_settings({}, data_dir=tmp_path)


def make(settings, org="acme", job_id="j1"):
    folder = folder_of(settings, org, job_id)
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text("{}\n")
    return folder


@pytest.mark.parametrize(
    "org", ["../etc", "..", "a/b", "A", "", "all", "a\n", "ä", "-x", "~", None, "x" * 65]
)
def test_no_orgs_name_leads_elsewhere(settings, org):
    with pytest.raises(InvalidRequest):
        folder_of(settings, org, "j1")


@pytest.mark.parametrize("job_id", ["..", ".j1.part", "a/b", "", "a b", "x" * 65])
def test_no_jobs_name_leads_elsewhere(settings, job_id):
    with pytest.raises(InvalidRequest):
        folder_of(settings, "acme", job_id)


def test_a_file_is_one_of_those_a_folder_holds(settings):
    make(settings)
    assert file_of(settings, "acme", "j1", "train.jsonl").read_text() == "{}\n"
    for name in ("../../x25.db", "output", "", "train.jsonl/"):
        with pytest.raises(InvalidRequest, match="file must be one of"):
            file_of(settings, "acme", "j1", name)
    with pytest.raises(NotFound, match=r"has no README\.md on this machine"):
        file_of(settings, "acme", "j1", "README.md")
    assert tuple(sorted(FILES)) == FILES


def test_folders_are_deleted_by_org_by_age_or_all(settings):
    old, new, other = make(settings), make(settings, job_id="j2"), make(settings, "other")
    past = datetime.now(UTC) - timedelta(days=3)
    os.utime(old, (past.timestamp(), past.timestamp()))
    part = part_of(folder_of(settings, "acme", "j3"))
    part.mkdir()
    assert delete_folders(settings, org="acme", before=past + timedelta(days=1)) == 1
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)
    assert delete_folders(settings, org="acme") == 1
    assert (new.exists(), part.exists(), other.exists()) == (False, False, True)
    assert delete_folders(settings) == 1
    assert delete_folders(settings) == 0
    assert delete_folders(load_settings({}, data_dir=settings.data_dir / "nowhere")) == 0


def test_one_folder_is_deleted_with_what_was_begun_of_it(settings):
    folder = make(settings)
    part_of(folder).mkdir()
    assert delete_folder(folder)
    assert not part_of(folder).exists()
    assert not delete_folder(folder)
