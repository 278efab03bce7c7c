"""What deploy/ describes is so: containers, systemd units, Kubernetes. No container engine is
needed: the settings are given to the programs themselves, the image's steps run in a folder."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml

from cached import PYTHON_FOLDER
from stack import TREE, clean_environment, wait_until

PROGRAM_SERVICES = ("producer", "webhook-receiver", "worker", "status-consumer", "scheduler")
SERVICES = (*PROGRAM_SERVICES, "simulator")
MANIFESTS = sorted(path for path in (TREE / "deploy" / "kubernetes").glob("*.yaml")
                   if path.name != "kustomization.yaml")
UNITS = sorted((TREE / "deploy" / "systemd").glob("*.service"))
KUBERNETES = "v1.34.0-local-strict"
EXPOSURE_MAX = 25  # 2.5 of 10, as systemd-analyze security counts it
HELD_BACK = {"prlimit64"}  # refused by the units with EPERM, which the programs ignore


def run(*words, **how):
    return subprocess.run([str(word) for word in words], text=True, capture_output=True,
                          timeout=120, **how)


@pytest.fixture(scope="module")
def compose(tmp_path_factory):
    empty = tmp_path_factory.mktemp("compose") / "env"
    empty.touch()
    done = run("docker-compose", "--env-file", empty, "config", cwd=TREE,
               env=clean_environment())
    assert (done.returncode, done.stderr) == (0, "")
    return yaml.safe_load(done.stdout)["services"]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    """The secrets that the containers share, made by the script that makes them there."""
    folder = tmp_path_factory.mktemp("secrets")
    places = {"SMSQ_SECRETS": str(folder), "POSTGRES_SECRETS": str(folder)}
    script = TREE / "deploy" / "docker" / "secrets.sh"
    assert run(script, env=clean_environment(**places)).returncode == 0
    before = {path.name: path.read_text() for path in folder.iterdir()}
    again = run(script, env=clean_environment(**places))
    assert (again.returncode, again.stdout) == (0, "")
    assert {path.name: path.read_text() for path in folder.iterdir()} == before
    return folder


@pytest.fixture(scope="module")
def bin_folder(pytestconfig):
    return TREE / "build" / pytestconfig.getoption("preset") / "bin"


def check_config(bin_folder, program, environment, *flags):
    done = run(bin_folder / f"smsq-{program}", "--check-config", *flags,
               env=clean_environment(**environment))
    assert done.returncode == 0, done.stderr


def write_secret(path):
    """A secret of the right form, in a file with the name of its setting."""
    values = {"database.url": "postgresql://smsq@db/smsq?sslmode=verify-full",
              "keys.lookup": 64 * "0", "keys.seal": "1:" + 64 * "0",
              "kafka.properties": "sasl.password=secret", "twilio.auth_token": 32 * "0"}
    path.write_text(values[path.name])
    path.chmod(0o400)


def moved(environment, there, here):
    return {name: str(value).replace(there, str(here)) for name, value in environment.items()}


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_s_settings_are_accepted(service, compose, bin_folder, secrets):
    program = "twilio-simulator" if service == "simulator" else service
    environment = moved(compose[service]["environment"], "/run/smsq", secrets)
    environment = moved(environment, "/usr/share/smsq", TREE / "deploy")
    assert compose[service]["command"] == [f"smsq-{program}"]
    check_config(bin_folder, program, environment)


def test_containers_may_do_little(compose):
    ours = {name: service for name, service in compose.items()
            if service["image"].startswith("smsq")}
    assert set(SERVICES) < set(ours)
    for name, service in ours.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "user" not in service, name  # the image's own, which is not root


def test_containers_wait_for_what_they_need(compose):
    for name in PROGRAM_SERVICES:
        assert compose[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"}}, name
        assert "healthcheck" in compose[name], name
    assert all(need["condition"] == "service_healthy"
               for need in compose["migrate"]["depends_on"].values())


def default_state_dir():
    source = (TREE / "worker" / "send" / "worker_settings.c").read_text()
    return re.search(r'"worker.state_dir".*?"(/[^"]+)"', source, re.DOTALL)[1]


def test_a_worker_s_journal_outlives_its_process_everywhere(compose):
    """Each way to run it has a folder that it may write to, and that a new life finds."""
    folder = default_state_dir()
    volume, = (volume for volume in compose["worker"]["volumes"]
               if volume.split(":")[1] == folder)
    assert not volume.startswith(("/", ".")) and not volume.endswith(":ro")
    assert compose["worker"]["hostname"]  # a container made anew would have another
    made = next(line for line in dockerfile() if "useradd" in line)
    assert re.search(rf"install -d -o smsq -g smsq -m 0700 .*{folder}( |$)", made)

    pod = deployments()["worker"]
    mount, = (mount for mount in pod["containers"][0]["volumeMounts"]
              if mount["mountPath"] == folder)
    assert not mount.get("readOnly")
    assert "emptyDir" in next(volume for volume in pod["volumes"]
                              if volume["name"] == mount["name"])

    unit = (TREE / "deploy" / "systemd" / "smsq-worker@.service").read_text()
    assert f"/var/lib/{re.search('^StateDirectory=(.+)$', unit, re.MULTILINE)[1]}" == folder
    assert re.search("^User=", unit, re.MULTILINE)  # shared by all instances


def test_compose_reads_the_example_environment():
    done = run("docker-compose", "--env-file", TREE / ".env.example", "config", "-q", cwd=TREE,
               env=clean_environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def dockerfile():
    """The lines of the Dockerfile, those that go on made one."""
    text = (TREE / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def build_stage():
    lines = dockerfile()
    first = next(i for i, line in enumerate(lines) if line.endswith("AS build"))
    last = next(i for i, line in enumerate(lines) if line.endswith("AS runtime"))
    return lines[first + 1:last]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """What the image's build stage makes, from the files that it copies and no others."""
    source, out = tmp_path_factory.mktemp("src"), tmp_path_factory.mktemp("out")
    for line in build_stage():
        word, *rest = line.split()
        if word == "COPY":
            *names, target = rest
            for name in names:
                place = source / target.removeprefix("/src").strip("/")
                copy(TREE / name, place / name if target.endswith("/") else place)
        elif word == "RUN" and "cmake" in line:
            command = line.removeprefix("RUN ").replace("/out", str(out))
            done = run("nice", "sh", "-ec", command, cwd=source, env=clean_environment())
            assert done.returncode == 0, done.stdout + done.stderr
    return out


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def test_the_image_holds_all_programs(image):
    programs = {path.name for path in (image / "usr/bin").iterdir()}
    assert programs == {"smsq", "smsq-twilio-simulator",
                        *(f"smsq-{name}" for name in PROGRAM_SERVICES)}
    assert (image / "usr/share/smsq/migrations/sqitch.plan").exists()


