// The embedded corpus: its texts, and that its entropy is exact. The test adds three interpreters to the library's two: one
// reads a story back into its draws, one looks for texts that two rows could share, one enumerates all stories.
#include <stlm/data/story_grammar.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

namespace {

using stlm::Index;
using stlm::StoryGrammar;
using Text = StoryGrammar::Text;

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}
char upper(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}
const stlm::detail::StoryRule& rule_of(const StoryGrammar& grammar, const stlm::detail::StoryPiece& piece) {
  return grammar.rules()[static_cast<std::size_t>(piece.rule)];
}

// Reads a story back from its text alone.
struct Reader {
  std::string_view text;
  std::size_t position = 0;
  double bits = 0;                           // of the draws read so far
  std::size_t longest_memory = 0;            // bytes between two mentions of the same draw
  std::array<std::int16_t, 128> row{};       // the row drawn last, for every rule
  std::array<std::size_t, 128> mentioned{};  // where the last mention of the rule ended

  bool take(std::string_view words, bool& capital) {
    for (const char c : words) {
      if (position == text.size() || text[position] != (capital ? upper(c) : c)) return false;
      capital = false;
      ++position;
    }
    return true;
  }

  bool read(const StoryGrammar& grammar, const Text& pieces, bool capital = false) {
    for (const auto& piece : pieces) {
      if (!take(piece.text, capital)) return false;
      if (piece.rule < 0) continue;
      const auto id = static_cast<std::size_t>(piece.rule);
      const auto& rows = rule_of(grammar, piece).rows;
      const bool begins = capital || piece.capital;
      capital = false;
      if (piece.draws) {
        std::vector<Reader> fitting;
        for (std::size_t i = 0; i < rows.size(); ++i) {
          Reader trial = *this;
          trial.row[id] = static_cast<std::int16_t>(i);
          trial.bits += std::log2(static_cast<double>(rows.size()));
          if (trial.read(grammar, rows[i][piece.column], begins)) fitting.push_back(trial);
        }
        if (fitting.empty()) return false;
        REQUIRE(fitting.size() == 1);
        *this = fitting[0];
      } else {
        longest_memory = std::max(longest_memory, position - mentioned[id]);
        if (!read(grammar, rows[static_cast<std::size_t>(row[id])][piece.column], begins)) return false;
      }
      mentioned[id] = position;
    }
    return true;
  }
};

// Whether a text of `a` can begin a text of `b`, or the other way round. If both sides have the same mention next, it is
// skipped: a repeated one has the same text on both sides; a drawn one is unambiguous if its own rule is (all are checked).
bool confusable(const StoryGrammar& grammar, Text a, Text b) {
  for (;;) {
    if (a.empty() || b.empty()) return true;
    std::string &x = a.front().text, &y = b.front().text;
    const std::size_t common = std::min(x.size(), y.size());
    for (std::size_t i = 0; i < common; ++i)
      if (lower(x[i]) != lower(y[i])) return false;
    x.erase(0, common);
    y.erase(0, common);
    for (Text* side : {&a, &b})
      if (side->front().text.empty() && side->front().rule < 0) side->erase(side->begin());
    if (a.empty() || b.empty()) return true;
    const auto p = a.front(), q = b.front();
    if (p.text.empty() && q.text.empty() && p.rule == q.rule && p.column == q.column && p.draws == q.draws) {
      a.erase(a.begin());
      b.erase(b.begin());
    } else if (p.text.empty() || q.text.empty()) {
      Text& side = p.text.empty() ? a : b;
      const auto mention = side.front();
      side.erase(side.begin());
      for (const auto& row : rule_of(grammar, mention).rows) {
        Text expanded = row[mention.column];
        expanded.insert(expanded.end(), side.begin(), side.end());
        if (&side == &a ? confusable(grammar, expanded, b) : confusable(grammar, a, expanded)) return true;
      }
      return false;
    }
  }
}

