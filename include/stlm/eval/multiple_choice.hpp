// Multiple choice by likelihood: a model chooses the option that makes the likeliest text.
//
//   Activations<Model, Backend> acts(ctx, {.batch = 1, .tokens = 128});
//   const ChoiceScore score = score_choices(read_choices("blimp.jsonl"), [&](const std::string& text) {
//     return evaluate(ctx, params, acts, ByteText::from_string(text)).nats;
//   });
//   std::printf("%.1f %%\n", 100 * score.accuracy);
//
// The likelihood of an option is that of the prefix and the option together. Of equally likely options each counts in part.
// The measures are those of the STLM reference (arXiv 2405.14159), which also counts an end of text after each option.
#pragma once

#include <cmath>
#include <concepts>
#include <span>

#include <stlm/data/choices.hpp>

namespace stlm {

struct ChoiceScore {
  Index questions = 0;
  double chance = 0;           ///< the expected accuracy of a random choice
  double accuracy = 0;         ///< the part of the questions whose right option is the likeliest
  double byte_accuracy = 0;    ///< the same by likelihood per byte of the option, which favours short options less
  double path_confidence = 0;  ///< mean probability of the right option among the options
  double nats = 0;             ///< mean negative log-likelihood of prefix and right option

  /// Of the accuracy, for questions drawn at random.
  double standard_error() const { return std::sqrt(accuracy * (1 - accuracy) / static_cast<double>(questions)); }
};

namespace detail {
/// What choosing the option with the least cost scores: 1 if that is the first alone, 1/n if it is one of n.
inline double right_of(std::span<const double> costs) {
  const double least = *std::ranges::min_element(costs);
  return costs.front() > least ? 0 : 1 / static_cast<double>(std::ranges::count(costs, least));
}
}  // namespace detail

/// `nats(text)` returns the negative log-likelihood of a text. Throws NumericError if it is not finite.
template <std::invocable<const std::string&> Nats>
ChoiceScore score_choices(std::span<const Choice> choices, Nats&& nats) {
  expect<Error>(!choices.empty(), "stlm::score_choices: there is no question; give at least one.");
  ChoiceScore score{.questions = std::ssize(choices)};
  const auto cost = [&](const std::string& text) {
    const auto found = static_cast<double>(nats(text));
    expect<NumericError>(std::isfinite(found), "stlm::score_choices: the likelihood of a text is not finite; the weights are "
                                               "damaged.");
    return found;
  };
  std::vector<double> costs, byte_costs;
  for (const Choice& choice : choices) {
    expect<Error>(choice.complete(), "stlm::score_choices: expected at least two options, none empty, found ",
                  choice.options.size(), "; correct the question or leave it out.");
    const double before = choice.prefix.empty() ? 0 : cost(choice.prefix);
    costs.clear();
    byte_costs.clear();
    for (const std::string& option : choice.options) {
      costs.push_back(cost(choice.prefix + option));
      byte_costs.push_back((costs.back() - before) / static_cast<double>(option.size()));
    }
    double odds = 0;  // of all options against the right one
    for (const double other : costs) odds += std::exp(costs.front() - other);
    score.chance += 1 / static_cast<double>(costs.size());
    score.accuracy += detail::right_of(costs);
    score.byte_accuracy += detail::right_of(byte_costs);
    score.path_confidence += 1 / odds;
    score.nats += costs.front();
  }
  for (double* sum : {&score.chance, &score.accuracy, &score.byte_accuracy, &score.path_confidence, &score.nats})
    *sum /= static_cast<double>(score.questions);
  return score;
}

}  // namespace stlm