def packages(name):
    text = (TREE / "deploy" / "packages" / name).read_text()
    return set(re.sub(r"#.*", "", text).split())


def test_the_image_has_every_library_that_the_programs_load(image):
    """Each one that a program names itself; Debian's packages bring what these need."""
    assumed = {"libc6", "libstdc++6", "libgcc-s1"}
    for program in (image / "usr/bin").iterdir():
        wanted = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", program).stdout)
        found = dict(re.findall(r"(\S+) => (\S+)", run("ldd", program).stdout))
        for library in wanted:
            if library.startswith("ld-linux"):
                continue
            file = os.path.basename(os.path.realpath(found[library]))
            owners = {line.partition(":")[0] for line in
                      run("dpkg", "-S", f"*/{file}").stdout.splitlines()}
            assert owners & (packages("run") | assumed), (program.name, library, owners)


def documents():
    return [(path.name, document) for path in MANIFESTS
            for document in yaml.safe_load_all(path.read_text())]


@pytest.fixture(scope="module")
def schemas():
    found = PYTHON_FOLDER / "kubernetes_validate/kubernetes-json-schema" / KUBERNETES
    assert found.is_dir()
    return found


def schema_name(document):
    group, _, version = document["apiVersion"].rpartition("/")
    words = [document["kind"].lower(), *([group.split(".")[0]] if group else []), version]
    return "-".join(words) + ".json"


@pytest.mark.parametrize(
    "name, document",
    [pair for pair in documents() if not pair[1]["apiVersion"].startswith("keda.sh/")],
    ids=lambda part: part if isinstance(part, str) else part["kind"])
def test_kubernetes_knows_every_field(name, document, schemas):
    schema = json.loads((schemas / schema_name(document)).read_text())
    definitions = json.loads((schemas / "_definitions.json").read_text())
    resolver = jsonschema.RefResolver(
        "", schema, {"https://kubernetes.io/api/_definitions.json": definitions})
    jsonschema.Draft7Validator(schema, resolver=resolver).validate(document)


def test_kustomize_names_every_file():
    folder = TREE / "deploy" / "kubernetes"
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert sorted(kustomization["resources"]) == [path.name for path in MANIFESTS]
    for generator in kustomization["configMapGenerator"]:
        assert all((folder / name).exists() for name in generator["files"])


def deployments():
    return {document["metadata"]["name"]: document["spec"]["template"]["spec"]
            for _, document in documents() if document["kind"] == "Deployment"}


@pytest.mark.parametrize("program", PROGRAM_SERVICES)
def test_a_pod_s_settings_are_accepted(program, bin_folder, tmp_path):
    pod = deployments()[program]
    container, = pod["containers"]
    secret = next(volume["secret"] for volume in pod["volumes"] if volume["name"] == "secrets")
    assert secret["defaultMode"] == 0o440
    for item in secret["items"]:
        write_secret(tmp_path / item["path"])
    environment = moved({entry["name"]: entry["value"] for entry in container["env"]},
                        "/run/smsq", tmp_path)
    command, flag = container["command"]
    assert command == f"smsq-{program}"
    check_config(bin_folder, program, environment,
                 flag.replace("/etc/smsq", str(TREE / "deploy" / "kubernetes")))


