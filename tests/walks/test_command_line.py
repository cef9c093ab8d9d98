"""The command line over a data folder that no service runs on."""

import json
import struct
from pathlib import Path

import pytest
from tests.walks.test_model_store import write_folder

from primeur.cli import main
from primeur.cli.show import read_settings
from primeur.core.errors import BadRequest


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One house for all of these tests; founding it is not what they are about."""
    folder = tmp_path_factory.mktemp("house")
    with pytest.raises(SystemExit):
        main(["status", "--data-dir", str(folder)])
    return folder


@pytest.fixture
def primeur(folder, capsys):
    """Runs one command; gives its exit status, what it printed and what it complained of."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in (*arguments, "--data-dir", folder)])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def test_a_key_is_made_while_nothing_runs(primeur):
    """As JSON, with its text and its limits."""
    status, out, _ = primeur("keys", "create", "first", "--rpm", 3, "--tpm", 500, "--json")
    made = json.loads(out)
    assert (status, made["key"][:3], made["limits"]["rpm"], made["limits"]["tpm"]) == (0, "pk_", 3, 500)


@pytest.mark.parametrize(
    "command",
    [
        ("models", "list"), ("deployments", "list"), ("keys", "list"), ("projects", "list"), ("providers", "list"),
        ("prices", "list"), ("requests", "list"),
    ],
)  # fmt: skip
def test_every_list_speaks_to_programs_and_to_people(primeur, command):
    """JSON is a list; without it there is always something to read."""
    status, out, err = primeur(*command, "--json")
    assert (status, err) == (0, "")
    assert isinstance(json.loads(out), list)
    assert primeur(*command)[1].strip()


def test_a_providers_model_is_named_described_and_shown(primeur, tmp_path):
    """By one command each, with its card; what does not go together is refused."""
    card = tmp_path / "card.md"
    card.write_text("Knows nothing.")
    primeur("providers", "add", "cloud", "--kind", "sim")
    about = ("--provider", "cloud", "--upstream-model", "gpt-a", "--licence", "MIT", "--languages", "en, fr")
    status, out, err = primeur("models", "add", "upstream", "--name", "gpt", *about, "--card", card, "--json")
    assert (status, json.loads(out)["languages"]) == (0, ["en", "fr"]), err
    assert primeur("models", "set", "gpt", "--default", 1, "--retires", "2031-01-31")[0] == 0
    shown = json.loads(primeur("models", "show", "gpt", "--json")[1])
    assert (shown["default_version"], shown["versions"][0]["card"]) == (1, {"text": "Knows nothing."})
    assert "Knows nothing." in primeur("models", "show", "gpt")[1]
    for wrong in (("models", "add", "upstream"), ("models", "set", "gpt"), ("models", "set", "gpt", "--default", "x")):
        assert primeur(*wrong)[0] != 0


def test_terms_and_shadows_are_said_on_the_command_line(primeur):
    """In short words or Azure's; what contradicts itself is refused."""
    about = ("--type", "provisioned", "--reserved-tpm", 600, "--upgrade", "expired", "--shadow", "10%")
    status, out, err = primeur("deployments", "create", "fast", "--engine", "echo", *about, "--json")
    assert status == 0, err
    made = json.loads(out)
    assert (made["type"], made["reserved_tokens_per_minute"]) == ("provisioned", 600)
    assert made["upgrade"] == "OnceCurrentVersionExpired"
    assert json.loads(primeur("deployments", "terms", "fast", "--type", "batch", "--json")[1])["type"] == "batch"
    assert "batch" in primeur("deployments", "show", "fast")[1]
    for wrong in (("terms", "fast"), ("terms", "fast", "--type", "free"), ("create", "fast", "--shadow", "0%")):
        assert primeur("deployments", *wrong)[0] != 0


def test_the_house_is_shown(primeur):
    """Status and usage, as JSON too."""
    assert json.loads(primeur("status", "--json")[1])["state"] == "pending"
    assert "the service is not running" in primeur("status")[1]
    assert json.loads(primeur("usage", "--json")[1])["total"]["requests"] == 0
    assert "total" in primeur("usage", "--by", "day")[1]