// The pairs of rows, as "rule: i, j", whose texts in a drawn column could be confused.
std::vector<std::string> confusable_rows(const StoryGrammar& grammar) {
  std::set<std::pair<Index, std::size_t>> drawn = {{0, 0}};
  for (const auto& rule : grammar.rules())
    for (const auto& row : rule.rows)
      for (const Text& text : row)
        for (const auto& piece : text)
          if (piece.rule >= 0 && piece.draws) drawn.insert({piece.rule, piece.column});
  std::vector<std::string> found;
  for (const auto& [id, column] : drawn) {
    const auto& rule = grammar.rules()[static_cast<std::size_t>(id)];
    for (std::size_t i = 0; i < rule.rows.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (confusable(grammar, rule.rows[i][column], rule.rows[j][column]))
          found.push_back(rule.names[column] + ": " + std::to_string(j) + ", " + std::to_string(i));
  }
  return found;
}

// Which rules have certainly been drawn after a text. Sets `sound` to false if a rule is repeated that may not have been drawn.
std::vector<bool> surely_drawn(const StoryGrammar& grammar, const Text& text, std::vector<bool> drawn, bool& sound) {
  for (const auto& piece : text) {
    if (piece.rule < 0) continue;
    if (piece.draws) drawn[static_cast<std::size_t>(piece.rule)] = true;
    sound = sound && drawn[static_cast<std::size_t>(piece.rule)];
    std::vector<bool> after(drawn.size(), true);
    for (const auto& row : rule_of(grammar, piece).rows) {
      const auto one = surely_drawn(grammar, row[piece.column], drawn, sound);
      for (std::size_t i = 0; i < after.size(); ++i) after[i] = after[i] && one[i];
    }
    drawn = after;
  }
  return drawn;
}

// Every story of a small grammar with its probability, by following every draw.
struct Outcome {
  std::string text;
  double probability;
  std::map<Index, std::size_t> row;
};
std::vector<Outcome> enumerate(const StoryGrammar& grammar, const Text& text, std::vector<Outcome> outcomes) {
  for (const auto& piece : text) {
    for (Outcome& outcome : outcomes) outcome.text += piece.text;
    if (piece.rule < 0) continue;
    std::vector<Outcome> next;
    const auto& rows = rule_of(grammar, piece).rows;
    for (const Outcome& outcome : outcomes)
      for (std::size_t i = 0; i < rows.size(); ++i) {
        Outcome one = outcome;
        if (piece.draws) {
          one.probability /= static_cast<double>(rows.size());
          one.row[piece.rule] = i;
        } else if (one.row.at(piece.rule) != i) {
          continue;
        }
        const std::size_t start = one.text.size();
        for (Outcome& written : enumerate(grammar, rows[i][piece.column], {one})) {
          if (piece.capital) written.text[start] = upper(written.text[start]);
          next.push_back(written);
        }
      }
    outcomes = next;
  }
  return outcomes;
}

std::string error(std::string_view rules) {
  return error_of<stlm::Error>([&] { StoryGrammar(rules).write({}); });
}

std::vector<std::string> stories(const std::string& text) {
  std::vector<std::string> list;
  for (std::size_t start = 0, end; (end = text.find("\n\n", start)) != text.npos; start = end + 2)
    list.push_back(text.substr(start, end - start));
  return list;
}

const char* const kToy =
    "story = [hero] saw a [pet]. {He} fed {his} {pet}. | A [pet] saw [hero]. [end] | Night fell.;"
    "end = {He} ran. | A [pet] ate [food] and {food}, and {he} ran.;"
    "hero/he/his = Anna/she/her | Ben/he/his | Christopher/he/his;"
    "pet = cat | small [colour] dog;"
    "colour = black | red | yellow;"
    "food = bread | fish;";

}  // namespace

