// The commands `train` and `generate` of stlm_next_thought, on one backend.
#pragma once

#include "../common/weights.hpp"
#include "../common/written.hpp"
#include "train.hpp"

template <class Backend>
int generate(const Options& o) {
  stlm::Context<Backend> ctx({.threads = o.threads, .seed = o.seed});
  stlm::Parameters<Model, Backend> params(ctx);
  example::load_weights(params, o.weights);
  stlm::Answerer<Model, Backend> answerer(ctx, Config::max_tokens);
  stlm::SampleOptions sampling = o.sampling;
  sampling.seed = o.seed;
  answerer.answer(ctx, params, o.prompt, sampling, [](char c) { std::cout << c << std::flush; });
  std::cout << "\n";
  example::expect_written();
  return 0;
}

/// Runs `train` or `generate`.
template <class Backend>
int run_on(const std::string& command, const Options& o) {
  return command == "train" ? TrainingRun<Backend>(o).run() : generate<Backend>(o);
}
/// The same on a GPU, defined in stlm_next_thought.cu, which nvcc compiles.
int run_on_cuda(const std::string& command, const Options& o);