def test_pods_may_do_little():
    for name, pod in deployments().items():
        container, = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["automountServiceAccountToken"] is False, name
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]}}, name


def test_keda_watches_the_worker_s_own_groups():
    scaled = next(document for _, document in documents() if document["kind"] == "ScaledObject")
    lanes = {(trigger["metadata"]["topic"], trigger["metadata"]["consumerGroup"])
             for trigger in scaled["spec"]["triggers"]}
    source = (TREE / "worker" / "send" / "worker_parts.c").read_text()
    topics = dict(re.findall(r'#define (TOPIC_JOBS_\w+)\s+"(\S+)"',
                             (TREE / "common" / "kafka.h").read_text()))
    assert lanes == {(topics[name], group) for name, group in
                     re.findall(r'{ (TOPIC_JOBS_\w+), "(\S+)" }', source)} != set()
    assert scaled["spec"]["scaleTargetRef"]["name"] in deployments()


@pytest.fixture(scope="module")
def units(tmp_path_factory, bin_folder):
    """The units, with the programs where this build has them."""
    folder = tmp_path_factory.mktemp("units") / "systemd"
    shutil.copytree(TREE / "deploy" / "systemd", folder)
    for path in folder.glob("*.service"):
        path.write_text(path.read_text().replace("/usr/bin/", f"{bin_folder}/").replace(
            "file:///usr/share/doc/smsq/", f"file://{TREE}/docs/"))
    for target in folder.glob("*.target"):
        target.write_text(target.read_text().replace(
            "file:///usr/share/doc/smsq/", f"file://{TREE}/docs/"))
    return folder


def analyze(folder, *words):
    return run("systemd-analyze", *words,
               env=clean_environment(SYSTEMD_UNIT_PATH=f"{folder}:/lib/systemd/system"))


def unit_names():
    return [path.name.replace("@.", "@1.") for path in UNITS]


@pytest.mark.parametrize("unit", [*unit_names(), "smsq.target"])
def test_systemd_accepts_the_unit(unit, units):
    done = analyze(units, "verify", unit)
    ours = [line for line in done.stderr.splitlines() if "smsq" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("unit", unit_names())
def test_a_service_may_do_little(unit, units):
    done = analyze(units, "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", unit)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", unit_names())
def test_a_unit_s_settings_are_accepted(unit, bin_folder, tmp_path):
    program = unit.removeprefix("smsq-").partition("@")[0].removesuffix(".service")
    text = (TREE / "deploy" / "systemd" / unit.replace("@1.", "@.")).read_text()
    for name in re.findall(r"^LoadCredential=([^:]+):", text, re.MULTILINE):
        write_secret(tmp_path / name)
    flags = re.search(r"^ExecStart=\S+ (.*)$", text, re.MULTILINE)[1].replace("%i", "1").replace(
        "/etc/smsq/", f"{TREE}/deploy/").split()
    check_config(bin_folder, program, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, *flags)


def calls_of(*groups):
    """The system calls in these groups of systemd's, groups within them resolved."""
    lines = run("systemd-analyze", "syscall-filter", *groups).stdout.splitlines()
    words = [line.strip() for line in lines if line.startswith("    ") and "#" not in line]
    inner = [word for word in words if word.startswith("@")]
    names = {word for word in words if not word.startswith("@")}
    return names | calls_of(*inner) if inner else names


@pytest.mark.parametrize("name", ("smsq-worker", "smsq-webhook-receiver"))
def test_the_units_filter_lets_the_program_work(name, system, tmp_path):
    allowed = (calls_of("@system-service") - calls_of("@privileged", "@resources")) | HELD_BACK
    group = name.removeprefix("smsq-").replace("webhook-", "")
    flags = [f"--config={system.stack.run}/smsq.cfg", f"--{group}.admin_port=0"]
    flags += ["--receiver.port=0"] if group == "receiver" else []
    tracer = subprocess.Popen(
        ["strace", "-f", "-o", tmp_path / "calls", f"{system.stack.env['SMSQ_BIN']}/{name}",
         *flags], env=clean_environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=(tmp_path / "log").open("w"))
    try:
        wait_until(lambda: "process_up" in (tmp_path / "log").read_text(), 60, f"{name} is up")
    finally:
        run("pkill", "-TERM", "-P", tracer.pid)
        tracer.wait(60)
    lines = (tmp_path / "calls").read_text().splitlines()
    made = {match[1] for line in lines if (match := re.match(r"\d+\s+(\w+)\(", line))}
    assert "epoll_wait" in made or "epoll_pwait" in made
    # What happens before systemd's filter is in force belongs to systemd.
    assert made - allowed - {"execve"} == set()