TEST_CASE("a story is a function of seed and number") {
  CHECK(stlm::make_stories(0, 1) ==
        "One wintry Wednesday Bob went to a wild pool. He and Olaf built a shiny fort with plastic and paint. "
        "Just then a plump lizard gracefully danced on it, and it fell on a new sock. Bob was thrilled, and "
        "the lizard was dizzy.\n\n");
  const std::string text = stlm::make_stories(7, 5000);
  CHECK(text.size() >= 5000);
  CHECK(text.size() < 5400);
  CHECK(text.ends_with(".\n\n"));
  CHECK(stlm::make_stories(7, 20000).starts_with(text));
  CHECK(stlm::make_stories(8, 5000) != text);
  CHECK(stlm::make_stories(7, 0).empty());
}

TEST_CASE("a story reads like English") {
  const std::string text = stlm::make_stories(1, 1'000'000);
  for (const std::string wrong :
       {" a a", " a e", " a i", " a o", " a u", " an ", "  ", " .", " ,", "..", "{", "}", "[", "]"}) {
    INFO(wrong << " in ..." << text.substr(std::min(text.find(wrong), text.size() - 40), 40));
    CHECK(text.find(wrong) == text.npos);
  }
  std::set<std::string> words;
  for (const std::string& story : stories(text)) {
    CHECK((story.size() >= 140 && story.size() <= 400));
    CHECK(story.find('\n') == story.npos);
    CHECK(story.back() == '.');
    bool begins = true;
    std::string word;
    for (const char c : story + " ") {
      if (begins && std::isalpha(static_cast<unsigned char>(c))) {
        if (c != upper(c)) FAIL_CHECK("a sentence begins with a small letter: " << story);
        begins = false;
      }
      begins = begins || c == '.';
      if (std::isalpha(static_cast<unsigned char>(c))) {
        word += lower(c);
      } else if (!word.empty()) {
        words.insert(word);
        word.clear();
      }
    }
  }
  CHECK(words.size() >= 1000);
}

TEST_CASE("a hero's name and pronouns agree") {
  const StoryGrammar grammar;
  CHECK(grammar.rules()[0].rows.size() >= 8);  // plots
  const auto hero = std::find_if(grammar.rules().begin(), grammar.rules().end(),
                                 [](const auto& rule) { return rule.names[0] == "hero"; });
  REQUIRE(hero != grammar.rules().end());
  REQUIRE(hero->names == std::vector<std::string>{"hero", "he", "his", "him"});
  for (const auto& row : hero->rows) {
    const std::string pronouns = row[1][0].text + row[2][0].text + row[3][0].text;
    CHECK((pronouns == "sheherher" || pronouns == "hehishim"));
  }
}

TEST_CASE("a story can be read back, and its draws are worth what the entropy says") {
  const StoryGrammar grammar;
  REQUIRE(grammar.rules().size() <= std::tuple_size_v<decltype(Reader::row)>);
  const int count = 2000;
  double bits = 0, bits_squared = 0, bytes = 0, bytes_squared = 0;
  std::size_t longest_memory = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string text = grammar.write(stlm::RandomKey::from_seed(3).fold(i));
    Reader reader{text};
    INFO(text);
    REQUIRE(reader.read(grammar, grammar.story()));
    REQUIRE(reader.position == text.size());
    bits += reader.bits;
    bits_squared += reader.bits * reader.bits;
    const auto size = static_cast<double>(text.size());
    bytes += size;
    bytes_squared += size * size;
    longest_memory = std::max(longest_memory, reader.longest_memory);
  }
  const auto agrees = [](double sum, double squares, double expected) {
    const double mean = sum / count, error = std::sqrt((squares / count - mean * mean) / count);
    INFO("mean " << mean << " +- " << error << ", expected " << expected);
    CHECK(std::abs(mean - expected) < 4 * error);
    CHECK(error < 0.01 * expected);
  };
  const stlm::StoryEntropy entropy = stlm::story_entropy();
  agrees(bits, bits_squared, entropy.bits_per_story);
  agrees(bytes, bytes_squared, entropy.bytes_per_story);
  CHECK(longest_memory <= 150);
  CHECK(entropy.bits_per_byte() == entropy.bits_per_story / entropy.bytes_per_story);
  CHECK(entropy.bits_per_byte() > 0.55);
  CHECK(entropy.bits_per_byte() < 0.85);
}

