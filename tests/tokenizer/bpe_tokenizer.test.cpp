#include <stlm/tokenizer/bpe_tokenizer.hpp>

#include <random>

#include <stlm/tokenizer/byte_tokenizer.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using stlm::BpeTokenizer;
using stlm::BpeVocabulary;
using stlm::Token;
using stlm::TokenPair;
using Ids = std::vector<Token>;

namespace {

/// Random merges, every one of them possible; half of the ids are those of five letters.
BpeVocabulary random_vocabulary(std::mt19937& random, Token merges, bool pre_split) {
  BpeVocabulary parts;
  parts.pre_split = pre_split;
  std::shuffle(parts.byte_ids.begin(), parts.byte_ids.end(), random);
  while (static_cast<Token>(parts.merges.size()) < merges) {
    const auto id = [&] {
      const auto known = static_cast<std::uint32_t>(256 + parts.merges.size());
      return random() % 2 ? parts.byte_ids[" \nab'"[random() % 5] & 127] : static_cast<Token>(random() % known);
    };
    const TokenPair pair{id(), id()};
    if (std::ranges::find(parts.merges, pair) == parts.merges.end()) parts.merges.push_back(pair);
  }
  return parts;
}

std::string random_text(std::mt19937& random, std::size_t size) {
  std::string text(size, ' ');
  const bool few = random() % 2;
  for (char& c : text) c = few && random() % 8 ? " \nab'"[random() % 5] : static_cast<char>(random() % 256);
  return text;
}

/// Encodes by the definition: applies the earliest merge present, at all its places from left to right, until none is.
Ids slow_encode(const BpeVocabulary& parts, std::string_view text) {
  Ids all;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, parts.pre_split ? stlm::gpt2_piece(text) : text.size());
    text.remove_prefix(piece.size());
    Ids ids;
    for (const char c : piece) ids.push_back(parts.byte_ids[static_cast<unsigned char>(c)]);
    for (;;) {
      auto earliest = parts.merges.end();
      for (std::size_t i = 0; i + 1 < ids.size(); ++i)
        earliest = std::min(earliest, std::ranges::find(parts.merges, TokenPair{ids[i], ids[i + 1]}));
      if (earliest == parts.merges.end()) break;
      for (std::size_t i = 0; i + 1 < ids.size(); ++i)
        if (TokenPair{ids[i], ids[i + 1]} == *earliest) {
          ids[i] = 256 + static_cast<Token>(earliest - parts.merges.begin());
          ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
    }
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return all;
}

}  // namespace

TEST_CASE("BpeTokenizer: without merges it is the ByteTokenizer", "[tokenizer]") {
  const BpeTokenizer tokenizer;
  CHECK(tokenizer.vocabulary() == stlm::ByteTokenizer::vocabulary);
  CHECK(tokenizer.pad() == stlm::ByteTokenizer::pad);
  CHECK(tokenizer.end_of_text() == stlm::ByteTokenizer::end_of_text);
  std::mt19937 random(1);
  for (const std::size_t size : {0u, 1u, 2u, 100u, 5000u}) {
    const std::string text = random_text(random, size);
    CHECK(tokenizer.encode(text) == stlm::ByteTokenizer::encode(text));
    CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
  }
}

TEST_CASE("BpeTokenizer: ids by the definition, and the bytes again, for any bytes and vocabulary", "[tokenizer]") {
  std::mt19937 random(2);
  for (int round = 0; round < 60; ++round) {
    const BpeVocabulary parts = random_vocabulary(random, static_cast<Token>(random() % 120), round % 2);
    const BpeTokenizer tokenizer(parts);
    for (const std::size_t size : {1u, 5u, 15u, 16u, 47u, 48u, 49u, 50u, 300u}) {
      const std::string text = random_text(random, size);
      const Ids ids = tokenizer.encode(text);
      REQUIRE(ids == slow_encode(parts, text));
      REQUIRE(tokenizer.decode(ids) == text);
      std::size_t bytes = 0;
      for (const Token id : ids) bytes += tokenizer.token_bytes(id).size();
      REQUIRE(bytes == text.size());
    }
  }
}

