#include <stlm/data/patch_text.hpp>

#include <stlm/tokenizer/token_boundary.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace stlm;

namespace {

/// A tokenizer that looks ahead: each run of equal bytes is a token.
struct Runs {
  std::string text;
  std::vector<Token> encode(std::string_view source) const {
    std::vector<Token> ids;
    for (std::size_t i = 0; i < source.size();) {
      std::size_t end = i;
      while (end < source.size() && source[end] == source[i]) ++end;
      ids.push_back(static_cast<Token>((end - i) * 256 + static_cast<unsigned char>(source[i])));
      i = end;
    }
    return ids;
  }
  std::string token_bytes(Token id) const { return std::string(static_cast<std::size_t>(id / 256), static_cast<char>(id % 256)); }
};
const TokenBoundary runs(std::make_shared<const Runs>());

template <class Rule>
struct ModelOf {
  using Boundary = Rule;
  static constexpr Index window = 4;
};

std::vector<Token> all_slots(const PatchText& text) {
  std::vector<Token> slots(static_cast<std::size_t>(text.size() * text.window()));
  text.copy(0, text.size(), slots.data());
  return slots;
}

std::string random_bytes(std::size_t size, std::uint64_t seed, std::uint64_t values) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i)
    text.push_back(static_cast<char>(' ' + static_cast<int>(random_below(RandomKey::from_seed(seed), i, values))));
  return text;
}

const std::vector<std::string> texts = {
    "a",
    "The quick  brown fox.\r\n\tIt jumps!",
    std::string(100, 'w') + " and " + std::string(300, ' '),
    "\xff\xfe\x80 \xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80\xf0\x9f",
    random_bytes(5000, 1, 256),
    random_bytes(5000, 2, 3),
};

/// Calls f(boundary) for every rule.
template <class F>
void for_each_rule(F&& f) {
  f(SpaceLike{});
  f(Whitespace{});
  f(FixedStride<4>{});
  f(FixedStride<300>{});
  f(runs);
}

std::vector<std::string> patches_of(const PatchText& text) {
  std::vector<std::string> patches;
  const auto slots = all_slots(text);
  for (Index p = 0; p < text.size(); ++p)
    patches.push_back(ByteTokenizer::decode(std::span(slots).subspan(static_cast<std::size_t>(p * text.window()),
                                                                     static_cast<std::size_t>(text.length(p)))));
  return patches;
}