TEST_CASE("every text has one derivation") {
  CHECK(confusable_rows(StoryGrammar()) == std::vector<std::string>{});
  CHECK(confusable_rows(StoryGrammar(kToy)) == std::vector<std::string>{});
  using Found = std::vector<std::string>;
  CHECK(confusable_rows(StoryGrammar("story = The [ride] came.; ride = bus | car | bush;")) == Found{"ride: 0, 2"});
  CHECK(confusable_rows(StoryGrammar("story = [x] sat. | Anna [y]; x = Ben | Anna; y = ran. | sat.;")) ==
        Found{"story: 0, 1"});
  CHECK(confusable_rows(StoryGrammar("story = [he] ran.; hero/he = Anna/she | Eva/she;")) == Found{"he: 0, 1"});
}

TEST_CASE("nothing is repeated before it was drawn") {
  const auto sound = [](const StoryGrammar& grammar) {
    bool result = true;
    surely_drawn(grammar, grammar.story(), std::vector<bool>(grammar.rules().size()), result);
    return result;
  };
  CHECK(sound(StoryGrammar()));
  CHECK(sound(StoryGrammar(kToy)));
  CHECK_FALSE(sound(StoryGrammar("story = [end] {pet}.; end = A [pet]. | Nothing.; pet = cat | dog;")));
}

TEST_CASE("the entropy is that of the enumerated stories") {
  const StoryGrammar grammar(kToy);
  std::map<std::string, double> probability;
  for (const Outcome& outcome : enumerate(grammar, grammar.story(), {{"", 1, {}}}))
    probability[outcome.text] += outcome.probability;
  double total = 0, bits = 0, bytes = 0;
  for (const auto& [text, p] : probability) {
    total += p;
    bits -= p * std::log2(p);
    bytes += p * static_cast<double>(text.size());
  }
  CHECK(probability.count("Christopher saw a cat. He fed his cat.\n\n") == 1);
  CHECK(probability.count("Christopher saw a cat. She fed her cat.\n\n") == 0);
  CHECK(total == Approx(1));
  CHECK(bits == Approx(grammar.entropy().bits_per_story));
  CHECK(bytes == Approx(grammar.entropy().bytes_per_story));
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(probability.count(grammar.write(stlm::RandomKey{}.fold(i))) == 1);
}

TEST_CASE("rules that do not fit together are refused") {
  CHECK(error("") == "stlm::StoryGrammar: expected at least one rule 'name = rows;', found none.");
  CHECK(error("story") == "stlm::StoryGrammar: expected 'name = rows;', found 'story'.");
  CHECK(error("story = A [cat].;") ==
        "stlm::StoryGrammar: 'cat' is mentioned by 'story', but no rule below that one has this name; add it, or move "
        "it there.");
  CHECK(error("story = [end]; end = [story];").starts_with("stlm::StoryGrammar: 'story' is mentioned by 'end'"));
  CHECK(error("story = A [cat.; cat = cat;") ==
        "stlm::StoryGrammar: expected [name] or {name} in a row of 'story', found '[cat.'.");
  CHECK(error("story = [he]; hero/he = Anna;") ==
        "stlm::StoryGrammar: expected 2 columns in a row of 'hero', found 'Anna'.");
  CHECK(error("story = {He} ran; hero/he = Anna/she;") ==
        "stlm::StoryGrammar: {he} repeats what was never drawn; write [hero] where it is mentioned first.");
}