TEST_CASE("BpeTokenizer: a token whose bytes merge otherwise is not made", "[tokenizer]") {
  const BpeTokenizer tokenizer({.merges = {{'a', 'b'}, {'b', 'c'}, {'a', 257}}});
  CHECK(tokenizer.token_bytes(258) == "abc");
  CHECK(tokenizer.encode("abc") == Ids{256, 'c'});
}

TEST_CASE("BpeTokenizer: pieces of megabytes take linear time", "[tokenizer]") {
  const bool pre_split = GENERATE(false, true);
  BpeVocabulary parts{.merges = {{'a', 'a'}}, .pre_split = pre_split};
  for (Token id = 256; id < 265; ++id) parts.merges.push_back({id, id});  // up to 1024 letters
  const BpeTokenizer tokenizer(parts);
  constexpr std::size_t size = std::size_t{4} << 20;  // quadratic time would take hours
  CHECK((tokenizer.encode(std::string(size, 'a')) == Ids(size / 1024, 265)));
  CHECK((tokenizer.encode(std::string(size - 1, 'a')).size() == size / 1024 - 1 + 10));
  CHECK((tokenizer.encode(std::string(size, ' ')) == Ids(size, ' ')));
}

TEST_CASE("BpeTokenizer: ids beyond 65,535", "[tokenizer]") {
  BpeVocabulary parts{.pre_split = false};
  for (Token left = 0; left < 256; ++left)
    for (Token right = 0; right < 256; ++right) parts.merges.push_back({left, right});
  for (Token id = 256; id < 65'000; id += 7) parts.merges.push_back({id, id + 1});
  const BpeTokenizer tokenizer(parts);
  CHECK(tokenizer.vocabulary() == 256 + 65'536 + 9250 + 2);
  CHECK(tokenizer.encode("\x03\xcd\x03\xce") == Ids{65'931});
  CHECK(tokenizer.decode(Ids{65'931}) == "\x03\xcd\x03\xce");
  std::mt19937 random(3);
  const std::string text = random_text(random, 20'000);
  CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
}

TEST_CASE("BpeTokenizer: specials are text unless they are asked for", "[tokenizer]") {
  const BpeTokenizer tokenizer({.merges = {{'<', '|'}}, .specials = {"<|a|>", "<|a|>b", "<|end|>"}});
  const Token a = 257, ab = 258, end = 259;
  CHECK(tokenizer.special("<|a|>") == a);
  CHECK(tokenizer.end_of_text() == end);
  CHECK(tokenizer.encode("<|a|>") == Ids{256, 'a', '|', '>'});
  CHECK(tokenizer.encode("x<|a|>b<|a|><|end|>", {"<|a|>"}) == Ids{'x', a, 'b', a, 256, 'e', 'n', 'd', '|', '>'});
  CHECK(tokenizer.encode("x<|a|>b<|a|><|end|>", {"<|a|>", "<|a|>b", "<|end|>"}) == Ids{'x', ab, a, end});
  CHECK(tokenizer.encode("", {"<|a|>"}).empty());
  CHECK(tokenizer.token_bytes(ab).empty());
  CHECK(tokenizer.decode(Ids{'x', ab, 256, end}) == "x<|");
  CHECK(tokenizer.decode(Ids{'x', ab, 256, end}, {"<|end|>"}) == "x<|<|end|>");
}

TEST_CASE("BpeTokenizer: ids and names of another vocabulary are refused", "[tokenizer]") {
  const BpeTokenizer tokenizer;
  CHECK(error_of<stlm::Error>([&] { tokenizer.decode(Ids{258}); }) ==
        "stlm::BpeTokenizer: expected ids from 0 to 257, found 258; the ids are of another vocabulary.");
  CHECK_THROWS_AS(tokenizer.token_bytes(-1), stlm::Error);
  CHECK(error_of<stlm::Error>([&] { tokenizer.encode("", {"<|x|>"}); }).find("no special \"<|x|>\"") !=
        std::string::npos);
}