/// Whether the patches of every prefix of a text are the first patches of the text; the last one of a prefix may be cut short.
template <class Boundary>
bool known_from_past(const Boundary& boundary, const std::string& text) {
  const auto whole = patches_of(PatchText(ByteText::from_string(text), boundary, 12));
  for (std::size_t size = 1; size < text.size(); ++size) {
    const auto part = patches_of(PatchText(ByteText::from_string(text.substr(0, size)), boundary, 12));
    if (!std::equal(part.begin(), part.end() - 1, whole.begin())) return false;
    if (part.back() != whole[part.size() - 1].substr(0, part.back().size())) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("PatchText: any bytes survive, whatever the rule and the longest patch", "[data][patch_text]") {
  for (const std::string& text : texts)
    for (const Index window : {1, 4, 12, 255})
      for_each_rule([&](const auto& boundary) {
        CAPTURE(text.substr(0, 20), window);
        const PatchText patches(ByteText::from_string(text), boundary, window);
        CHECK(ByteTokenizer::decode(all_slots(patches)) == text);
        CHECK(patches.num_bytes() == std::ssize(text));
        for (Index p = 0; p < patches.size(); ++p) REQUIRE((patches.length(p) >= 1 && patches.length(p) <= window));
      });
}

TEST_CASE("PatchText: where patches end", "[data][patch_text]") {
  const std::string text = "Ab1, cd\xc3\xa9  e.\nabcdefghijklm";
  const auto cut = [&](const auto& boundary, Index window) {
    return patches_of(PatchText(ByteText::from_string(text), boundary, window));
  };
  // The comma ends a patch; the space after it begins the next, which "cd" continues; a UTF-8 lead byte ends one, too.
  CHECK(cut(SpaceLike{}, 12) ==
        std::vector<std::string>{"Ab1,", " cd\xc3", "\xa9 ", " e.", "\nabcdefghijk", "lm"});
  CHECK(cut(Whitespace{}, 12) == std::vector<std::string>{"Ab1, ", "cd\xc3\xa9 ", " e.\n", "abcdefghijkl", "m"});
  CHECK(cut(FixedStride<5>{}, 12) == std::vector<std::string>{"Ab1, ", "cd\xc3\xa9 ", " e.\na", "bcdef", "ghijk", "lm"});
  CHECK(patches_of(PatchText(ByteText::from_string("aaaaabbc"), runs, 3)) ==
        std::vector<std::string>{"aaa", "aa", "bb", "c"});
}

TEST_CASE("PatchText: rules known from the past are; the check finds one that looks ahead", "[data][patch_text]") {
  for (const std::string& text : {texts[1], random_bytes(200, 3, 256), random_bytes(200, 4, 3), std::string(40, ' ')}) {
    CHECK(known_from_past(SpaceLike{}, text));
    CHECK(known_from_past(Whitespace{}, text));
    CHECK(known_from_past(FixedStride<5>{}, text));
  }
  // "a" may be a token or begin the token "abc", as GPT-2's " th" begins " the".
  struct Pairs {
    std::vector<Token> encode(std::string_view text) const {
      std::vector<Token> ids;
      for (std::size_t i = 0; i < text.size();) {
        const bool three = text.substr(i, 3) == "abc";
        ids.push_back(three ? 3 : 1);
        i += three ? 3 : 1;
      }
      return ids;
    }
    std::string token_bytes(Token id) const { return std::string(static_cast<std::size_t>(id), 'x'); }
  };
  CHECK_FALSE(known_from_past(TokenBoundary(std::make_shared<const Pairs>()), "xabcabc"));
}

TEST_CASE("PatchText: where they are, no end depends on what follows it", "[data][patch_text]") {
  constexpr Index size = 20;
  const auto same_ends = [](const auto& boundary, const std::string& past) {
    const auto ends = [&](const std::string& future) {
      std::vector<Index> found;
      Index at = 0;
      for (const std::string& patch : patches_of(PatchText(ByteText::from_string(past + future), boundary, 12)))
        if ((at += std::ssize(patch)) <= size) found.push_back(at);
      return found;
    };
    return ends("a") == ends(" ");
  };
  std::size_t same = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const std::string past = random_bytes(size, i, i % 2 == 0 ? 256 : 2);
    CHECK(same_ends(SpaceLike{}, past));
    CHECK(same_ends(Whitespace{}, past));
    CHECK(same_ends(FixedStride<5>{}, past));
    same += same_ends(runs, past.substr(1) + "a");  // "a" continues the last run, " " does not
  }
  CHECK(same == 0);
}

TEST_CASE("PatchText: max_bytes is what the fullest window needs, with the ends that are predicted",
          "[data][patch_text]") {
  const PatchText text(ByteText::from_string("aabbbbcddddddee"), runs, 4);  // aa| bbbb c| dddd dd| ee|
  const auto bytes = [&](Index patches) {
    return text.max_bytes<ModelOf<SpaceLike>>({.batch = 3, .tokens = patches}) / 3;
  };
  const auto symbols = [&](Index patches) {
    return text.max_bytes<ModelOf<TokenBoundary>>({.batch = 1, .tokens = patches});
  };
  CHECK((bytes(1) == 4 && bytes(2) == 6 && bytes(3) == 9 && bytes(100) == 15));
  CHECK((symbols(1) == 4 && symbols(2) == 7 && symbols(3) == 10 && symbols(100) == 15 + 4));
}

TEST_CASE("PatchText: ends of text", "[data][patch_text]") {
  const auto text = ByteText::from_string("one two|three||x", "|");
  constexpr Token end = ByteTokenizer::end_of_text, pad = ByteTokenizer::pad;
  const PatchText spaces(text, SpaceLike{}, 6);
  CHECK(spaces.num_bytes() == 13);
  CHECK(spaces.num_tokens() == 15);
  std::vector<Token> slots(18);
  spaces.copy(1, 3, slots.data());
  CHECK(slots == std::vector<Token>{'t', 'w', 'o', end, pad, pad, 't', 'h', 'r', 'e', 'e', end, 'x', pad, pad, pad, pad, pad});
  const PatchText tokens(text, runs, 6);  // o n e ' ' t w o <end> t h r ee <end> x
  CHECK(tokens.size() == 14);
  CHECK(tokens.length(7) == 1);
  tokens.copy(-1, 3, slots.data());
  CHECK(slots == std::vector<Token>{end, pad, pad, pad, pad, pad, 'o', pad, pad, pad, pad, pad, 'n', pad, pad, pad, pad, pad});
  tokens.copy(13, 3, slots.data());
  CHECK(slots == std::vector<Token>{'x', pad, pad, pad, pad, pad, pad, pad, pad, pad, pad, pad, pad, pad, pad, pad, pad, pad});
}

TEST_CASE("PatchText: copies from anywhere of a long text", "[data][patch_text]") {
  const std::string source = random_bytes(8 << 20, 5, 40);
  const PatchText text(ByteText::from_string(source), SpaceLike{}, 12);
  const auto all = all_slots(text);
  CHECK(ByteTokenizer::decode(all) == source);
  std::vector<Token> part(12 * 7);
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto first = static_cast<Index>(random_below({1, 2}, i, static_cast<std::uint64_t>(text.size() - 7)));
    text.copy(first, 7, part.data());
    CHECK(std::equal(part.begin(), part.end(), all.begin() + first * 12));
  }
  CHECK(text.max_bytes<ModelOf<SpaceLike>>({.batch = 1, .tokens = text.size()}) == std::ssize(source));
}

