// A row of the bits-per-byte comparison: one model of about a million parameters, trained for a given time on the first
// nine tenths of a text and scored on the last tenth. Ends with the JSON line of the example programs.
#pragma once

#include <stlm/backend/eigen.hpp>

#include "../../examples/common/command_line.hpp"
#include "../../examples/common/train.hpp"

namespace quality {

/// Runs the program that `app` names and describes; calls `reading(training text)` after parsing the command line.
template <class Model, class MakeReading>
int run_row(CLI::App& app, int argc, char** argv, stlm::BatchShape shape, const MakeReading& reading) {
  static_assert(stlm::num_params<Model> >= 950'000 && stlm::num_params<Model> <= 1'050'000);
  example::Options o;
  o.checkpoint_seconds = std::numeric_limits<double>::infinity();  // no checkpoints but the first and the last
  double lr = 0.02;
  app.add_option("--data", o.data, "Text file")->required()->expected(1)->check(CLI::ExistingFile);
  app.add_option("--max-seconds", o.max_seconds, "Training time, scoring not counted")->check(example::finite(false));
  app.add_option("--steps", o.steps, "Stop after this many steps")->check(example::finite(false));
  app.add_option("--lr", lr, "Of Muon; 0.4 of it of AdamW")->check(example::finite(false))->capture_default_str();
  app.add_option("--dropout", o.dropout, "Probability of dropping an activation (default: 0)")
      ->check(example::finite(true))
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--threads", o.threads)->check(CLI::Range(1, 1024))->capture_default_str();
  example::add_seed(app, o.seed);
  app.add_option("--out", o.out, "Folder for weights and metrics")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    const example::Recipe recipe{.shape = shape, .optimizer = {.lr = lr, .adamw = {.lr = 0.4 * lr, .weight_decay = 0}}};
    using ReadingOf = decltype(reading(stlm::ByteText::from_files(o.data)));
    return example::TrainingRun<Model, ReadingOf>(o, recipe, reading(example::open_corpus(o).train)).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return 1;
  }
}

}  // namespace quality
