#!/usr/bin/env python3
"""Writes what run.sh found: everything to NAME.json, tables to NAME.md.

    report.py --work build/gpu --out benchmarks/results/gpu

Each measured ratio stands beside its goal (README.md). The tables say what was not measured.
"""

import argparse
import datetime
import json
import pathlib
import platform
import subprocess
import sys

# Model, tokens a step; goals for tokens/s over PyTorch's best: at least, and aimed for.
TRAINING = [("10m", 2048, 1.3, 2.0), ("10m", 16384, 1.3, 1.6), ("10m", 65536, 1.2, 1.4), ("10m_lean", 65536, 1.2, 1.4),
            ("30m", 65536, 1.2, 1.35), ("50m", 4096, 1.15, 1.4), ("50m", 65536, 1.10, 1.3), ("100m", 4096, 1.05, 1.25), ("100m", 65536, 1.0, 1.12)]
# Model, texts at once; goals for tokens/s over PyTorch's decoding as a graph: at least, and aimed for.
GENERATION = [("10m", 1, 2.0, 3.0), ("10m", 64, 0, 0), ("50m", 1, 1.5, 2.5), ("50m", 64, 0, 0), ("100m", 1, 1.3, 1.8),
              ("100m", 64, 0, 0)]  # 0: no goal
# Model: goal for peak bytes over the least of PyTorch's settings, at most, at 65,536 tokens a step.
MEMORY = {"10m": 0.6, "10m_lean": 0.6, "50m": 0.5, "100m": 0.5}
# Kernel: goal for its rate over the probes around it: bytes/s over a copy's, FLOP/s over a large product's.
KERNELS = {"rms_norm_backward": 0.85, "adamw_step": 0.85, "cross_entropy_forward": 0.8, "cross_entropy_backward": 0.8}
TOKENS = 4  # compared for each text; after a choice between two nearly equally likely tokens, later ones may differ
SLOWER = 0.08  # the most that sums of a fixed order may cost
LOSSES = 10  # compared; later ones drift apart, because the model learns its one batch by heart


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip().splitlines()
    except (OSError, subprocess.TimeoutExpired):
        return []


def machine():
    names = ["name", "driver_version", "memory.total", "clocks.max.sm", "power.limit"]
    found = (said("nvidia-smi", "--query-gpu=" + ",".join(names), "--format=csv,noheader") or [""])[0].split(", ")
    nvcc = next((line for line in said("nvcc", "--version") if "release" in line), "")
    return {"gpu": dict(zip(names, found)), "nvcc": nvcc, "host_compiler": (said("g++", "--version") or [""])[0],
            "processor": platform.processor() or platform.machine(), "python": platform.python_version()}


def peer_of(model):
    """The model that PyTorch runs instead: it has none that recomputes its norms."""
    return model.removesuffix("_lean")


def measured(line):
    """The key of a line; a later line with the same key replaces it."""
    return tuple(line.get(key) for key in ["program", "system", "model", "setting", "batch", "deterministic", "kind", "name"])


class Lines:
    """The objects that the programs printed."""

    def __init__(self, lines):
        self.lines = lines

    def where(self, **wanted):
        return [line for line in self.lines if all(line.get(key) == value for key, value in wanted.items())]

    def best(self, key="tokens_per_second", **wanted):
        return max((line for line in self.where(**wanted) if key in line), key=lambda line: line[key], default=None)


def number(value, digits=3):
    return f"{value:,.{digits}g}" if abs(value) < 1000 else f"{value:,.0f}"


def table(header, rows):
    return ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)] + \
           ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows] + [""]


def verdict(ratio, must, stretch):
    return "**missed**" if ratio < must else "stretch" if ratio >= stretch else "met"


NOT = "not measured"


