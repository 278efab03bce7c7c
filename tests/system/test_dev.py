"""./dev itself, with a real Kafka and a real PostgreSQL in a run folder of its own."""

import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
FREE_PORTS = {
    f"SMSQ_DEV_{name}_PORT": "0"
    for name in ("API", "RECEIVER", "SIM", "KAFKA", "POSTGRES", "ADMIN")
}
PARTS = {"kafka", "postgres", "simulator", "webhook-receiver", "status-consumer", "worker",
         "producer", "scheduler"}


def dev(run, *arguments, **settings):
    """Runs ./dev as a newcomer's shell would: with no other setting than these."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SMSQ_", "TWILIO_"))}
    return subprocess.run(
        [TREE / "dev", *arguments], env={**clean, "SMSQ_RUN": str(run), **settings},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, cwd="/")


def parts(run):
    return {part["name"]: part for part in json.loads(dev(run, "status", "--json").stdout)}


def wipe(run):
    done = dev(run, "down", "--wipe")
    assert done.returncode == 0, done.stderr
    assert not run.exists()


@pytest.fixture
def run(tmp_path):
    yield tmp_path / "run"
    wipe(tmp_path / "run")


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dev") / "run"
    yield folder
    wipe(folder)


@pytest.fixture
def services(shared_run):
    """Kafka and PostgreSQL; what a test stopped is started for the next one."""
    done = dev(shared_run, "up", "--services", **FREE_PORTS)
    assert done.returncode == 0, done.stdout + done.stderr
    return shared_run


def test_help_lists_every_command_and_setting(tmp_path):
    text = dev(tmp_path, "help").stdout
    for word in ("setup", "build", "up", "down", "status", "env", "logs", "psql", "test",
                 "SMSQ_RUN", "SMSQ_DEV_WORKERS", *FREE_PORTS):
        assert word in text


def test_an_unknown_command_is_refused(tmp_path):
    done = dev(tmp_path, "pu")
    assert done.returncode != 0
    assert '"pu"' in done.stderr


def test_env_of_nothing_says_so_and_prints_no_shell_line(tmp_path):
    done = dev(tmp_path / "run", "env")
    assert done.returncode != 0
    assert done.stdout == ""
    assert "./dev up" in done.stderr


def test_everything_is_stopped_before_the_first_up(tmp_path):
    before = parts(tmp_path / "run")
    assert set(before) == PARTS
    assert {(part["pid"], part["state"]) for part in before.values()} == {(None, "stopped")}


def test_wipe_and_up_leave_a_folder_with_other_things_alone(tmp_path):
    (tmp_path / "precious").write_text("mine")
    assert "Nothing was started" in dev(tmp_path, "wipe").stdout
    refused = dev(tmp_path, "up", "--services", **FREE_PORTS)
    assert refused.returncode != 0
    assert "other things" in refused.stderr
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_port_in_use_is_named_with_its_holder_and_its_setting(run):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        done = dev(run, "up", "--services", **{**FREE_PORTS, "SMSQ_DEV_POSTGRES_PORT": port})
    assert done.returncode != 0
    for word in (port, "SMSQ_DEV_POSTGRES_PORT", f"(pid {os.getpid()})"):
        assert word in done.stderr
    assert {part["state"] for part in parts(run).values()} == {"stopped"}


def test_a_changed_jar_is_refused(tmp_path, run):
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    (original,) = cache.glob("smsq/kafka-*/libs")
    libs = tmp_path / "cache" / original.relative_to(cache)
    libs.mkdir(parents=True)
    for jar in original.glob("*.jar"):
        (libs / jar.name).symlink_to(jar)
    for folder in (cache / "smsq").iterdir():  # so that nothing is fetched once more
        if folder.is_dir() and folder != original.parent:
            (libs.parents[1] / folder.name).symlink_to(folder)
    changed = next(libs.glob("kafka-server-4*.jar"))
    content = changed.read_bytes()
    changed.unlink()
    changed.write_bytes(content + b"x")

    for command in (["setup"], ["up", "--services"]):
        done = dev(run, *command, XDG_CACHE_HOME=str(tmp_path / "cache"), **FREE_PORTS)
        assert done.returncode != 0
        assert changed.name in done.stderr and "refused" in done.stderr
    assert {part["state"] for part in parts(run).values()} == {"stopped"}


def test_up_twice_changes_nothing(services):
    before = parts(services)
    assert before["kafka"]["state"] == before["postgres"]["state"] == "running"
    assert len(before["kafka"]["ports"]) == 2
    again = dev(services, "up", "--services")
    assert again.returncode == 0, again.stderr
    assert parts(services) == before


def test_up_brings_back_what_was_killed_with_its_data(services):
    made = dev(services, "psql", "-c", "create table kept as select 42 as answer")
    assert made.returncode == 0, made.stderr
    for name in ("kafka", "postgres"):
        os.kill(parts(services)[name]["pid"], signal.SIGKILL)
    again = dev(services, "up", "--services")
    assert again.returncode == 0, again.stdout + again.stderr
    assert dev(services, "psql", "-Atc", "select answer from kept").stdout == "42\n"
    assert parts(services)["kafka"]["state"] == "running"


def test_a_process_with_a_reused_pid_is_neither_shown_nor_stopped(services):
    assert dev(services, "down").returncode == 0
    stranger = subprocess.Popen(["sleep", "120"])
    try:
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        (services / "pids" / "kafka.pid").write_text(f"{stranger.pid} 1 {boot}\n")
        assert parts(services)["kafka"]["state"] == "stopped"
        assert dev(services, "down").returncode == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_setting_cannot_change_under_a_running_stack(services):
    refused = dev(services, "up", "--services", SMSQ_DEV_WORKERS="3")
    assert refused.returncode != 0
    assert "SMSQ_DEV_WORKERS" in refused.stderr and "down" in refused.stderr


def test_a_second_stack_runs_beside_the_first(services, tmp_path):
    second = tmp_path / "second"
    try:
        done = dev(second, "up", "--services", **FREE_PORTS)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        wipe(second)
    assert parts(services)["kafka"]["state"] == "running"
    assert dev(services, "psql", "-Atc", "select 1").stdout == "1\n"
