"""Configuration from the environment, and the one line about a value that cannot be used."""

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path

import pytest
from gunicorn.config import Config as GunicornConfig
from hypothesis import HealthCheck, given, settings, strategies as st

from callytics import create_app
from callytics.config import Config, ConfigError, load_config


def load(tmp_path: Path, **environ: str) -> Config:
    return load_config({"CALLYTICS_INSTANCE": str(tmp_path / "instance"), **environ})


def test_with_nothing_set_the_defaults_hold(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert config.database_url == f"sqlite:///{tmp_path}/instance/callytics.db"
    assert config.ari_url == "http://127.0.0.1:8088/ari"
    assert (config.ari_username, config.ari_password) == ("callytics", None)
    assert config.ari_app == "callytics"
    assert config.recordings_dir == Path("/var/lib/asterisk/recording")
    assert (config.bind, config.port) == ("0.0.0.0", 8000)
    assert config.web_concurrency == os.cpu_count()


def test_what_is_set_to_nothing_counts_as_not_set(tmp_path: Path) -> None:
    names = ("DATABASE_URL", "ARI_URL", "ARI_USERNAME", "ARI_PASSWORD", "ARI_APP")
    names += ("RECORDINGS_DIR", "PBX_NAME", "SECRET_KEY", "BIND", "PORT", "WEB_CONCURRENCY")
    assert load(tmp_path, **dict.fromkeys(names, "")) == load(tmp_path)


def test_what_is_set_is_taken(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        ARI_URL="https://pbx.example:8089/ari/",
        ARI_USERNAME="someone",
        ARI_PASSWORD="hush",
        ARI_APP="records-2",
        RECORDINGS_DIR="/srv/recordings",
        SECRET_KEY="key",
        BIND="::1",
        PORT="80",
        WEB_CONCURRENCY="3",
    )
    assert config.ari_url == "https://pbx.example:8089/ari"
    assert (config.ari_username, config.ari_password) == ("someone", "hush")
    assert (config.ari_app, config.recordings_dir) == ("records-2", Path("/srv/recordings"))
    assert (config.secret_key, config.web_concurrency) == ("key", 3)
    assert (config.bind, config.port) == ("::1", 80)


@pytest.mark.parametrize(
    ("proxies", "peer", "trusted"),
    [
        (None, "127.0.0.1", True),
        (None, "::1", True),
        (None, "10.0.0.2", False),
        ("", "127.0.0.1", False),
        ("10.0.0.2, 172.16.0.0/12", "10.0.0.2", True),
        ("10.0.0.2, 172.16.0.0/12", "172.31.255.255", True),
        ("10.0.0.2, 172.16.0.0/12", "172.32.0.0", False),
        ("fd00::/8", "fd12::1", True),
        ("fd00::/8", "172.16.0.1", False),
        ("*", "203.0.113.9", True),
        ("*", "2001:db8::1", True),
        ("10.0.0.0/8", "unknown", False),
    ],
)
def test_proxies_are_trusted_by_address_and_by_network(tmp_path, proxies, peer, trusted):
    environ = {} if proxies is None else {"FORWARDED_ALLOW_IPS": proxies}
    config = load(tmp_path, **environ)
    assert config.trusts(peer) is trusted
    # gunicorn gets the same list, and decides the same.
    theirs = GunicornConfig()
    theirs.set("forwarded_allow_ips", ",".join(map(str, config.trusted_proxies)))
    if peer != "unknown":
        networks = theirs.forwarded_allow_networks()
        assert any(ip_address(peer) in network for network in networks) is trusted


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_understood_as_hosts_write_it(tmp_path: Path, scheme: str) -> None:
    config = load(tmp_path, DATABASE_URL=f"{scheme}://u:p%40#w@h:5432/db?sslmode=require")
    assert config.database_url == "postgresql+psycopg://u:p%40#w@h:5432/db?sslmode=require"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://h/db"),
        ("DATABASE_URL", "postgresql://"),
        ("DATABASE_URL", "sqlite:///relative.db"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "/var/lib/x.db"),
        ("ARI_URL", "127.0.0.1:8088/ari"),
        ("ARI_URL", "ftp://127.0.0.1/ari"),
        ("ARI_URL", "http:///ari"),
        ("ARI_URL", "http://h:port/ari"),
        ("ARI_URL", "http://h:99999/ari"),
        ("ARI_URL", "http://h:8088/"),
        ("ARI_URL", "http://[::1/ari"),
        ("ARI_APP", "a b"),
        ("ARI_APP", "a/b"),
        ("FORWARDED_ALLOW_IPS", "proxy.example"),
        ("FORWARDED_ALLOW_IPS", "192.168.1.1/24"),
        ("PBX_NAME", "a/b"),
        ("PBX_NAME", ".."),
        ("PBX_NAME", "a b"),
        ("PBX_NAME", "a" * 41),
        ("RECORDINGS_DIR", "recordings"),
        ("RECORDINGS_DIR", "./recordings"),
        ("RECORDINGS_DIR", "~/recordings"),
        ("RECORDINGS_DIR", "/srv/a\0b"),
        ("BIND", "localhost"),
        ("BIND", "127.0.0.1:80"),
        ("BIND", "256.0.0.1"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "80.0"),
        ("PORT", "eighty"),
        ("PORT", "9" * 5000),
        ("PORT", "\u0668\u0660"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "1000"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, **{variable: value})
    assert str(error.value).startswith(f"{variable}: must ")
    assert "\n" not in str(error.value)


def test_an_address_that_only_the_driver_can_judge_is_named_too(tmp_path: Path) -> None:
    config = load(tmp_path, DATABASE_URL="postgresql://u:hush@h:port/db")
    with pytest.raises(ConfigError, match="DATABASE_URL: must") as error:
        create_app(config)
    assert "hush" not in str(error.value)


FREE_TEXT = ("DATABASE_URL", "ARI_URL", "ARI_APP", "PBX_NAME", "RECORDINGS_DIR", "PORT")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(FREE_TEXT), st.text())
def test_no_value_fails_otherwise_than_in_one_line(
    tmp_path: Path, variable: str, value: str
) -> None:
    try:
        load(tmp_path, **{variable: value})
    except ConfigError as error:
        assert str(error).startswith(f"{variable}: ")
        assert len(str(error).splitlines()) == 1


def test_secrets_are_not_in_what_is_printed_of_it(tmp_path: Path) -> None:
    secrets = {"ARI_PASSWORD": "hush-1", "SECRET_KEY": "hush-2"}
    config = load(tmp_path, **secrets, DATABASE_URL="postgresql://u:hush-3@h/db")
    assert "hush" not in repr(config)


def test_the_key_is_made_once_and_kept_where_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = load(tmp_path).secret_key
    assert len(first) >= 32
    assert load(tmp_path).secret_key == first
    path = tmp_path / "instance/secret_key"
    assert path.read_text() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["secret_key"]


def test_whoever_starts_at_once_agrees_on_the_key(tmp_path: Path) -> None:
    many = 16
    ready = threading.Barrier(many)

    def start(round_: int) -> str:
        ready.wait(timeout=60)
        return load(tmp_path / str(round_)).secret_key

    with ThreadPoolExecutor(many) as pool:
        for round_ in range(20):
            assert len(set(pool.map(start, [round_] * many))) == 1


def test_a_key_that_cannot_be_kept_is_named(tmp_path: Path) -> None:
    (tmp_path / "instance").touch()
    with pytest.raises(ConfigError, match="SECRET_KEY: must be set"):
        load(tmp_path)
