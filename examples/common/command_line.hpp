// The command line that all training examples share.
#pragma once

#include <limits>

#include <CLI/CLI.hpp>

#include "options.hpp"

namespace example {

/// Accepts a finite number above 0, and also 0 if it `may_be_zero`.
inline CLI::Validator finite(bool may_be_zero) {
  const std::string range = may_be_zero ? "a number from 0 on" : "a number above 0";
  return {[=](const std::string& text) {
            const auto number = number_from_zero(text);
            const bool fits = number && (may_be_zero || *number > 0);
            return fits ? std::string() : "expected " + range + ", found " + text;
          },
          range, "finite"};
}
[[noreturn]] inline void fail_without_cuda() {
  throw stlm::Error("--device cuda: this program was built without a GPU; build it with -D STLM_WITH_CUDA=ON.");
}

/// Without the range check, CLI11 would read a number that is too large as the largest seed.
inline void add_seed(CLI::App& command, std::uint64_t& seed) {
  constexpr auto most = static_cast<double>(std::numeric_limits<std::uint64_t>::max() - 2047);
  command.add_option("--seed", seed, "Of every random number")
      ->check(finite(true))
      ->check(CLI::Range(0.0, most))
      ->capture_default_str();
}
inline void add_machine(CLI::App& command, RunOptions& o) {
  command.add_option("--device", o.device, "cpu, or cuda where the program was built with STLM_WITH_CUDA")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  command.add_option("--threads", o.threads, "Results do not depend on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  add_seed(command, o.seed);
}
inline CLI::Option* add_held_out(CLI::App& train, RunOptions& o, CLI::Option* data) {
  return train.add_option("--held-out", o.held_out, "Part of the data held out, at its end")
      ->check(finite(false))
      ->check(CLI::Range(0.001, 0.9))
      ->needs(data)
      ->capture_default_str();
}
inline void add_weights(CLI::App& command, RunOptions& o) {
  command.add_option("--weights", o.weights, "Weights or a checkpoint, saved by train")->capture_default_str();
}
inline void add_generate(CLI::App& generate, RunOptions& o) {
  add_weights(generate, o);
  generate.add_option("--temperature", o.sampling.temperature, "0 takes the likeliest byte")
      ->check(finite(true))
      ->capture_default_str();
}
inline void add_run(CLI::App& train, RunOptions& o) {
  train.add_option("--steps", o.steps, "Stop after this many steps")->check(finite(false));
  train.add_option("--max-seconds", o.max_seconds,
                   "Stop after this time (default: " + std::to_string(o.usual_seconds) + ", without --steps)")
      ->check(finite(false));
  train.add_option("--out", o.out, "Folder for weights, checkpoint and metrics")->capture_default_str();
  train.add_option("--checkpoint-seconds", o.checkpoint_seconds, "Time between checkpoints")
      ->check(finite(true))
      ->capture_default_str();
  train.add_option("--eval-every", o.eval_every, "Steps between scores of the held-out part; 0: only at the end")
      ->check(finite(true))
      ->capture_default_str();
  train.add_flag("--resume", o.resume, "Continue from the checkpoint in --out; without it, that one is kept as *.old");
}

/// The subcommands `train`, `generate`, `choose` and `info`; exactly one must be given. `gpt2`: the model needs GPT-2's
/// tokenizer.
inline void add_commands(CLI::App& app, Options& o, bool gpt2) {
  app.require_subcommand(1);
  auto* train = app.add_subcommand("train", "Train on text files, or on the built-in stories");
  auto* data = train->add_option("--data", o.data, "Text files, any bytes (default: the built-in stories)");
  data->check(CLI::ExistingFile);
  auto* val = train->add_option("--val", o.val, "Held-out file (default: the last part of the data)");
  val->check(CLI::ExistingFile)->needs(data);
  add_held_out(*train, o, data)->excludes(val);
  train->add_option("--separator", o.separator, "Text that separates documents, such as <|endoftext|>")->needs(data);
  train->add_option("--dropout", o.dropout,
                    "Probability of dropping an activation (default: that of the program for files, which are read many "
                    "times; 0 for the stories)")
      ->check(finite(true))
      ->check(CLI::Range(0.0, 0.9));
  train->add_option("--micro-batches", o.micro_batches, "Batches whose gradients make up a step")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  add_run(*train, o);

  auto* generate = app.add_subcommand("generate", "Continue a prompt with trained weights");
  add_generate(*generate, o);
  generate->add_option("--prompt", o.prompt, "Text to continue (default: a line break)");
  generate->add_option("--max-bytes", o.sampling.max_bytes, "Length")->check(CLI::NonNegativeNumber)->capture_default_str();
  generate->add_option("--top-k", o.sampling.top_k, "Draw among the k likeliest bytes; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  generate->add_option("--min-p", o.sampling.min_p, "Draw among bytes with this part of the likeliest's probability")
      ->check(finite(true))
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  generate->add_option("--top-p", o.sampling.top_p, "Draw among the fewest likeliest bytes that hold this part")
      ->check(finite(false))
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  generate->add_flag("--utf8", o.sampling.utf8, "Draw only bytes that keep the text valid UTF-8");

  auto* choose = app.add_subcommand("choose", "Answer multiple-choice questions, such as BLiMP's, by likelihood");
  add_weights(*choose, o);
  choose->add_option("--questions", o.questions, "JSON lines, each {\"prefix\", \"options\"} or a pair of sentences")
      ->check(CLI::ExistingFile)
      ->required();

  app.add_subcommand("info", "Print the model: tensors, parameters, memory");
  for (auto* command : {train, generate, choose}) {
    add_machine(*command, o);
    if (!gpt2) continue;
    command->add_option("--encoder", o.encoder, "GPT-2's encoder.json")->check(CLI::ExistingFile)->required();
    command->add_option("--merges", o.merges, "GPT-2's vocab.bpe")->check(CLI::ExistingFile)->required();
  }
}

}  // namespace example
