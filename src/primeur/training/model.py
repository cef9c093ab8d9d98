"""A lean Llama in PyTorch with the parameter names transformers uses."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from primeur.training.rules import Shape

EPSILON = 1e-5
STRIP = 128
LONGEST_IN_STRIPS = 2048


def rotary_table(shape: Shape) -> tuple[Tensor, Tensor]:
    """Cosines and sines, float32, shape (context, head width), halves repeated as in Llama."""
    head = shape.width // shape.heads
    speeds = shape.rope_base ** (-torch.arange(0, head, 2, dtype=torch.float64) / head)
    angles = torch.arange(shape.context, dtype=torch.float64)[:, None] * speeds[None, :]
    angles = torch.cat([angles, angles], dim=1)
    return angles.cos().float(), angles.sin().float()


def rotate(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn each pair (i, i + half) of *heads*, shape (batch, heads, length, head width)."""
    low, high = heads.chunk(2, dim=-1)
    return heads * cosine + torch.cat([-high, low], dim=-1) * sine


def look_back(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Causal attention in strips, the part above the diagonal mostly skipped.

    Compiled for a CPU without matrix units this takes a third of the time of torch's fused
    kernel in bfloat16 (measured at 512 positions); odd and great lengths go to that kernel.
    """
    length = query.shape[2]
    if length % STRIP or length > LONGEST_IN_STRIPS:
        return functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    scale = query.shape[3] ** -0.5
    seen = []
    for start in range(0, length, STRIP):
        end = start + STRIP
        ahead = torch.ones(STRIP, end, dtype=torch.bool, device=query.device).triu(start + 1)
        scores = (query[:, :, start:end] @ key[:, :, :end].transpose(-1, -2)).float() * scale
        shares = torch.softmax(scores.masked_fill(ahead, float("-inf")), dim=-1)
        seen.append(shares.to(value.dtype) @ value[:, :, :end])
    return torch.cat(seen, dim=2)


class Norm(nn.Module):  # type: ignore[misc]
    """Root-mean-square norm, computed in float32."""

    def __init__(self, width: int) -> None:
        """Start from a gain of one."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, states: Tensor) -> Tensor:
        """Scale *states* to unit mean square, times the gain."""
        wide = states.float()
        scaled = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPSILON)
        return scaled.to(states.dtype) * self.weight


class Attention(nn.Module):  # type: ignore[misc]
    """Causal grouped-query attention."""

    def __init__(self, shape: Shape) -> None:
        """Make the four projections."""
        super().__init__()
        self.heads, self.key_heads, self.head = shape.heads, shape.key_heads, shape.width // shape.heads
        self.q_proj = nn.Linear(shape.width, shape.heads * self.head, bias=False)
        self.k_proj = nn.Linear(shape.width, shape.key_heads * self.head, bias=False)
        self.v_proj = nn.Linear(shape.width, shape.key_heads * self.head, bias=False)
        self.o_proj = nn.Linear(shape.heads * self.head, shape.width, bias=False)

    def split(self, states: Tensor, heads: int) -> Tensor:
        """Reshape (batch, length, heads x head) to (batch, heads, length, head)."""
        return states.view(states.shape[0], states.shape[1], heads, self.head).transpose(1, 2)

    def forward(self, states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Let each position look back."""
        query = rotate(self.split(self.q_proj(states), self.heads), cosine, sine)
        key = rotate(self.split(self.k_proj(states), self.key_heads), cosine, sine)
        value = self.split(self.v_proj(states), self.key_heads)
        groups = self.heads // self.key_heads
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
        seen = look_back(query, key, value)
        return self.o_proj(seen.transpose(1, 2).reshape(states.shape))


class FeedForward(nn.Module):  # type: ignore[misc]
    """SwiGLU."""

    def __init__(self, shape: Shape) -> None:
        """Make the three projections."""
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """Widen, gate, narrow."""
        return self.down_proj(functional.silu(self.gate_proj(states)) * self.up_proj(states))


class Layer(nn.Module):  # type: ignore[misc]
    """One Llama block, normed before each half."""

    def __init__(self, shape: Shape) -> None:
        """Make both halves."""
        super().__init__()
        self.input_layernorm, self.post_attention_layernorm = Norm(shape.width), Norm(shape.width)
        self.self_attn, self.mlp = Attention(shape), FeedForward(shape)

    def forward(self, states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Add what attention and feed-forward say."""
        states = states + self.self_attn(self.input_layernorm(states), cosine, sine)
        return states + self.mlp(self.post_attention_layernorm(states))


class Trunk(nn.Module):  # type: ignore[misc]
    """Embedding, layers and the last norm: transformers' ``model.*``."""

    def __init__(self, shape: Shape, vocabulary: int) -> None:
        """Make the layers."""
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, shape.width)
        self.layers = nn.ModuleList([Layer(shape) for _ in range(shape.layers)])
        self.norm = Norm(shape.width)


class Llama(nn.Module):  # type: ignore[misc]
    """The language model; the output shares the embedding's weights."""

    def __init__(self, shape: Shape, vocabulary: int) -> None:
        """Draw the first weights from torch's seeded generator."""
        super().__init__()
        self.model = Trunk(shape, vocabulary)
        cosine, sine = rotary_table(shape)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                last = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(weight, std=0.02 / ((2 * shape.layers) ** 0.5 if last else 1))

    def forward(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Predict the next token.

        Args:
            tokens: int64, shape (batch, length).
            positions: int64, same shape, below the context.

        Returns:
            Logits, shape (batch, length, vocabulary).
        """
        trunk = self.model
        states = trunk.embed_tokens(tokens)
        cosine = self.cosine[positions][:, None].to(states.dtype)
        sine = self.sine[positions][:, None].to(states.dtype)
        for layer in trunk.layers:
            states = layer(states, cosine, sine)
        return functional.linear(trunk.norm(states), trunk.embed_tokens.weight)


def weigh_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Mean cross-entropy in nats over positions whose weight is one; *targets* shape (batch, length)."""
    losses = functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none")
    return (losses * weights.flatten()).sum() / weights.sum().clamp(min=1)
