// The embedded corpus: short English stories drawn from a grammar, and the entropy that no model of them can beat.
//
//   opening = One [cold] [day], [hero] went to the [place]. {He} saw a [creature]. | ... ;
//   hero/he/his = Anna/she/her | Ben/he/his ;
//
// A rule is a name and its rows; all rows of a rule are equally likely, and every draw is independent of all others.
//   [name]   draws a row and writes it
//   {name}   writes the row drawn last once more; a capital ({He}) begins a sentence
// A rule with several names has that many columns: one draw of a hero settles the name and the pronouns.
//
// Two interpreters walk the same rules: `write` draws a story, `entropy` sums what the draws are worth. With n rows,
//   bits[name]  = log2 n + bits{name},    bits{name}  = mean over rows of the sum of bits of the mentions in it,
//   bytes[name] = bytes{name}           = mean over rows of the sum of bytes of the text and the mentions in it:
// exact, because how often a rule is mentioned never depends on which of its rows was drawn. The bits of a story are
// the bits of its draws, because a story can be read back: no text of a row begins a text of another row of its rule.
// Throws stlm::Error for rules that do not fit together.
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <stlm/core/error.hpp>
#include <stlm/core/random.hpp>
#include <stlm/data/detail/story_rules.hpp>

namespace stlm {

/// Expected bits of information and bytes of text of a story, blank line included.
struct StoryEntropy {
  double bits_per_story = 0, bytes_per_story = 0;
  constexpr double bits_per_byte() const { return bits_per_story / bytes_per_story; }
};

/// Rules as above, ready to be drawn from. The first rule is the story; a rule mentions only rules below it.
class StoryGrammar {
 public:
  struct Piece {
    std::string text;                     ///< written as it stands,
    Index rule = -1;                      ///< followed by a mention of this rule, if any
    std::size_t column = 0;               ///< which of its names is mentioned
    bool draws = false, capital = false;  ///< [name] or {name}; {Name} or {name}
  };
  using Text = std::vector<Piece>;
  struct Rule {
    std::vector<std::string> names;
    std::vector<std::vector<Text>> rows;  ///< rows[row][column]
  };

  explicit StoryGrammar(std::string_view source = detail::story_rules) {
    std::vector<std::string> bodies;
    for (const std::string& rule : split(source, ';')) {
      if (rule.empty()) continue;
      const auto sides = split(rule, '=');
      expect<Error>(sides.size() == 2, "stlm::StoryGrammar: expected 'name = rows;', found '", rule, "'.");
      rules_.push_back({split(sides[0], '/'), {}});
      bodies.push_back(sides[1]);
    }
    expect<Error>(!rules_.empty(), "stlm::StoryGrammar: expected at least one rule 'name = rows;', found none.");
    for (std::size_t r = 0; r < rules_.size(); ++r)
      for (const std::string& row : split(bodies[r], '|')) {
        std::vector<Text> columns;
        for (const std::string& column : split(row, '/')) columns.push_back(parse(column, static_cast<Index>(r)));
        expect<Error>(columns.size() == rules_[r].names.size(), "stlm::StoryGrammar: expected ",
                      rules_[r].names.size(), " columns in a row of '", rules_[r].names[0], "', found '", row, "'.");
        rules_[r].rows.push_back(columns);
      }
    story_ = parse("[" + rules_[0].names[0] + "]\n\n", -1);
  }

  /// The story of this key.
  std::string write(RandomKey key) const {
    Draft draft{key, 0, std::vector<Index>(rules_.size(), -1), {}};
    write(story_, draft);
    return draft.text;
  }

  /// Of a story.
  StoryEntropy entropy() const { return entropy(story_); }

  const Text& story() const { return story_; }
  const std::vector<Rule>& rules() const { return rules_; }
  const Rule& rule(Index index) const { return rules_[static_cast<std::size_t>(index)]; }

