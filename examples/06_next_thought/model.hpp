// The model of stlm_next_thought, its command-line options, and its questions.
#pragma once

#include <iostream>

#include <stlm/stlm.hpp>

#include "../common/options.hpp"
#include "questions.hpp"

struct Config : stlm::NextThoughtDefaults {
  static constexpr int dim = 64, heads = 4, ffn_dim = 128, decoder_layers = 2, prefixes = 8;
  static constexpr stlm::PoolShape pools[] = {{.width = 96, .drop_per_mille = 300}, {.width = 192, .drop_per_mille = 500}};
};
using Model = stlm::NextThought<Config>;

struct Options : example::RunOptions {
  Options()
      : RunOptions{.out = "next-thought-out",
                   .usual_seconds = 90,
                   .sampling = {.max_bytes = Config::max_tokens, .temperature = 0}} {}

  std::string data;
  stlm::QuestionAnswerFields fields;
  stlm::Index batch = 64;
};

/// The built-in questions, or the pairs of a file with at most `Config::max_tokens` tokens in the question and in the
/// answer with its end.
inline example::Questions open_questions(const Options& o) {
  if (o.data.empty()) return example::make_questions(20'000, 300);
  auto pairs = stlm::read_question_answers(o.data, o.fields);
  const auto long_ones = std::erase_if(pairs, [](const stlm::QuestionAnswer& pair) {
    return std::max(pair.question.size(), pair.answer.size() + 1) > std::size_t{Config::max_tokens};
  });
  if (long_ones > 0) std::cout << long_ones << " pairs longer than " << Config::max_tokens << " tokens left out\n";
  const auto cut = static_cast<std::ptrdiff_t>(static_cast<double>(pairs.size()) * (1 - o.held_out));
  if (cut == 0 || cut == std::ssize(pairs))
    throw stlm::Error("--data: " + o.data + " has too few pairs, " + std::to_string(pairs.size()) + ", to hold some out.");
  return {{pairs.begin(), pairs.begin() + cut}, {pairs.begin() + cut, pairs.end()}};
}
