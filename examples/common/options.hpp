// The options of the training examples.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <stlm/infer/sampler.hpp>

namespace example {

/// The options of every program.
struct RunOptions {
  // train
  std::string out = "stlm-out";
  std::int64_t steps = 0, eval_every = 0;
  double max_seconds = 0, checkpoint_seconds = 30, held_out = 0.1;
  int usual_seconds = 215;  // the limit if neither steps nor a time is given
  bool resume = false;
  // generate
  std::string weights = out + "/model.safetensors", prompt = "\n";
  stlm::SampleOptions sampling{.max_bytes = 400, .temperature = 0.8};
  // train, generate
  std::string device = "cpu";
  int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::uint64_t seed = 489;
};

/// Those of the programs whose model reads and writes texts.
struct Options : RunOptions {
  // train
  std::vector<std::string> data;
  std::string val, separator;
  std::optional<double> dropout;
  int micro_batches = 1;
  // choose
  std::vector<std::string> questions;
  // train, generate, choose
  std::string encoder, merges;  // of GPT-2's tokenizer, for models that need it
};

/// The finite number >= 0 that `text` holds; nullopt if it does not hold one.
inline std::optional<double> number_from_zero(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool is_one = end != text.c_str() && *end == 0 && std::isfinite(number) && number >= 0;
  return is_one ? std::optional(number) : std::nullopt;
}

}  // namespace example