 private:
  struct Draft {
    RandomKey key;
    std::uint64_t draws;
    std::vector<Index> row;  // drawn last, of every rule
    std::string text;
  };

  void write(const Text& text, Draft& draft) const {
    for (const Piece& piece : text) {
      draft.text += piece.text;
      if (piece.rule < 0) continue;
      const auto& rows = rule(piece.rule).rows;
      Index& row = draft.row[static_cast<std::size_t>(piece.rule)];
      if (piece.draws) row = static_cast<Index>(random_below(draft.key, draft.draws++, rows.size()));
      expect<Error>(row >= 0, "stlm::StoryGrammar: {", rule(piece.rule).names[piece.column],
                    "} is mentioned before anything was drawn from its rule; write [ ] around the first mention.");
      const std::size_t start = draft.text.size();
      write(rows[static_cast<std::size_t>(row)][piece.column], draft);
      if (piece.capital) draft.text[start] = upper(draft.text[start]);
    }
  }

  StoryEntropy entropy(const Text& text) const {
    StoryEntropy sum;
    for (const Piece& piece : text) {
      sum.bytes_per_story += static_cast<double>(piece.text.size());
      if (piece.rule < 0) continue;
      const auto& rows = rule(piece.rule).rows;
      const double count = static_cast<double>(rows.size());
      if (piece.draws) sum.bits_per_story += std::log2(count);
      for (const auto& row : rows) {
        const StoryEntropy part = entropy(row[piece.column]);
        sum.bits_per_story += part.bits_per_story / count;
        sum.bytes_per_story += part.bytes_per_story / count;
      }
    }
    return sum;
  }

  // The pieces of a text that stands in rule number `above`.
  Text parse(std::string_view text, Index above) const {
    Text pieces;
    while (!text.empty()) {
      const std::size_t open = text.find_first_of("[{"), close = text.find_first_of("]}", open);
      pieces.push_back({std::string(text.substr(0, open))});
      if (open == text.npos) break;
      expect<Error>(close != text.npos, "stlm::StoryGrammar: expected a closing bracket in '", text, "'.");
      mention(std::string(text.substr(open + 1, close - open - 1)), above, pieces.back());
      pieces.back().draws = text[open] == '[';
      text.remove_prefix(close + 1);
    }
    return pieces;
  }

  void mention(std::string name, Index above, Piece& piece) const {
    piece.capital = !name.empty() && name[0] >= 'A' && name[0] <= 'Z';
    if (piece.capital) name[0] = static_cast<char>(name[0] - 'A' + 'a');
    for (piece.rule = above + 1; piece.rule < static_cast<Index>(rules_.size()); ++piece.rule)
      for (piece.column = 0; piece.column < rule(piece.rule).names.size(); ++piece.column)
        if (rule(piece.rule).names[piece.column] == name) return;
    fail<Error>("stlm::StoryGrammar: '", name, "' is mentioned, but no rule of this name stands below; add one.");
  }

  // The parts between separators, every run of white space made one space.
  static std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts(1);
    bool space = false;
    for (const char c : text) {
      if (c == separator) {
        parts.emplace_back();
      } else if (c != ' ' && c != '\n') {
        if (space && !parts.back().empty()) parts.back() += ' ';
        parts.back() += c;
      }
      space = c == ' ' || c == '\n';
    }
    return parts;
  }

  static char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

  std::vector<Rule> rules_;
  Text story_;
};

/// At least `bytes` bytes of whole stories, a blank line after each. Story i is a function of `seed` and i alone.
inline std::string make_stories(std::uint64_t seed, std::size_t bytes) {
  const StoryGrammar grammar;
  std::string text;
  for (std::uint64_t i = 0; text.size() < bytes; ++i) text += grammar.write(RandomKey::from_seed(seed).fold(i));
  return text;
}

/// The exact entropy of the stories of `make_stories`: the floor of any model's bits per byte on them.
inline StoryEntropy story_entropy() { return StoryGrammar().entropy(); }

}  // namespace stlm
