#include <stlm/tokenizer/gpt2_split.hpp>

#include <random>

#include "golden.hpp"

using stlm::gpt2_piece;

static_assert(gpt2_piece("it's") == 2 && gpt2_piece("'s") == 2 && gpt2_piece(" 's") == 2);

namespace {
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> pieces;
  for (; !text.empty(); text.remove_prefix(gpt2_piece(text))) pieces.emplace_back(text.substr(0, gpt2_piece(text)));
  return pieces;
}
using Pieces = std::vector<std::string>;
}  // namespace

TEST_CASE("gpt2_piece: words take the space before them, other white space leaves one behind", "[tokenizer]") {
  CHECK(split("Hello world") == Pieces{"Hello", " world"});
  CHECK(split("a  b") == Pieces{"a", " ", " b"});
  CHECK(split("a \n\n b \n") == Pieces{"a", " \n\n", " b", " \n"});
  CHECK(split("a\n\nb") == Pieces{"a", "\n", "\n", "b"});
  CHECK(split("we'll 12x!?") == Pieces{"we", "'ll", " 12", "x", "!?"});
  CHECK(split("IT'S ''s") == Pieces{"IT", "'", "S", " ''", "s"});
  CHECK(split("").empty());
}

TEST_CASE("gpt2_piece: cuts as the pattern does in Python's regex", "[tokenizer][golden]") {
  for_each_golden("gpt2.txt", 941, [](const std::vector<std::string>& parts) {
    std::vector<std::size_t> sizes;
    for (const std::string& piece : split(from_hex(parts[0]))) sizes.push_back(piece.size());
    REQUIRE(sizes == numbers<std::size_t>(parts[1]));
  });
}

TEST_CASE("gpt2_piece: the pieces of any bytes, joined, are those bytes", "[tokenizer]") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string text(random() % 100, ' '), joined;
    for (char& c : text) c = static_cast<char>(random() % (round % 2 ? 256 : 64));
    for (const std::string& piece : split(text)) {
      REQUIRE(!piece.empty());
      joined += piece;
    }
    REQUIRE(joined == text);
  }
}
