"""What the programs of this folder share: options, and a model of llama.cpp from the weights that stlm wrote.

llama.cpp's architecture `llama` is that of the models b and c: its rotary positions turn the same pairs of neighbours, and
a file without an output matrix has a tied head. Queries, keys and values stay one matrix, as in stlm."""

import ctypes
import pathlib
import re
import sys
import tempfile

import gguf
import llama_cpp
import numpy as np
from safetensors.numpy import load_file

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from conversation import converse, parser  # noqa: E402

HEAD_DIM = 64
SCALARS = {"f32": gguf.GGMLQuantizationType.F32, "f16": gguf.GGMLQuantizationType.F16,
           "bf16": gguf.GGMLQuantizationType.BF16, "q8_0": gguf.GGMLQuantizationType.Q8_0}
NAMES = {"embedding": "token_embd", "head.norm": "output_norm", "core": "blk", "attention_norm": "attn_norm",
         "attention.qkv": "attn_qkv", "attention.out": "attn_output", "ffn.gate": "ffn_gate", "ffn.up": "ffn_up",
         "ffn.down": "ffn_down"}


def options():
    common = parser(SCALARS)
    common.add_argument("--kv", choices=["f32", "f16"], default="f32", help="of the keys and values kept")
    common.add_argument("--flash-attention", action="store_true")
    common.add_argument("--repack", type=int, default=1, help="0: weights stay as the file has them")
    return common.parse_args()


def write_gguf(path, tensors, scalar):
    """Writes matrices in `scalar` and vectors in f32."""
    vocabulary, dim = tensors["embedding.weight"].shape
    heads, layers = dim // HEAD_DIM, 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("core."))
    file = gguf.GGUFWriter(path, "llama")
    file.add_tokenizer_model("no_vocab")
    file.add_vocab_size(vocabulary)
    file.add_context_length(1024)
    file.add_embedding_length(dim)
    file.add_block_count(layers)
    file.add_feed_forward_length(len(tensors["core.0.ffn.up.weight"]))
    file.add_head_count(heads)
    file.add_head_count_kv(heads)
    file.add_rope_dimension_count(HEAD_DIM)
    file.add_rope_freq_base(10000.0)
    file.add_layer_norm_rms_eps(1e-6)
    for name, tensor in tensors.items():
        for ours, theirs in NAMES.items():
            name = re.sub(rf"\b{re.escape(ours)}\b", theirs, name)
        kind = scalar if tensor.ndim > 1 else gguf.GGMLQuantizationType.F32
        file.add_tensor(name, gguf.quants.quantize(tensor, kind), raw_dtype=kind)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


class Reader:
    """Reads `count` tokens at a time and returns the logits of all. The Python code takes 3 to 5 us for a token."""

    def __init__(self, args, count):
        tensors = load_file(args.weights)
        self.sequence = tensors.pop("tokens")  # from which every program takes its tokens
        self.shape = count, len(tensors["embedding.weight"])
        loading = llama_cpp.llama_model_default_params()
        loading.use_extra_bufts = bool(args.repack)
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/model.gguf"
            write_gguf(path, tensors, SCALARS[args.scalar])
            self.model = llama_cpp.llama_model_load_from_file(path.encode(), loading)
        context = llama_cpp.llama_context_default_params()
        context.n_ctx = context.n_batch = context.n_ubatch = 128
        context.n_threads = context.n_threads_batch = args.threads
        context.flash_attn_type = int(args.flash_attention)
        context.type_k = context.type_v = SCALARS[args.kv]
        self.context = llama_cpp.llama_init_from_model(self.model, context)
        self.memory = llama_cpp.llama_get_memory(self.context)
        self.tokens = (llama_cpp.llama_token * count)()
        self.wanted = (ctypes.c_int8 * count)(*[1] * count)
        self.batch = llama_cpp.llama_batch_get_one(self.tokens, count)
        self.batch.logits = self.wanted
        self.address = self.logits = None

    def forget(self):
        llama_cpp.llama_memory_clear(self.memory, False)

    def read(self):
        """Reads `tokens`, which follow those read before; returns their logits."""
        if llama_cpp.llama_decode(self.context, self.batch) != 0:
            raise RuntimeError("llama.cpp did not read the tokens; its log above says why")
        logits = llama_cpp.llama_get_logits(self.context)
        if self.address != (address := ctypes.addressof(logits.contents)):  # a new view takes as long as all the rest
            self.address, self.logits = address, np.ctypeslib.as_array(logits, self.shape)
        return self.logits


def nats(logits, token):
    """-log p(token), p being the softmax of the logits."""
    logits = logits.astype(np.float64)
    return float(np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[token])
