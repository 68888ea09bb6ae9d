// parse_rules: reads rules in the notation of story_grammar.hpp. Throws stlm::Error, naming the rule, if they do not fit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <stlm/core/config.hpp>
#include <stlm/core/error.hpp>

namespace stlm::detail {

/// Literal text, then a mention of a rule unless `rule` is negative.
struct StoryPiece {
  std::string text;
  Index rule = -1;
  std::size_t column = 0;  ///< which of the rule's names is mentioned
  bool draws = false;      ///< [name], not {name}
  bool capital = false;    ///< {Name}, not {name}
};
using StoryText = std::vector<StoryPiece>;

struct StoryRule {
  std::vector<std::string> names;            ///< one for each column
  std::vector<std::vector<StoryText>> rows;  ///< rows[row][column]
};

/// The trimmed parts between separators; every run of white space within a part becomes one space.
inline std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  bool space = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (c == separator) {
      parts.emplace_back();
    } else if (!blank) {
      if (space && !parts.back().empty()) parts.back() += ' ';
      parts.back() += c;
    }
    space = blank;
  }
  return parts;
}

/// Sets the rule and the column that `name` means. It searches only the rules from `first` on, so that no rule can
/// mention itself and every story ends.
inline void find_rule(const std::vector<StoryRule>& rules, std::size_t first, std::string_view name,
                      StoryPiece& piece) {
  for (std::size_t rule = first; rule < rules.size(); ++rule)
    for (std::size_t column = 0; column < rules[rule].names.size(); ++column)
      if (rules[rule].names[column] == name) {
        piece.rule = static_cast<Index>(rule);
        piece.column = column;
        return;
      }
  fail("stlm::StoryGrammar: '", name, "' is mentioned by '", rules[first - 1].names[0],
       "', but no rule below that one has this name; add it, or move it there.");
}

inline StoryText parse_text(const std::vector<StoryRule>& rules, std::size_t above, std::string_view text) {
  StoryText pieces;
  while (!text.empty()) {
    const std::size_t open = text.find_first_of("[{");
    StoryPiece& piece = pieces.emplace_back();
    piece.text = text.substr(0, open);
    if (open == text.npos) break;
    const std::size_t close = text.find(text[open] == '[' ? ']' : '}', open);
    expect<Error>(close != text.npos && close > open + 1, "stlm::StoryGrammar: expected [name] or {name} in a row of '",
                  rules[above].names[0], "', found '", text.substr(open), "'.");
    std::string name(text.substr(open + 1, close - open - 1));
    piece.draws = text[open] == '[';
    piece.capital = name[0] >= 'A' && name[0] <= 'Z';
    if (piece.capital) name[0] = static_cast<char>(name[0] - 'A' + 'a');
    find_rule(rules, above + 1, name, piece);
    text.remove_prefix(close + 1);
  }
  return pieces;
}

inline std::vector<StoryRule> parse_rules(std::string_view source) {
  std::vector<StoryRule> rules;
  std::vector<std::string> bodies;
  for (const std::string& rule : split(source, ';')) {
    if (rule.empty()) continue;
    const std::vector<std::string> sides = split(rule, '=');
    expect<Error>(sides.size() == 2, "stlm::StoryGrammar: expected 'name = rows;', found '", rule, "'.");
    rules.push_back({split(sides[0], '/'), {}});
    bodies.push_back(sides[1]);
  }
  expect<Error>(!rules.empty(), "stlm::StoryGrammar: expected at least one rule 'name = rows;', found none.");
  for (std::size_t rule = 0; rule < rules.size(); ++rule)
    for (const std::string& row : split(bodies[rule], '|')) {
      std::vector<StoryText>& columns = rules[rule].rows.emplace_back();
      for (const std::string& text : split(row, '/')) columns.push_back(parse_text(rules, rule, text));
      expect<Error>(columns.size() == rules[rule].names.size(), "stlm::StoryGrammar: expected ",
                    rules[rule].names.size(), " columns in a row of '", rules[rule].names[0], "', found '", row, "'.");
    }
  return rules;
}

}  // namespace stlm::detail
