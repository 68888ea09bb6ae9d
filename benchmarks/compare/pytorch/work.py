"""What the programs of this folder share: options, the weights that stlm wrote, training steps, and the protocol between
../run and every system (../stlm/work.hpp)."""

import json
import math
import pathlib
import struct
import sys

import torch

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from conversation import converse, parser  # noqa: E402


def options(**defaults):
    common = parser(["f32", "bf16"])
    common.add_argument("--compile", choices=["default", "max-autotune-no-cudagraphs"], help="mode; eager without")
    for name, value in defaults.items():
        common.add_argument("--" + name, type=type(value), default=value)
    args = common.parse_args()
    torch.set_num_threads(args.threads)
    return args


def read_safetensors(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:begin])
    header.pop("__metadata__", None)
    types = {"F32": torch.float32, "I32": torch.int32}
    return {name: torch.frombuffer(data, dtype=types[entry["dtype"]], count=math.prod(entry["shape"]),
                                   offset=begin + entry["data_offsets"][0]).view(entry["shape"])
            for name, entry in header.items()}


def load(model, args):
    """Loads the weights into the model; returns the sequence from which every program takes its tokens."""
    tensors = read_safetensors(args.weights)
    tokens = tensors.pop("tokens").long()
    model.load_state_dict(tensors)
    return tokens


def compiled(function, args, **more):
    return torch.compile(function, mode=args.compile, **more) if args.compile else function


def adamw(model, decay):
    """AdamW with decay on tensors of rank 2 and more only, fused if this build of PyTorch has that for CPUs."""
    groups = [{"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": decay},
              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    numbers = {"lr": 1e-3, "betas": (0.9, 0.95), "eps": 1e-8}
    try:
        return torch.optim.AdamW(groups, fused=True, **numbers)
    except RuntimeError:
        return torch.optim.AdamW(groups, foreach=True, **numbers)


def train(model, tokens, targets, args, decay=0.1):
    """Repeats a training step on one batch; model(tokens, targets) is the loss."""
    optimizer = adamw(model, decay)
    loss_of = compiled(model, args)

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=args.scalar == "bf16"):
            loss = loss_of(tokens, targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    converse([step() for _ in range(3)], tokens.shape[0] * tokens.shape[1], step, args)
