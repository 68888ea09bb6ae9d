// The command `generate` for any model over bytes.
#pragma once

#include <iostream>

#include "options.hpp"
#include "reading.hpp"
#include "weights.hpp"
#include "written.hpp"

namespace example {

/// Prints the prompt and then its continuation, each byte as it is drawn.
template <class Model, class Backend>
int generate(const Options& o, const Reading<Model, Backend>& reading) {
  stlm::Context<Backend> ctx({.threads = o.threads, .seed = o.seed});
  stlm::Parameters<Model, Backend> params(ctx);
  load_weights(params, o.weights);
  auto generator = reading.generator(ctx);
  stlm::SampleOptions sampling = o.sampling;
  sampling.seed = o.seed;
  std::cout << o.prompt << std::flush;
  generator.generate(ctx, params, o.prompt, sampling, [](char c) { std::cout << c << std::flush; });
  std::cout << "\n";
  expect_written();
  return 0;
}

}  // namespace example
