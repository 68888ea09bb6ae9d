#include <stlm/data/byte_loader.hpp>

#include <set>

#include "support/catch.hpp"

using namespace stlm;

namespace {
struct AnyModel {};

ByteText counting_text(Index size) {
  std::string text;
  for (Index i = 0; i < size; ++i) text.push_back(static_cast<char>(i));
  return ByteText::from_string(text);
}

std::vector<Token> copy(const View<const Token, dynamic, dynamic>& view) { return {view.begin(), view.end()}; }
}  // namespace

TEST_CASE("permute is a permutation, and another one for another key") {
  for (const std::uint64_t size : {1U, 2U, 3U, 7U, 64U, 100U, 1000U}) {
    std::set<std::uint64_t> seen;
    bool same = true;
    for (std::uint64_t i = 0; i < size; ++i) {
      seen.insert(detail::permute({1, 2}, i, size));
      same = same && detail::permute({1, 2}, i, size) == detail::permute({1, 3}, i, size);
    }
    CHECK(seen.size() == size);
    CHECK(*seen.rbegin() == size - 1);
    CHECK(same == (size <= 3 && same));
  }
}

TEST_CASE("targets are the tokens that follow") {
  ByteLoader<AnyModel> loader(counting_text(200), {3, 10}, 7);
  for (int i = 0; i < 50; ++i) {
    const Batch batch = loader.next();
    for (Index b = 0; b < 3; ++b)
      for (Index t = 0; t < 10; ++t) REQUIRE(batch.targets(b, t) == batch.tokens(b, t) + 1);
  }
}

TEST_CASE("an epoch reads every window once, inside the text") {
  constexpr Index tokens = 10, size = 207;
  ByteLoader<AnyModel> loader(counting_text(size), {1, tokens}, 7);
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
    std::set<Index> starts;
    for (std::uint64_t n = 0; n < 19; ++n) {
      const Index start = loader.window_start(epoch * 19 + n);
      REQUIRE(start >= 0);
      REQUIRE(start + tokens < size);
      starts.insert(start);
    }
    CHECK(starts.size() == 19);
    CHECK(*starts.rbegin() - *starts.begin() == 18 * tokens);
  }
}

TEST_CASE("a loader continues anywhere, and its seed decides") {
  const auto text = counting_text(250);
  ByteLoader<AnyModel> first(text, {2, 8}, 5), second(text, {2, 8}, 5), other(text, {2, 8}, 6);
  for (int i = 0; i < 7; ++i) first.next();
  second.seek(first.position());
  bool differs = false;
  for (int i = 0; i < 9; ++i) {
    const auto expected = copy(first.next().tokens);
    CHECK(copy(second.next().tokens) == expected);
    differs = differs || copy(other.next().tokens) != expected;
  }
  CHECK(differs);
}

TEST_CASE("the shortest text is one token longer than a window") {
  ByteLoader<AnyModel> loader(counting_text(11), {1, 10});
  CHECK(loader.next().targets(0, 9) == 10);
  CHECK_THROWS_AS(ByteLoader<AnyModel>(counting_text(10), {1, 10}), Error);
}
