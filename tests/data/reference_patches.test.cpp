#include <stlm/data/reference_patches.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

/// A tokenizer whose tokens are three bytes each.
struct Threes {
  std::vector<Token> encode(std::string_view source) const {
    all() = source;
    std::vector<Token> ids;
    for (std::size_t i = 0; i < source.size(); i += 3) ids.push_back(static_cast<Token>(i));
    return ids;
  }
  std::string token_bytes(Token id) const { return all().substr(static_cast<std::size_t>(id), 3); }
  static std::string& all() {
    static std::string source;
    return source;
  }
};

std::string hex(const PatchText& text) {
  std::string out;
  std::vector<Token> slots(static_cast<std::size_t>(text.window()));
  for (Index p = 0; p < text.size(); ++p) {
    text.copy(p, 1, slots.data());
    out += p > 0 ? " " : "";
    for (Index i = 0; i < text.length(p); ++i) {
      const auto byte = static_cast<std::size_t>(slots[static_cast<std::size_t>(i)]);
      out += "0123456789abcdef"[byte / 16];
      out += "0123456789abcdef"[byte % 16];
    }
  }
  return out;
}

}  // namespace

// The expected values are those that make_reference_patches.py prints.
TEST_CASE("reference_patches: what the reference makes of a text", "[data]") {
  const std::string text = "caf\xc3\xa9 \xe2\x82\xac\xf0\x9f\x98\x80 x<>plain words<>\xff\xc3\xe2\x82";
  const TokenBoundary threes(std::make_shared<const Threes>());
  CHECK(hex(reference_patches(ByteText::from_string(text, "<>"), threes, 12)) ==
        "636166 c3a920 e282ac efbfbd efbfbd2078 3c7c656e646f66746578747c 706c61 696e20 776f72 6473 "
        "3c7c656e646f66746578747c efbfbdefbfbdefbfbd efbfbd");
  CHECK(hex(reference_patches(ByteText::from_string(text, "<>"), threes, 4)) ==
        "636166 c3a920 e282ac efbfbd efbfbd20 3c7c656e 706c61 696e20 776f72 6473 3c7c656e efbfbdef efbfbd");
  CHECK_THROWS_AS(reference_patches(ByteText::from_string(text), threes, 0), Error);
}
