#include <stlm/data/byte_text.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using stlm::ByteText;
using stlm::Token;

namespace {
constexpr Token eot = stlm::ByteTokenizer::end_of_text;

std::vector<Token> tokens(const ByteText& text, stlm::Index from, stlm::Index count) {
  std::vector<Token> result(static_cast<std::size_t>(count));
  text.copy(from, count, result.data());
  return result;
}
}  // namespace

TEST_CASE("a text is its bytes, with one end of text between documents") {
  const TemporaryFolder folder;
  write_text(folder / "a", "ab\xff");
  write_text(folder / "b", "cd");
  const auto text = ByteText::from_files({folder / "a", folder / "b"});
  CHECK(text.size() == 6);
  CHECK(text.num_bytes() == 5);
  CHECK(tokens(text, 0, 6) == std::vector<Token>{'a', 'b', 0xff, eot, 'c', 'd'});
  for (stlm::Index i = 0; i < 6; ++i) CHECK(text[i] == tokens(text, 0, 6)[static_cast<std::size_t>(i)]);
  CHECK(tokens(text, -2, 3) == std::vector<Token>{eot, eot, 'a'});
  CHECK(tokens(text, 5, 3) == std::vector<Token>{'d', eot, eot});
}

TEST_CASE("a separator becomes one end of text, empty documents vanish") {
  const auto text = ByteText::from_string("--a--b----c--", "--");
  CHECK(tokens(text, 0, text.size()) == std::vector<Token>{'a', eot, 'b', eot, 'c'});
  CHECK(text.num_bytes() == 3);
}

TEST_CASE("a held-out part begins where the rest ends, and sees what stands before it") {
  const auto [train, held_out] = ByteText::from_string("0123456789").split(0.3);
  CHECK(train.size() == 7);
  CHECK(held_out.size() == 3);
  CHECK(tokens(held_out, -2, 5) == std::vector<Token>{'5', '6', '7', '8', '9'});
  CHECK(held_out.num_bytes() == 3);
  CHECK(train.part(2, 4)[0] == '2');
}

TEST_CASE("what a part has of its documents", "[data]") {
  const auto text = ByteText::from_string("ab|cde|f", "|");
  const auto documents = [&](stlm::Index begin, stlm::Index end) {
    std::string found;
    text.part(begin, end).for_each_document([&](std::string_view bytes, bool ended) {
      found.append(bytes).append(ended ? "|" : ".");
    });
    return found;
  };
  CHECK(documents(0, 8) == "ab|cde|f.");
  CHECK(documents(1, 5) == "b|cd.");
  CHECK(documents(2, 3) == "|");
  CHECK(documents(2, 6) == "|cde.");
  CHECK(documents(3, 7) == "cde|");
  CHECK(documents(4, 4).empty());
}

TEST_CASE("the split of the first 1,003,854 and last 111,540 of 1,115,394 bytes") {
  const auto [train, held_out] = ByteText::from_string(std::string(1115394, 'x')).split(0.1);
  CHECK(train.size() == 1003854);
  CHECK(held_out.size() == 111540);
}

TEST_CASE("what cannot be read or cut is an error that names it") {
  const TemporaryFolder folder;
  write_text(folder / "empty", "");
  CHECK(error_of<stlm::FileError>([&] { ByteText::from_files({folder / "missing"}); }).find("missing") != std::string::npos);
  CHECK(error_of<stlm::FileError>([&] { ByteText::from_files({folder / "empty"}); }).find("is empty") != std::string::npos);
  CHECK_THROWS_AS(ByteText::from_files({}), stlm::Error);
  CHECK_THROWS_AS(ByteText::from_string("---", "-"), stlm::Error);
  CHECK_THROWS_AS(ByteText::from_string("abc").split(1.0), stlm::Error);
  CHECK_THROWS_AS(ByteText::from_string("abc").part(2, 4), stlm::Error);
}

TEST_CASE("num_bytes of a part counts its own ends of text alone") {
  const auto text = ByteText::from_string("ab|cde|f", "|");
  CHECK(text.part(3, 7).num_bytes() == 3);
  CHECK(text.part(2, 6).num_bytes() == 3);
  CHECK(text.part(4, 6).num_bytes() == 2);
  CHECK(text.split(0.25).second.num_bytes() == 1);
}
