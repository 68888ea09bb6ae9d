// The whole program of one model over bytes: train, generate and info.
#pragma once

#include "generate.hpp"
#include "train.hpp"

namespace example {

/// `description` goes on after "A byte-level transformer of 787840 parameters: ".
template <class Model>
int run_program(int argc, char** argv, const std::string& name, const std::string& description, const Recipe& recipe) {
  Options options;
  CLI::App app("A byte-level transformer of " + std::to_string(stlm::num_params<Model>) + " parameters: " + description);
  constexpr bool gpt2 = reads_gpt2<Model>;
  add_commands(app, options, gpt2);
  CLI11_PARSE(app, argc, argv);
  try {
    Reading<Model> reading{recipe.shape};
    if constexpr (gpt2)
      if (!app.got_subcommand("info"))
        reading.boundary = stlm::TokenBoundary(
            std::make_shared<const stlm::BpeTokenizer>(stlm::load_gpt2(options.encoder, options.merges)));
    if (app.got_subcommand("train")) return TrainingRun<Model, Reading<Model>, stlm::fast_scalar<Backend>>(options, recipe, reading).run();
    if (app.got_subcommand("generate")) return generate<Model>(options, reading);
    return info<Model>(reading);
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << "\n";
    return 1;
  }
}

}  // namespace example