def training(lines):
    rows = []
    for model, tokens, must, stretch in TRAINING:
        work = {"program": "train_step", "model": model, "tokens_per_step": tokens}
        ours = lines.best(**work, system="stlm", setting="graph", deterministic=1)
        work["model"] = peer_of(model)
        peer = lines.best(**work, system="pytorch")
        compiled = lines.best(**work, system="pytorch", setting="compile")
        row = [model, f"{tokens:,}"]
        row += [number(ours["tokens_per_second"]) if ours else NOT]
        row += [f"{ours['tokens_per_second'] * ours['flops_per_token'] / 1e12:.0f}" if ours else ""]
        row += [f"{number(peer['tokens_per_second'])} ({peer['setting']})" if peer else NOT]
        goal = f"{must} / {stretch}"
        if ours and peer:
            ratio = lambda other: ours["tokens_per_second"] / other["tokens_per_second"]
            same = lambda other: all(abs(a - b) < 0.01 * b for a, b in zip(ours["loss"][:LOSSES], other["loss"][:LOSSES]))
            shown = lambda other: f"{ratio(other):.2f}" if same(other) else "other losses"
            row += [shown(peer), shown(compiled) if compiled else NOT, goal]
            row += [verdict(ratio(peer), must, stretch) if same(peer) else "**missed**"]
        else:
            row += [NOT, NOT, goal, ""]
        rows.append(row)
    return table(["model", "tokens a step", "stlm tokens/s", "TFLOP/s", "PyTorch's best", "ratio", "to compile", "goal", ""],
                 rows)


def settings(lines):
    """What the graph saves, and what a fixed order of sums costs."""
    rows = []
    for line in lines.where(program="train_step", system="stlm"):
        stream, free = line["setting"] == "stream", not line["deterministic"]
        usual = lines.best(program="train_step", system="stlm", model=line["model"], batch=line["batch"], setting="graph",
                           deterministic=1)
        if usual and (stream or free):
            what = "kernels one by one" if stream else "sums in any order"
            ratio = line["tokens_per_second"] / usual["tokens_per_second"]
            goal = "" if stream else "met" if ratio <= 1 / (1 - SLOWER) else "**missed**"
            rows.append([line["model"], f"{line['tokens_per_step']:,.0f}", what, number(line["tokens_per_second"]),
                         number(usual["tokens_per_second"]), f"{ratio:.2f}", goal])
    return table(["model", "tokens a step", "instead", "tokens/s", "as it is", "ratio", ""], rows)


def decoding(line):
    """Tokens/s after the first token, because PyTorch's pass over the prompt is neither compiled nor a part of its graph."""
    seconds = line["count"] * line["batch"] / line["tokens_per_second"] - line["first_token_ms"] * 1e-3
    return (line["count"] - 1) * line["batch"] / seconds


def generation(lines):
    """The goal is for Generator, which hands over each token; the rate with all tokens as one graph stands beside it."""
    rows = []
    for model, batch, must, stretch in GENERATION:
        work = {"program": "generate", "model": model, "batch": batch}
        peer = lines.best(**work, system="pytorch")
        ours, whole = (lines.best(**work, system="stlm", setting=setting) for setting in ("generator", "device"))
        ratio = lambda line: decoding(line) / decoding(peer)
        same = lambda line: line["tokens"][:TOKENS] == peer["tokens"][:TOKENS]
        shown = lambda line: NOT if not line or not peer else f"{ratio(line):.2f}" if same(line) else "other tokens"
        row = [model, batch, number(ours["tokens_per_second"]) if ours else NOT, number(ours["first_token_ms"]) if ours else "",
               number(peer["tokens_per_second"]) if peer else NOT, shown(ours), f"{must} / {stretch}" if must else ""]
        if ours and peer:
            row += ["**missed**" if not same(ours) else verdict(ratio(ours), must, stretch) if must else ""]
        else:
            row += [""]
        rows.append(row + [number(whole["tokens_per_second"]) if whole else NOT, shown(whole)])
    return table(["model", "texts", "Generator, tokens/s", "first token, ms", "PyTorch's graph", "ratio after the first", "goal",
                  "", "all tokens as one graph, tokens/s", "ratio"], rows)


def memory(lines):
    rows = []
    for model, most in MEMORY.items():
        ours = lines.best(program="train_step", system="stlm", model=model, tokens_per_step=65536, setting="graph",
                          deterministic=1)
        peers = lines.where(program="train_step", system="pytorch", model=peer_of(model), tokens_per_step=65536)
        peer = min((line for line in peers if "peak_bytes" in line), key=lambda line: line["peak_bytes"], default=None)
        row = [model] + [f"{x['peak_bytes'] / 1e9:.2f} GB" if x else NOT for x in (ours, peer)]
        if ours and peer:
            ratio = ours["peak_bytes"] / peer["peak_bytes"]
            row += [f"{ratio:.2f}", f"at most {most}", "met" if ratio <= most else "**missed**"]
        else:
            row += [NOT, f"at most {most}", ""]
        rows.append(row)
    return table(["model, 65,536 tokens a step", "stlm", "PyTorch, its least", "ratio", "goal", ""], rows)