def test_a_key_goes_through_its_life(primeur):
    """Changed, shown, rotated, revoked; a second revocation is refused in one line."""
    primeur("keys", "create", "app", "--rpm", 3)
    assert json.loads(primeur("keys", "change", "app", "--no-limits", "--tpm", 9, "--json")[1])["limits"] == {
        "rpm": None, "tpm": 9, "concurrency": None, "rpd": None, "tpd": None,
    }  # fmt: skip
    assert "pk_" in primeur("keys", "rotate", "app")[1]
    assert primeur("keys", "revoke", "app")[:2] == (0, "The key app is revoked.\n")
    status, out, err = primeur("keys", "revoke", "app")
    assert (status, out) == (2, "")
    assert err == "primeur: the key 'app' is revoked; make a new one\n"


@pytest.mark.parametrize(
    "command",
    [
        ("keys",),
        ("keys", "crate"),
        ("keys", "create"),
        ("keys", "create", "x", "--rpm", "many"),
        ("keys", "list", "--bla"),
        ("keys", "change", "x"),
        ("deployments", "create", "x", "--set", "no-equals", "--engine", "echo"),
        ("models", "add", "/nowhere.gguf"),
        ("apply", "-f", "/nowhere.toml"),
    ],
)
def test_what_goes_wrong_is_one_line(primeur, command):
    """On stderr, with a status of its own."""
    status, out, err = primeur(*command)
    assert status in {1, 2}
    assert out == ""
    assert err.startswith("primeur: ")
    assert err.count("\n") == 1


def test_a_model_is_sent_and_deployed(primeur, tmp_path):
    """What its engine refuses is told before anything changes."""
    words = [("general.architecture", "llama"), ("general.name", "tiny")]
    text = [(struct.pack("<Q", len(key)) + key.encode(), value) for key, value in words]
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(text))
    head += b"".join(key + struct.pack("<I", 8) + struct.pack("<Q", len(value)) + value.encode() for key, value in text)
    (tmp_path / "tiny.gguf").write_bytes(head + bytes(64))
    status, out, _ = primeur("models", "add", tmp_path / "tiny.gguf", "--licence", "MIT")
    assert status == 0
    assert out.startswith("tiny version 1 is sha256:")
    assert "MIT" in primeur("models", "show", "tiny")[1]
    assert primeur("deployments", "create", "tiny", "--model", "tiny", "--set", "bogus=1")[0] == 1 + 1
    assert {one["model"]: one["whole"] for one in json.loads(primeur("models", "verify", "--json")[1])}["tiny"] is True
    assert json.loads(primeur("models", "export", "tiny", tmp_path / "out.gguf", "--json")[1])["size_bytes"] > 0
    assert primeur("models", "retire", "tiny")[1] == "The model tiny is retired.\n"
    status, _, err = primeur("models", "add", tmp_path / "tiny.gguf", "--sha256", "0" * 64)
    assert (status, "fetch them again" in err) == (2, True)


def test_what_is_no_weights_is_told_by_what_it_is(primeur, tmp_path):
    """A pickle, a part of a model, a folder that is none."""
    for file, word in (("w.pkl", "pickle"), ("w.pt", "pickle"), ("w.safetensors", "give the folder")):
        (tmp_path / file).write_bytes(b"x")
        assert word in primeur("models", "add", tmp_path / file)[2]
    (tmp_path / "empty").mkdir()
    assert "has no config.json" in primeur("models", "add", tmp_path / "empty")[2]


def test_deployments_aliases_and_prices(primeur):
    """On the engine echo, which needs no weights."""
    made = json.loads(primeur("deployments", "create", "talk", "--engine", "echo", "--json")[1])
    assert made["revisions"][0]["engine"] == "echo"
    assert primeur("deployments", "alias", "latest", "talk")[1] == "latest leads to talk.\n"
    price = json.loads(primeur("prices", "set", "latest", "--input", "2.50", "--output", 10, "--json")[1])
    assert (price["deployment"], price["input"], price["cached"]) == ("talk", "2.5", "2.5")
    assert "latest" in primeur("deployments", "show", "talk")[1]
    assert primeur("deployments", "alias", "latest", "--remove")[1] == "latest is free.\n"
    assert primeur("deployments", "remove", "talk")[1] == "The deployment talk is removed.\n"


