// What all training examples can be asked for.
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

/// When a training run ends, and where it leaves what.
struct RunOptions {
  std::string out = "stlm-out";
  std::int64_t steps = 0;
  double max_seconds = 0, checkpoint_seconds = 30;
  int usual_seconds = 215;  // when neither steps nor a time are given
  bool resume = false;
};

struct Options : RunOptions {
  // train
  std::vector<std::string> data;
  std::string val, separator;
  double held_out = 0.1;
  std::optional<double> dropout;
  // generate, info
  std::string weights = "stlm-out/model.safetensors", prompt = "\n";
  stlm::SampleOptions sampling{.max_bytes = 400, .temperature = 0.8};
  // all
  std::string device = "cpu";
  int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::uint64_t seed = 489;
  std::string encoder, merges;  // of GPT-2's tokenizer, for models that need it
};

/// The finite number from 0 on that a text is; nothing where it is none.
inline std::optional<double> number_from_zero(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool is_one = end != text.c_str() && *end == 0 && std::isfinite(number) && number >= 0;
  return is_one ? std::optional(number) : std::nullopt;
}

}  // namespace example
