// Built-in questions: small sums, words to reverse, letters to sort. A pure function of the question's number.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <stlm/core/random.hpp>
#include <stlm/data/question_answer.hpp>

namespace example {

inline stlm::QuestionAnswer make_question(stlm::RandomKey key) {
  std::uint64_t drawn = 0;
  const auto below = [&](std::uint64_t bound) { return static_cast<int>(stlm::random_below(key, drawn++, bound)); };
  const auto one_of = [&](std::string_view letters) { return letters[static_cast<std::size_t>(below(letters.size()))]; };
  const int kind = below(3);
  if (kind == 0) {
    const int a = below(100), b = below(100);
    return {std::to_string(a) + " + " + std::to_string(b) + "?", std::to_string(a + b)};
  }
  std::string word;
  if (kind == 1) {
    for (int syllables = 1 + below(2); syllables > 0; --syllables) word += {one_of("bdfgklmnprst"), one_of("aeiou")};
    return {word + " backwards?", {word.rbegin(), word.rend()}};
  }
  for (int letters = 2 + below(3); letters > 0; --letters) word += one_of("abcdefghijklmnopqrstuvwxyz");
  std::string sorted = word;
  std::sort(sorted.begin(), sorted.end());
  return {word + " sorted?", sorted};
}

struct Questions {
  std::vector<stlm::QuestionAnswer> train, held_out;
};

/// Questions to train on, drawn one by one, and held-out questions, none of which is among the former.
inline Questions make_questions(std::size_t train, std::size_t held_out) {
  Questions all;
  std::set<std::string> kept_back;
  for (std::uint64_t n = 0; all.train.size() < train; ++n) {
    stlm::QuestionAnswer pair = make_question(stlm::RandomKey::from_seed(1).fold(n));
    if (kept_back.size() < held_out ? kept_back.insert(pair.question).second : !kept_back.contains(pair.question))
      (all.held_out.size() < held_out ? all.held_out : all.train).push_back(std::move(pair));
  }
  return all;
}

}  // namespace example
