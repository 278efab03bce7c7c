"""What the documents say is so: links, names, settings; and their blocks run."""

import re
import subprocess

import pytest
import yaml

import settings_page
from stack import TREE, clean_environment

DOCUMENTS = sorted(
    TREE / name for name in subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=TREE, check=True,
        capture_output=True, text=True).stdout.split())
MARKED = [TREE / "README.md", *sorted((TREE / "docs").glob("*.md"))]
BLOCK = re.compile(r"^<!-- run -->\n```(sh|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDERS = {path.name for path in TREE.iterdir() if path.is_dir()} - {"build", ".git", ".run"}
SECRETS = {"SMSQ_DATABASE_URL": "postgresql://smsq@db.example.com/smsq?sslmode=verify-full",
           "SMSQ_KAFKA_PROPERTIES_SASL_PASSWORD": 16 * "0",
           "SMSQ_KEYS_LOOKUP": 64 * "0", "SMSQ_KEYS_SEAL": "1:" + 64 * "0",
           "TWILIO_AUTH_TOKEN": 32 * "0"}


def text_of(path):
    return path.read_text(encoding="utf-8")


def rows_of(text):
    """The rows of all tables, each a list of cells."""
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
            for line in text.splitlines() if line.startswith("|")]


def quoted(text):
    return re.findall(r"`([^`\n]+)`", text)


def relative(path):
    return str(path.relative_to(TREE))


def slug(heading):
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "")).strip().lower().replace(" ", "-")


def anchors(path):
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text_of(path), re.MULTILINE)}


@pytest.fixture(scope="session")
def bin_folder(pytestconfig):
    return TREE / "build" / pytestconfig.getoption("preset") / "bin"


@pytest.fixture(scope="session")
def settings(bin_folder):
    return settings_page.tables(bin_folder)


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_every_link_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(document)):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        path = document.parent / name if name else document
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_every_path_that_is_named_is_there(document):
    for name in quoted(text_of(document)):
        if re.fullmatch(r"[\w./-]+", name) and name.split("/")[0] in FOLDERS and "/" in name:
            assert (TREE / name).exists() or (document.parent / name).exists(), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_every_setting_that_is_named_is_one(document, settings):
    names = {row.name for row in settings}
    groups = {name.partition(".")[0] for name in names}
    for name in re.findall(r"`(?:--)?([a-z]+\.[a-z_]+)\b[^`]*`", text_of(document)):
        group, _, rest = name.partition(".")
        is_file = rest in ("c", "cfg", "h", "lua", "py", "sh", "sql")
        assert name in names or group not in groups or is_file, name


def environment_names(settings):
    return {name for row in settings for name in row.environment}


def test_every_variable_that_is_named_is_known(bin_folder, settings):
    known = environment_names(settings) | {"SMSQ_CONFIG", "SMSQ_ENV_FILE", "SMSQ_RUN", "SMSQ_BIN"}
    known |= {name for name, _ in settings_page.known(bin_folder)}
    known |= set(re.findall(r"SMSQ_\w+", text_of(TREE / "deploy" / "dev" / "settings.sh")))
    for document in DOCUMENTS:
        for name in re.findall(r"\b(?:SMSQ|TWILIO)_[A-Z0-9_]+", text_of(document)):
            is_property = name.startswith("SMSQ_KAFKA_PROPERTIES_")
            assert is_property or name in known or name.removesuffix("_FILE") in known, (
                document, name)


def test_a_name_is_either_a_setting_or_known_to_be_none(bin_folder, settings):
    known = {name for name, _ in settings_page.known(bin_folder)}
    assert not known & environment_names(settings)
    assert {"OPENAI_API_KEY", "MAX_RETRY_ATTEMPTS"} <= known | environment_names(settings)


def test_the_settings_page_is_what_the_programs_say(bin_folder):
    assert text_of(TREE / "docs" / "settings.md") == settings_page.render(bin_folder), (
        "run: python3 tests/system/settings_page.py build/release/bin > docs/settings.md")


def test_the_defaults_of_the_simulator_are_those_of_its_page(settings):
    defaults = {row.name: row.default for row in settings if row.name.startswith("simulator.")}
    told = {}
    for row in rows_of(text_of(TREE / "docs" / "simulator.md")):
        names = [name for name in quoted(row[0]) if name in defaults]
        words = row[1].split(", ") if row[1] else ["not set by default"]
        told.update(zip(names, len(names) * words if len(words) == 1 else words))
    assert set(told) | {"simulator.url"} == set(defaults)
    for name, default in told.items():
        assert default in (defaults[name], "as above"), name


