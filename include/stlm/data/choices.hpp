// Choice: a question with options to choose from. read_choices: questions from JSON lines.
//
//   {"prefix": "The sky is", "options": [" blue.", " soup."]}                       the first option is right
//   {"prefix": "2 + 2 =", "options": [" 3", " 4", " 5"], "answer": 1}               option 1 is right, counted from 0
//   {"sentence_good": "He sees himself.", "sentence_bad": "He sees herself."}       a minimal pair, as in BLiMP
//
// The last form is that of BLiMP (Warstadt et al. 2020). All other fields are skipped.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <stlm/io/detail/line_reader.hpp>

namespace stlm {

/// Each option continues the prefix, which may be empty. The first option is right.
struct Choice {
  std::string prefix;
  std::vector<std::string> options;

  /// Whether there is a choice: at least two options, none empty.
  bool complete() const { return options.size() >= 2 && !std::ranges::count(options, ""); }
};

namespace detail {
/// One line of a file of choices.
inline Choice choice_of(std::string_view line, const std::string& where) {
  Choice choice;
  std::optional<std::string> good, bad;
  std::uint64_t answer = 0;
  JsonReader json(line, where);
  json.object([&](const std::string& key) {
    if (key == "prefix")
      choice.prefix = json.string();
    else if (key == "options")
      choice.options = json.strings();
    else if (key == "answer")
      answer = json.integer();
    else if (key == "sentence_good")
      good = json.string();
    else if (key == "sentence_bad")
      bad = json.string();
    else
      json.skip();
  });
  json.end();
  if (good && bad && choice.options.empty()) choice.options = {*good, *bad};
  expect<FileError>(choice.complete(), where,
                    ": expected \"options\", at least two and none empty, or \"sentence_good\" and \"sentence_bad\", found ",
                    choice.options.size(), " options; correct the line or leave it out.");
  expect<FileError>(answer < choice.options.size(), where, ": expected the \"answer\" to be one of ", choice.options.size(),
                    " options, counted from 0, found ", answer, "; correct the line or leave it out.");
  std::swap(choice.options.front(), choice.options[answer]);
  return choice;
}
}  // namespace detail

/// All choices of a file; empty lines are skipped. Throws FileError naming file and line if a line is not of these forms.
inline std::vector<Choice> read_choices(const std::string& path) {
  detail::LineReader lines(path, "stlm::read_choices");
  std::vector<Choice> choices;
  while (lines.next())
    if (!lines.blank()) choices.push_back(detail::choice_of(lines.line(), lines.where()));
  expect<FileError>(!choices.empty(), "stlm::read_choices: \"", path, "\" is empty; give a file of JSON lines.");
  return choices;
}

}  // namespace stlm
