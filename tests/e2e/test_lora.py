"""A LoRA adapter beside the starter's weights: it changes answers, and a request can scale it away."""

import httpx2
import pytest


@pytest.fixture
def adapter(tmp_path):
    """An adapter of rank four over every layer's widening matrix, filled by dice."""
    gguf = pytest.importorskip("gguf", reason="gguf writes the adapter; `make dev` installs it")
    numpy = pytest.importorskip("numpy", reason="numpy fills the adapter; `make dev` installs it")
    path, dice = tmp_path / "adapter.gguf", numpy.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    for layer in range(8):
        for name, shape in (("lora_a", (4, 192)), ("lora_b", (512, 4))):
            writer.add_tensor(f"blk.{layer}.ffn_up.weight.{name}", dice.normal(0, 0.5, shape).astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return str(path)


def said(service, model, **fields):
    body = {"model": model, "temperature": 0, "max_tokens": 12, **fields}
    body["messages"] = [{"role": "user", "content": "What is a house?"}]
    headers = {"authorization": f"Bearer {service.key}"}
    answer = httpx2.post(f"{service.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]["message"]["content"]


def test_an_adapter_changes_answers_and_can_be_scaled_away(service, starter, adapter):
    """At scale nought the answer is the base model's, token for token."""
    service.deploy("tuned", model=starter, engine="llamacpp", settings={"lora": [{"path": adapter, "scale": 1.0}]})
    try:
        assert said(service, "tuned") != said(service, starter)
        assert said(service, "tuned", lora=[{"id": 0, "scale": 0}]) == said(service, starter)
    finally:
        service.manage("DELETE", "/deployments/tuned")