TEST_CASE("PatchText: a model that takes ends of patches as known reads those of its own rule alone", "[data][patch_text]") {
  const auto text = ByteText::from_string("ab, cd.");
  const PatchText spaces(text, SpaceLike{}, 4), whites(text, Whitespace{}, 4), fours(text, FixedStride<4>{}, 4);
  const PatchText tokens(text, runs, 4), given(text, {3, 4}, 4);
  const auto error = [](const auto& model, const PatchText& patches) {
    return error_of<Error>([&] { patches.expect_cut_for<std::decay_t<decltype(model)>>("stlm::evaluate"); });
  };
  const ModelOf<SpaceLike> space_model;
  CHECK(error(space_model, spaces).empty());
  CHECK(error(ModelOf<FixedStride<4>>{}, fours).empty());
  const std::string another = "stlm::evaluate: expected patches that end by the model's boundary, found ends by another one; "
                              "cut the text with the model's, Model::Boundary.";
  CHECK(error(space_model, whites) == another);
  CHECK(error(space_model, fours) == another);
  CHECK(error(ModelOf<FixedStride<5>>{}, fours) == another);
  for (const PatchText* ahead : {&tokens, &given})
    CHECK(error(space_model, *ahead).find("a rule that looks ahead") != std::string::npos);
  for (const PatchText* any : {&spaces, &fours, &tokens, &given})  // this model predicts the ends
    CHECK(error(ModelOf<TokenBoundary>{}, *any).empty());
}

TEST_CASE("PatchText: what cannot be is refused", "[data][patch_text]") {
  const auto text = ByteText::from_string("abc");
  CHECK_THROWS_WITH(PatchText(text, SpaceLike{}, 0), "stlm::PatchText: expected patches of 1 to 255 bytes, found 0.");
  CHECK_THROWS_WITH(PatchText(text, TokenBoundary{}, 4),
                    "stlm::TokenBoundary: it has no tokenizer; construct it from one, such as stlm::load_gpt2 gives.");
  CHECK_THROWS_WITH(PatchText(text, std::vector<Index>{1, 1}, 4),
                    "stlm::PatchText: patches of 2 bytes in all do not cover a text of 3 tokens.");
  CHECK_THROWS_WITH(PatchText(text, std::vector<Index>{3, 0}, 4),
                    "stlm::PatchText: expected patches of 1 to 4 bytes, found one of 0.");
  struct Lossy : Runs {
    std::vector<Token> encode(std::string_view source) const { return Runs::encode(source.substr(1)); }
  };
  CHECK_THROWS_WITH(PatchText(text, TokenBoundary(std::make_shared<const Lossy>()), 4),
                    "stlm::PatchText: patches of 2 bytes in all do not cover a text of 3 tokens.");
}