def kernels(lines):
    def peak(name, key):
        found = [line[key] for line in lines.where(program="kernels", kind="probe", name=name) if key in line]
        return sum(found) / len(found) if found else None

    copy, product = peak("copy", "bytes_per_second"), peak("8192x8192x8192", "flops_per_second")
    if not copy or not product:
        return ["The kernels were " + NOT + ".", ""]
    rows = []
    for line in lines.where(program="kernels"):
        key, unit, scale, top = (("bytes_per_second", "GB/s", 1e9, copy) if "bytes" in line else
                                 ("flops_per_second", "TFLOP/s", 1e12, product))
        part, goal = line[key] / top, KERNELS.get(line["name"])
        rows.append([line["kind"], line["name"], f"{line['ms'] * 1e3:,.1f}", f"{line[key] / scale:,.0f} {unit}",
                     f"{part:.0%}", f"{goal:.0%}" if goal else "",
                     "" if not goal else "met" if part >= goal else "**missed**"])
    return table(["kind", "what", "µs", "rate", "of the peak", "goal", ""], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--commit", default="unknown")
    parser.add_argument("--command", default="")
    parser.add_argument("--arch", default="")
    parser.add_argument("--add", action="store_true",
                        help="to what NAME.json has of this commit and GPU, in place of what is measured again")
    args = parser.parse_args()
    if args.add and args.commit.endswith("-dirty"):
        parser.error(f"expected a commit to --add to, found {args.commit}, which may be another one each time; commit first")

    found = []
    for text in (args.work / "lines.jsonl").read_text().splitlines():
        try:
            found.append(json.loads(text))
        except ValueError:  # the line was cut off when its program ended
            pass
    names = ["stage", "status", "seconds", "command"]
    stages = [dict(zip(names, line.split("\t"))) for line in (args.work / "stages.tsv").read_text().splitlines()]
    for stage in stages:
        stage["seconds"] = int(stage["seconds"])
    about = {"date": datetime.date.today().isoformat(), "commit": args.commit, "command": args.command,
             "arch": args.arch} | machine()
    file = pathlib.Path(args.out + ".json")
    if args.add and file.exists():
        before = json.loads(file.read_text())
        if all(before["about"][key] == about[key] for key in ["commit", "gpu"]):
            about["command"] = before["about"]["command"] + "; " + about["command"]
            again = {measured(line) for line in found}
            found = [line for line in before["results"] if measured(line) not in again] + found
            stages = before["stages"] + stages
    file.write_text(
        json.dumps({"about": about, "stages": stages, "results": found}, indent=1) + "\n")

    lines, gpu = Lines(found), about["gpu"]
    versions = {line["version"] for line in found if "version" in line}
    text = [f"# GPU, {about['date']}, commit {args.commit}", ""]
    text += [f"{', '.join(value for value in gpu.values() if value) or 'unknown GPU'}; {about['nvcc']}; "
             f"{about['host_compiler']}; PyTorch {', '.join(versions) or 'not there'}. `{about['command']}`", ""]
    text += ["Written by `benchmarks/gpu/run.sh`; [README](../gpu/README.md): what is measured, how, and the goals.", ""]
    passed = [stage for stage in stages if stage["status"] == "passed"]
    text += ["## Correctness", "", f"{len(passed)} of {len(stages)} stages passed.", ""]
    rest = [[stage["stage"], stage["status"], stage["seconds"]] for stage in stages if stage["status"] != "passed"]
    text += table(["stage", "", "seconds"], rest) if rest else []
    text += ["## Training steps", ""] + training(lines)
    text += ["## Without graphs, and with sums in any order", ""] + settings(lines)
    text += ["## Memory", ""] + memory(lines)
    text += ["## Generation", "", "256 tokens after 32, greedily.", ""] + generation(lines)
    text += ["## Kernels", ""] + kernels(lines)
    pathlib.Path(args.out + ".md").write_text("\n".join(text).rstrip() + "\n")
    print(f"wrote {args.out}.json and {args.out}.md")


if __name__ == "__main__":
    sys.exit(main())
