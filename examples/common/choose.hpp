// The command `choose` for any model over bytes.
#pragma once

#include <iostream>

#include <nlohmann/json.hpp>

#include <stlm/eval/multiple_choice.hpp>

#include "options.hpp"
#include "reading.hpp"
#include "report.hpp"
#include "weights.hpp"
#include "written.hpp"

namespace example {

/// Prints the accuracy for each file of questions, and then the mean over files as JSON.
template <class Model, class Backend>
int choose(const Options& o, const Reading<Model, Backend>& reading) {
  stlm::Context<Backend> ctx({.threads = o.threads, .seed = o.seed});
  stlm::Parameters<Model, Backend> params(ctx);
  load_weights(params, o.weights);
  stlm::Activations<Model, Backend> acts(ctx, {1, reading.shape.tokens});
  const auto nats = [&](const std::string& text) {
    return stlm::evaluate(ctx, params, acts, reading.cut(stlm::ByteText::from_string(text))).nats;
  };
  stlm::ChoiceScore mean;
  const auto files = static_cast<double>(o.questions.size());
  for (const std::string& path : o.questions) {
    const stlm::ChoiceScore score = stlm::score_choices(stlm::read_choices(path), nats);
    std::cout << format("%5.1f %% right (+- %.1f), by byte %5.1f %%, chance %.1f %%, %6.0f questions: ", 100 * score.accuracy,
                        100 * score.standard_error(), 100 * score.byte_accuracy, 100 * score.chance,
                        static_cast<double>(score.questions))
              << path << std::endl;
    mean.questions += score.questions;
    mean.accuracy += score.accuracy / files;
    mean.byte_accuracy += score.byte_accuracy / files;
    mean.path_confidence += score.path_confidence / files;
    mean.chance += score.chance / files;
  }
  const nlohmann::ordered_json summary{{"questions", mean.questions},
                                       {"accuracy", mean.accuracy},
                                       {"byte_accuracy", mean.byte_accuracy},
                                       {"path_confidence", mean.path_confidence},
                                       {"chance", mean.chance}};
  std::cout << summary.dump() << "\n";
  expect_written();
  return 0;
}

}  // namespace example
