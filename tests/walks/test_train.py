"""Training told whole: a tiny recipe is followed, interrupted, resumed, exported and served."""

from random import Random

import pytest

pytestmark = pytest.mark.train
torch = pytest.importorskip("torch", reason="needs the extra: pip install 'primeur[train]'")
pytest.importorskip("tokenizers", reason="needs the extra: pip install 'primeur[train]'")
pytest.importorskip("gguf", reason="needs the extra: pip install 'primeur[train]'")

from primeur.core.gguf import read_gguf_file  # noqa: E402 - only with the extra
from primeur.training import judge, pretrain  # noqa: E402
from primeur.training.export import export_gguf  # noqa: E402
from primeur.training.model import Llama  # noqa: E402
from primeur.training.rules import ExportFailed, RecipeFault, TrainingFailed  # noqa: E402
from primeur.training.tokenizer import load_tokenizer  # noqa: E402
from primeur.walks import train  # noqa: E402

RECIPE = """
name = "tiny"
licence = "Apache-2.0"
languages = ["en"]
held_out_share = 0.2
probes = ["The"]
[vocabulary]
size = 320
[shape]
width = 64
layers = 2
heads = 2
key_heads = 1
feed_forward = 96
sequence = 128
context = 512
[optimiser]
micro_sequences = 2
batch_tokens = 512
warm_up_tokens = 2048
[[stages]]
name = "read"
tokens = 6144
decay_from = 0.5
[[sources]]
package = "stories"
kind = "text"
licence = "Apache-2.0"
credit = "this test"
paths = ["*.txt"]
"""


@pytest.fixture
def recipe(tmp_path):
    """A recipe of twelve steps, and its text: sentences that follow a simple rule."""
    torch.set_num_threads(1)  # two would wait for each other on a busy machine
    dice = Random(1)
    folder = tmp_path / "data" / "stories"
    folder.mkdir(parents=True)
    for number in range(60):
        who, what = dice.choice(["dog", "cat", "bird"]), dice.choice(["river", "house", "garden"])
        line = f"The {who} of story {'abcdefgh'[number % 8] * (number // 8 + 1)} walked to the {what} and slept there."
        (folder / f"{number:02}.txt").write_text("\n\n".join([line, line.replace("walked", "ran")]), "utf-8")
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE, "utf-8")
    return path


def room(tmp_path, name):
    return train.Room(tmp_path / name, tmp_path / "data", "a test machine")


def follow(recipe, where, *, stop_at=None, resume=False):
    """Train; gives each step's loss and the files made."""
    losses = {}

    def show(progress):
        losses[progress.step] = progress.loss
        if progress.step == stop_at:
            raise KeyboardInterrupt

    def work():
        return train.pretrain(recipe, where, resume=resume, tell=str, show=show)

    if stop_at is None:
        return losses, work()
    with pytest.raises(TrainingFailed, match=f"stopped at step {stop_at}"):
        work()
    return losses, []


def test_a_resumed_run_learns_what_an_uninterrupted_one_does(recipe, tmp_path):
    """Loss by loss, to the last bit."""
    whole, _ = follow(recipe, room(tmp_path, "whole"))
    first, _ = follow(recipe, room(tmp_path, "cut"), stop_at=5)
    second, _ = follow(recipe, room(tmp_path, "cut"), resume=True)
    assert list(first) == [1, 2, 3, 4, 5]
    assert first | second == whole
    assert whole[12] < whole[1]


def test_the_exported_file_says_what_torch_says(recipe, tmp_path):
    """The GGUF file is known, loads in the engine, and its greedy tokens are the model's own."""
    _, made = follow(recipe, room(tmp_path, "run"))
    head = read_gguf_file(made[0])
    assert (head.architecture, head.context_tokens) == ("llama", 512)
    recipe_read, exact = train.load_recipe(recipe), tmp_path / "exact.gguf"
    model, words = Llama(recipe_read.shape, 320), load_tokenizer(tmp_path / "run" / "tokenizer.json")
    pretrain.read_weights(model, tmp_path / "run")
    export_gguf(model, words, recipe_read, exact, "F32")
    asked = {"messages": [{"role": "user", "content": "The dog"}], "max_tokens": judge.PROBE_TOKENS, "temperature": 0}
    said = serve(exact).handle_chat_completions(asked)["choices"][0]["message"]["content"]
    assert said.strip() == judge.answer(model, words, "The dog").strip()


def serve(path):
    """llama.cpp's server on one file."""
    parameters = pytest.importorskip("xllamacpp").CommonParams()
    parameters.model.path, parameters.n_ctx, parameters.n_parallel = str(path), 512, 1
    parameters.cpuparams.n_threads = 1
    return pytest.importorskip("xllamacpp").Server(parameters)


def test_a_run_is_not_overwritten(recipe, tmp_path):
    """Without --resume an existing run is left alone; with other sources it is not resumed."""
    follow(recipe, room(tmp_path, "run"), stop_at=1)
    with pytest.raises(TrainingFailed, match="--resume"):
        train.pretrain(recipe, room(tmp_path, "run"), resume=False, tell=print, show=print)
    recipe.write_text(RECIPE.replace("size = 320", "size = 330"), "utf-8")
    with pytest.raises(RecipeFault, match="prepared from other sources"):
        train.pretrain(recipe, room(tmp_path, "run"), resume=True, tell=print, show=print)


def test_nothing_is_exported_without_a_checkpoint(recipe, tmp_path):
    """The error says what to run first."""
    with pytest.raises(ExportFailed, match="primeur train pretrain"):
        train.export(recipe, tmp_path / "nowhere", "a machine")
    with pytest.raises(RecipeFault, match="cannot be read"):
        train.export(tmp_path / "none.toml", tmp_path, "a machine")
