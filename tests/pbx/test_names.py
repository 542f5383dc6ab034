"""Names of PBXs: set, or made once for each application and kept in the folder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callytics.config import load_config
from callytics.pbx.names import is_pbx_name, kept_name, name_without_folder
from callytics.storage.folder import Storage
from tests.support.processes import fresh_environment


def test_a_name_is_made_once_for_each_application_and_kept(tmp_path: Path) -> None:
    environment = fresh_environment(tmp_path)
    config = load_config(environment)
    storage = Storage(config.recordings_dir)
    with ThreadPoolExecutor(8) as threads:
        names = set(threads.map(lambda _: kept_name(storage, config), range(8)))
    assert len(names) == 1
    assert is_pbx_name(next(iter(names)))
    other = load_config({**environment, "ARI_APP": "other"})
    assert kept_name(storage, other) not in names
    assert kept_name(storage, config) in names
    assert sorted(storage.names(".pbx")) == ["callytics", "other"]


def test_a_folder_that_cannot_keep_it_is_said_and_another_name_is_there(tmp_path: Path) -> None:
    config = load_config(fresh_environment(tmp_path))
    storage = Storage(config.recordings_dir)
    storage.write(".pbx/callytics", b"../../etc\n")
    with pytest.raises(OSError, match="set PBX_NAME"):
        kept_name(storage, config)
    with pytest.raises(OSError):
        kept_name(Storage(tmp_path / "away"), config)
    assert is_pbx_name(name_without_folder(config))
    assert name_without_folder(config) == name_without_folder(config)
