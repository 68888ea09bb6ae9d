// The embedded corpus: short English stories drawn from a grammar, and their entropy, which no model can beat.
//
//   opening = [hero] went to a [quiet] [place]. {He} saw a [fox]. | A [fox] came to a [quiet] [place]. ;
//   hero/he/his = Anna/she/her | Ben/he/his ;
//
// A rule is a name and its rows. All rows of a rule are equally likely, and every draw is independent of all others.
//   [name]   draws a row and writes it
//   {name}   writes the row drawn last once more (what that row itself draws is drawn again)
//   {Name}   the same, beginning with a capital; [Name] likewise
// A rule with several names has as many columns: one draw of a hero settles the name and the pronouns.
//
// Two interpreters walk the same rules: `write` draws a story, `entropy` sums the information of the draws. For n rows,
//   bits [name] = log2 n + bits {name},    bits {name}  = mean over rows of the bits of all that a row mentions,
//   bytes[name] = bytes{name},             bytes{name}  = mean over rows of the bytes of its text and all it mentions.
// These are exact: a rule never mentions itself, so no draw decides how often its own rule is mentioned. The entropy of
// stories is the entropy of their draws, because the draws can be read back from a story: no text of a row is a prefix
// of a text of another row of the same rule (tested).
#pragma once

#include <cmath>

#include <stlm/core/random.hpp>
#include <stlm/data/detail/story_modifiers.hpp>
#include <stlm/data/detail/story_nouns.hpp>
#include <stlm/data/detail/story_plots.hpp>
#include <stlm/data/detail/story_rules.hpp>
#include <stlm/data/detail/story_verbs.hpp>

namespace stlm {

/// The expected information and length of a story, the blank line after it included.
struct StoryEntropy {
  double bits_per_story = 0, bytes_per_story = 0;
  constexpr double bits_per_byte() const { return bits_per_story / bytes_per_story; }
};

/// Rules that stories can be drawn from. The first is the story; every rule mentions only rules below it.
class StoryGrammar {
 public:
  using Text = detail::StoryText;

  /// The embedded stories.
  StoryGrammar()
      : StoryGrammar(std::string(detail::story_plots)
                         .append(detail::story_nouns)
                         .append(detail::story_modifiers)
                         .append(detail::story_verbs)) {}
  /// Rules of your own. Throws stlm::Error if they do not fit together.
  explicit StoryGrammar(std::string_view rules) : rules_(detail::parse_rules(rules)) {}

  /// The story of a key.
  std::string write(RandomKey key) const {
    Draft draft{key, 0, std::vector<Index>(rules_.size(), -1), {}};
    write(story(), draft);
    return draft.text;
  }

  /// Entropy and mean length of a story.
  StoryEntropy entropy() const { return entropy(story()); }

  const std::vector<detail::StoryRule>& rules() const { return rules_; }
  Text story() const { return {{"", 0, 0, true, false}, {"\n\n", -1, 0, false, false}}; }

 private:
  struct Draft {
    RandomKey key;
    std::uint64_t draws;
    std::vector<Index> row;  // the row drawn last, for every rule
    std::string text;
  };

  void write(const Text& text, Draft& draft) const {
    for (const auto& [words, rule, column, draws, capital] : text) {
      draft.text += words;
      if (rule < 0) continue;
      const auto& [names, rows] = rules_[static_cast<std::size_t>(rule)];
      Index& row = draft.row[static_cast<std::size_t>(rule)];
      if (draws) row = static_cast<Index>(random_below(draft.key, draft.draws++, rows.size()));
      expect<Error>(row >= 0, "stlm::StoryGrammar: {", names[column], "} repeats what was never drawn; write [",
                    names[0], "] where it is mentioned first.");
      const std::size_t start = draft.text.size();
      write(rows[static_cast<std::size_t>(row)][column], draft);
      if (char& first = draft.text[start]; capital && first >= 'a' && first <= 'z')
        first = static_cast<char>(first - 'a' + 'A');
    }
  }

  StoryEntropy entropy(const Text& text) const {
    StoryEntropy sum;
    for (const auto& [words, rule, column, draws, capital] : text) {
      sum.bytes_per_story += static_cast<double>(words.size());
      if (rule < 0) continue;
      const auto& [names, rows] = rules_[static_cast<std::size_t>(rule)];
      const double count = static_cast<double>(rows.size());
      if (draws) sum.bits_per_story += std::log2(count);
      for (const auto& row : rows) {
        const StoryEntropy mean = entropy(row[column]);
        sum.bits_per_story += mean.bits_per_story / count;
        sum.bytes_per_story += mean.bytes_per_story / count;
      }
    }
    return sum;
  }

  std::vector<detail::StoryRule> rules_;
};

/// Whole stories, a blank line after each, of at least `bytes` bytes in all. Story i depends on `seed` and i alone.
inline std::string make_stories(std::uint64_t seed, std::size_t bytes) {
  const StoryGrammar grammar;
  std::string text;
  for (std::uint64_t i = 0; text.size() < bytes; ++i) text += grammar.write(RandomKey::from_seed(seed).fold(i));
  return text;
}

/// The exact entropy of the stories of `make_stories`: the floor under any model's bits per byte on them.
inline StoryEntropy story_entropy() {
  return StoryGrammar().entropy();
}

}  // namespace stlm
