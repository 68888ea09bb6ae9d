#include <stlm/data/patch_loader.hpp>

#include <stlm/tokenizer/token_boundary.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"

using namespace stlm;

namespace {

struct AnyModel {
  using Boundary = TokenBoundary;
  static constexpr Index window = 4;
};
using Loader = PatchLoader<AnyModel>;

/// Patch i holds one to four bytes of value i.
PatchText counting_text(Index patches) {
  std::string text;
  std::vector<Index> lengths;
  for (Index i = 0; i < patches; ++i) {
    lengths.push_back(i * 7 % 4 + 1);
    text.append(static_cast<std::size_t>(lengths.back()), static_cast<char>(i));
  }
  return PatchText(ByteText::from_string(text), lengths, 4);
}

Index bytes(const View<const Token, dynamic, dynamic>& slots) {
  return std::count_if(slots.begin(), slots.end(), [](Token t) { return t != ByteTokenizer::pad; });
}
Index ends(const View<const Token, dynamic, dynamic>& slots) {
  Index count = 0;
  for (Index i = 0; i < slots.size(); i += 4)
    count += slots.data()[i] != ByteTokenizer::pad && slots.data()[i + 3] == ByteTokenizer::pad;
  return count;
}

}  // namespace

TEST_CASE("PatchLoader: targets are the patches that follow, slot by slot", "[data][patch_loader]") {
  Loader loader(counting_text(200), {3, 10}, 7);
  for (int i = 0; i < 50; ++i) {
    const Batch batch = loader.next();
    REQUIRE(batch.tokens.extent(1) == 40);
    for (Index b = 0; b < 3; ++b)
      for (Index s = 0; s < 10; ++s) {
        const Index patch = batch.tokens(b, 4 * s), next = batch.targets(b, 4 * s);
        REQUIRE(next == patch + 1);
        for (Index w = 0; w < 4; ++w) {
          REQUIRE(batch.tokens(b, 4 * s + w) == (w <= patch * 7 % 4 ? patch : ByteTokenizer::pad));
          REQUIRE(batch.targets(b, 4 * s + w) == (w <= next * 7 % 4 ? next : ByteTokenizer::pad));
        }
      }
  }
  CHECK(loader.dropped() == 0);
}

TEST_CASE("PatchLoader: continues anywhere, and its seed decides", "[data][patch_loader]") {
  const auto text = counting_text(250);
  Loader first(text, {2, 8}, 5), second(text, {2, 8}, 5), other(text, {2, 8}, 6);
  for (int i = 0; i < 7; ++i) first.next();
  second.seek(first.position());
  bool differs = false;
  for (int i = 0; i < 9; ++i) {
    const auto expected = first.next().tokens;
    CHECK(std::ranges::equal(second.next().tokens, expected));
    differs = differs || !std::ranges::equal(other.next().tokens, expected);
  }
  CHECK(differs);
}

TEST_CASE("PatchLoader: what a batch has no room for is left out of its end, and counted", "[data][patch_loader]") {
  const auto text = counting_text(250);
  std::uint64_t before = 30 * 50 + 1;
  for (const Index room : {4, 17, 40, 75, 120}) {
    Loader all(text, {3, 10}, 7), some(text, {3, 10, room}, 7);
    std::uint64_t dropped = 0;
    for (int i = 0; i < 50; ++i) {
      const Batch whole = all.next(), batch = some.next();
      REQUIRE(bytes(batch.tokens) <= room);
      REQUIRE(bytes(batch.targets) + ends(batch.targets) <= room);
      for (Index b = 0; b < 3; ++b) {
        Index kept = 0;  // slots up to the last target kept; what is dropped is at the end
        for (Index n = 0; n < 40; ++n) {
          if (batch.targets(b, n) == ByteTokenizer::pad) continue;
          kept = n + 1;
          REQUIRE(batch.targets(b, n) == whole.targets(b, n));
          REQUIRE(batch.tokens(b, n / 4 * 4) == whole.tokens(b, n / 4 * 4));
        }
        dropped += static_cast<std::uint64_t>(10 - (kept + 3) / 4);
      }
    }
    CHECK(some.dropped() == dropped);
    CHECK(some.dropped() < before);
    CHECK((some.dropped() == 0) == (room == 120));  // room for full patches
    before = some.dropped();
  }
}

TEST_CASE("PatchLoader: refuses too short a text, and another window than the model's", "[data][patch_loader]") {
  CHECK(Loader(counting_text(11), {1, 10}).next().targets(0, 36) == 10);
  CHECK_THROWS_WITH(Loader(counting_text(10), {1, 0}),
                    "stlm::PatchLoader: expected batch >= 1 and tokens >= 1, found 1 and 0; give both.");
  CHECK_THROWS_WITH(Loader(counting_text(10), {1, 10}),
                    "stlm::PatchLoader: expected a text of more than 10 patches, found 10; give more text or a shorter window.");
  CHECK_THROWS_WITH(Loader(PatchText(ByteText::from_string("abcdef"), FixedStride<1>{}, 5), {1, 2}),
                    "stlm::PatchLoader: expected patches of at most 4 bytes, the model's window, found 5; cut the text with the "
                    "model's.");
  CHECK_THROWS_WITH(
      PatchLoader<test::SpacePatches>(PatchText(ByteText::from_string("ab"), {1, 1}, 5), {1, 1}),
      "stlm::PatchLoader: expected patches that end by a rule known from the past, as the model's do, found ends by a "
      "rule that looks ahead; cut the text with the model's.");
}

TEMPLATE_TEST_CASE("PatchLoader: the budget is exactly what models ask for", "[data][patch_loader]", test::SpacePatches,
                   test::TokenPatches) {
  struct Words {  // "word " is a token, so that both models read the same patches
    std::vector<Token> encode(std::string_view text) const {
      std::vector<Token> ids;
      for (std::size_t i = 0; i < text.size(); i += static_cast<std::size_t>(ids.back()))
        ids.push_back(static_cast<Token>(std::min(text.find(' ', i), text.size() - 1) - i + 1));
      return ids;
    }
    std::string token_bytes(Token id) const { return std::string(static_cast<std::size_t>(id), 'x'); }
  };
  std::string words;
  for (int i = 0; i < 300; ++i) words += std::string(static_cast<std::size_t>(i * 7 % 8 + 1), 'w') + ' ';
  const auto text = ByteText::from_string(words);
  const PatchText patches = [&] {
    if constexpr (TestType::Boundary::known_from_past)
      return PatchText(text, SpaceLike{}, TestType::window);
    else
      return PatchText(text, TokenBoundary(std::make_shared<const Words>()), TestType::window);
  }();
  const Index most = patches.max_bytes<TestType>({.batch = 3, .tokens = 10});
  for (const Index room : {most, most * 3 / 4, most / 3}) {
    PatchLoader<TestType> loader(patches, {3, 10, room}, 7);
    Index used = 0;
    for (int i = 0; i < 50; ++i) {
      const auto [read, predicted] = TestType::rows_needed(loader.next());
      used = std::max({used, read, predicted});
    }
    CHECK(used <= room);
    CHECK(used > room - TestType::window - (room == most ? most / 8 : 0));  // little room stays unused
    CHECK((loader.dropped() == 0) == (room == most));
  }
}
