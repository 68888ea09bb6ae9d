// The commands `train`, `generate` and `choose` of one model, on one backend.
#pragma once

#include "choose.hpp"
#include "generate.hpp"
#include "train.hpp"

namespace example {

/// Runs `train`, `generate` or `choose`.
template <class Model, class Backend>
int run_on(const std::string& command, const Options& options, const Recipe& recipe) {
  using ReadingOf = Reading<Model, Backend>;
  ReadingOf reading{recipe.shape};
  if constexpr (reads_gpt2<Model>)
    reading.boundary = stlm::TokenBoundary(
        std::make_shared<const stlm::BpeTokenizer>(stlm::load_gpt2(options.encoder, options.merges)));
  if (command == "generate") return generate<Model, Backend>(options, reading);
  if (command == "choose") return choose<Model, Backend>(options, reading);
  return TrainingRun<Model, ReadingOf, stlm::fast_scalar<Backend>>(options, recipe, reading).run();
}

}  // namespace example