def test_windows_are_read_or_told(primeur):
    """How a revision is scaled is shown beside it."""
    primeur("deployments", "create", "talk", "--engine", "echo")
    for wrong in ("xx", "mon/25:00-08:00/1-2", "08:00/1-2", "mon/08:00-18:00/1", ""):
        status, _, err = primeur("deployments", "scale", "talk", "--window", wrong)
        assert (status, "is no window; write DAYS/HH:MM-HH:MM/MIN-MAX" in err) == (2, True)
    given = ("--min", 1, "--max", 3, "--window", "mon,tue/22:00-06:00/2-4", "--window", "08:00-18:00/1-2")
    windows = json.loads(primeur("deployments", "scale", "talk", *given, "--json")[1])["revisions"][0]["scaling"][
        "windows"
    ]
    assert [(one["start"], one["max"], len(one["days"])) for one in windows] == [("22:00", 4, 2), ("08:00", 2, 7)]
    assert "1 to 3 by concurrency, 4 each, 2 windows" in primeur("deployments", "show", "talk")[1]


def test_a_declared_house_is_made_so(primeur, tmp_path):
    """The difference first, then nothing left to do."""
    file = tmp_path / "primeur.toml"
    file.write_text('[projects.research]\nrpm = 9\n[keys.robot]\nproject = "research"\n')
    assert "+ projects.research" in primeur("apply", "-f", file, "--dry-run")[1]
    assert "The key robot is pk_" in primeur("apply", "-f", file)[1]
    assert primeur("apply", "-f", file)[1] == "Everything is as declared.\n"
    weights = write_folder(tmp_path / "packed")
    file.write_text('[models.packed]\nfile = "./packed"\nlicence = "mit"\n')
    assert "+ models.packed" in primeur("apply", "-f", file)[1]
    assert primeur("apply", "-f", file)[1] == "Everything is as declared.\n"
    (weights / "model.safetensors").unlink()
    assert "has no .safetensors file" in primeur("apply", "-f", file)[2]
    file.write_text("[projects.research]\nrpn = 9\n")
    assert primeur("apply", "-f", file)[2] == "primeur: unknown setting projects.research.rpn; did you mean rpm?\n"


def test_a_sign_in_link_can_be_opened(primeur):
    """It leads to the console."""
    assert "/sign-in/pl_" in json.loads(primeur("sign-in-link", "--json")[1])["url"]


def test_projects_and_providers(primeur):
    """Made, changed, refused."""
    primeur("projects", "create", "lab", "--keep-prompts")
    assert json.loads(primeur("projects", "change", "lab", "--no-keep-prompts", "--json")[1])["keeps_prompts"] is False
    status, _, err = primeur("providers", "add", "cloud", "--kind", "tin")
    assert status == 2
    assert "there is no provider kind 'tin'; installed: " in err


def test_settings_are_read_as_json_where_they_are():
    """Numbers and lists as such, everything else as text."""
    assert read_settings(["a=1", "b=[2]", "c=env:KEY", "d=x=y"]) == {"a": 1, "b": [2], "c": "env:KEY", "d": "x=y"}
    with pytest.raises(BadRequest, match="NAME=VALUE"):
        read_settings(["=1"])


def test_a_folder_without_a_house_is_not_made_by_looking(tmp_path, monkeypatch, capsys):
    """A person in the wrong folder is told so."""
    monkeypatch.chdir(tmp_path)
    for name in ("PRIMEUR_URL", "PRIMEUR_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit, match="1"):
        main(["status"])
    assert "start with `primeur up`" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_named_service_needs_a_key(monkeypatch, capsys):
    """And one that does not answer is named."""
    monkeypatch.setenv("PRIMEUR_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("PRIMEUR_KEY", raising=False)
    for words in ("PRIMEUR_KEY is not", "http://127.0.0.1:9 does not answer"):
        with pytest.raises(SystemExit, match="1"):
            main(["status"])
        assert words in capsys.readouterr().err
        monkeypatch.setenv("PRIMEUR_KEY", "pk_x")
