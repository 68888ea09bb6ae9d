#include <stlm/data/byte_loader.hpp>

#include <stlm/data/token_text.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace stlm;

namespace {
struct AnyModel {};

ByteText counting_text(Index size) {
  std::string text;
  for (Index i = 0; i < size; ++i) text.push_back(static_cast<char>(i));
  return ByteText::from_string(text);
}

/// Two bytes make a token.
struct Pairs {
  static Token end_of_text() { return 9999; }
  static std::vector<Token> encode(std::string_view text) {
    std::vector<Token> ids;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) ids.push_back(static_cast<unsigned char>(text[i]) * 5);
    return ids;
  }
};

}  // namespace

TEST_CASE("targets are the tokens that follow") {
  ByteLoader<AnyModel> loader(counting_text(200), {3, 10}, 7);
  for (int i = 0; i < 50; ++i) {
    const Batch batch = loader.next();
    for (Index b = 0; b < 3; ++b)
      for (Index t = 0; t < 10; ++t) REQUIRE(batch.targets(b, t) == batch.tokens(b, t) + 1);
  }
}

TEST_CASE("a loader continues anywhere, and its seed decides") {
  const auto text = counting_text(250);
  ByteLoader<AnyModel> first(text, {2, 8}, 5), second(text, {2, 8}, 5), other(text, {2, 8}, 6);
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

TEST_CASE("the shortest text is one token longer than a window") {
  ByteLoader<AnyModel> loader(counting_text(11), {1, 10});
  CHECK(loader.next().targets(0, 9) == 10);
  CHECK_THROWS_AS(ByteLoader<AnyModel>(counting_text(10), {1, 10}), Error);
  for (const BatchShape& nothing : {BatchShape{0, 4}, BatchShape{-1, 4}, BatchShape{2, 0}, BatchShape{2, -1}})
    CHECK_THROWS_AS(ByteLoader<AnyModel>(counting_text(10), nothing), ShapeError);
}

TEST_CASE("windows of tokens, however many bytes each stands for") {
  ByteLoader<AnyModel, TokenText> loader(TokenText(counting_text(200), Pairs{}), {3, 10}, 7);
  for (int i = 0; i < 20; ++i) {
    const Batch batch = loader.next();
    for (Index b = 0; b < 3; ++b)
      for (Index t = 0; t < 10; ++t) REQUIRE(batch.targets(b, t) == batch.tokens(b, t) + 10);
  }
  CHECK_THROWS_AS((ByteLoader<AnyModel, TokenText>(TokenText(counting_text(20), Pairs{}), {1, 10})), Error);
}

TEST_CASE("the text of a file") {
  const TemporaryFolder folder;
  write_text(folder / "text", "abcdefghijkl");
  CHECK(ByteLoader<AnyModel>(folder / "text", {1, 11}).next().tokens(0, 0) == 'a');
}