@pytest.mark.parametrize("program", settings_page.PROGRAMS)
def test_the_example_settings_are_accepted(program, bin_folder, tmp_path):
    environment = {}
    for name, value in SECRETS.items():
        (tmp_path / name).write_text(value + "\n")
        (tmp_path / name).chmod(0o600)
        environment[f"{name}_FILE"] = str(tmp_path / name)
    done = subprocess.run(
        [bin_folder / program, f"--config={TREE}/deploy/smsq.cfg", "--check-config"],
        env=clean_environment(**environment), capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


def test_the_example_settings_are_only_settings(settings):
    """Groups of other programs are skipped by each, so a wrong name would stay unseen."""
    text = re.sub(r"//.*", "", text_of(TREE / "deploy" / "smsq.cfg"))
    text = re.sub(r"properties: \{.*?\};", "", text, flags=re.DOTALL)
    named = {f"{group}.{key}" for group, body in re.findall(r"(\w+): \{(.*?)\};", text, re.DOTALL)
             for key in re.findall(r"(\w+) = ", body)}
    assert named and named <= {row.name for row in settings}


def test_the_example_environment_is_known(settings):
    names = re.findall(r"^#? ?([A-Z_]+)=", text_of(TREE / ".env.example"), re.MULTILINE)
    assert len(names) > 5 and set(names) <= environment_names(settings)


def test_the_way_of_one_sms_passes_functions_and_events_that_are_there():
    text = text_of(TREE / "docs" / "design.md").partition("## Follow one SMS")[2]
    steps = [row for row in rows_of(text.partition("\n## ")[0]) if "`" in row[1]]
    assert len(steps) >= 13
    folder = None
    for what, files, functions in steps:
        code = ""
        for name in quoted(files):
            folder = name.rpartition("/")[0] or folder
            code += text_of(TREE / folder / name.rpartition("/")[2])
        for name in quoted(functions):
            if "/" in name:
                code += text_of(TREE / name)
            elif f"[`{name}`]" in functions:
                assert f'"{name}"' in code, (what, name)
            else:
                assert re.search(rf"\b{name}\b", code), (what, name)


def test_the_statuses_are_those_of_the_document():
    rows = [row for row in rows_of(text_of(TREE / "docs" / "statuses.md")) if "`" in row[0]]
    described = yaml.safe_load(text_of(TREE / "docs" / "openapi.yaml"))
    members = described["components"]["schemas"]["Message"]["properties"]
    for place, name in enumerate(("status", "detail")):
        assert {quoted(row[place])[0] for row in rows} == set(members[name]["enum"])
    check = re.search(r"check \(status in \((.*?)\)\)",
                      text_of(TREE / "migrations" / "deploy" / "messages.sql"), re.DOTALL)[1]
    assert set(members["detail"]["enum"]) == set(re.findall(r"'(\w+)'", check)) | {"accepted"}


def test_the_reference_of_the_commands_is_what_smsq_says(bin_folder):
    said = subprocess.run([bin_folder / "smsq", "manual", "markdown"], capture_output=True,
                          text=True, timeout=30, check=True, env={}).stdout
    text = text_of(TREE / "docs" / "cli.md").partition("## Reference\n\n")[2]
    assert text == said, "put the output of smsq manual markdown behind ## Reference"


def test_the_reasons_of_dead_letters_are_those_of_the_sources():
    code = "".join(text_of(path) for path in (TREE / "worker").glob("*/*.c"))
    used = set(re.findall(r'\*reason = "(\w+)"', code))
    used |= set(re.findall(r'bur(?:y_job|ials_bury)\([^;]*?"(\w+)",', code))
    text = text_of(TREE / "docs" / "operations.md").partition("## Dead letters")[2]
    rows = rows_of(text.partition("\n## ")[0])
    assert used == {quoted(row[0])[0] for row in rows if "`" in row[0]}


@pytest.mark.parametrize("document", MARKED, ids=relative)
def test_the_marked_blocks_run(smsq, document):
    """README says what is marked. One after the other: a later block may rely on earlier ones."""
    environment = clean_environment(SMSQ_RUN=str(smsq.stack.run))
    text = text_of(document)
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("\n<!-- run -->\n")
    for language, block in blocks:
        command = ["bash", "-euo", "pipefail", "-c", block] if language == "sh" else [
            TREE / "dev", "psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-c", block]
        done = subprocess.run(command, env=environment, cwd=TREE, timeout=60, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        if document.name == "README.md":
            assert done.stdout.strip(), f"it shows nothing: {block}"
    assert blocks or document.name != "README.md"
