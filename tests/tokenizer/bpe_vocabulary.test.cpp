#include <stlm/tokenizer/bpe_vocabulary.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using stlm::BpeVocabulary;
using stlm::Token;
using stlm::detail::BpeTable;

TEST_CASE("BpeTable: bytes first, then the merges in order", "[tokenizer]") {
  BpeVocabulary parts{.merges = {{'a', 'b'}, {256, 'c'}, {257, 257}}};
  std::swap(parts.byte_ids[0], parts.byte_ids[255]);
  const BpeTable table(parts);
  CHECK(table.size() == 259);
  CHECK(table.bytes(255) == std::string_view("\0", 1));
  CHECK(table.bytes(0) == "\xff");
  CHECK(table.bytes(258) == "abcabc");
  CHECK(table.merges().size() == 3);
  CHECK(*table.merges().find({256, 'c'}) == 257);
  CHECK(table.merges().find({'c', 256}) == nullptr);
}

TEST_CASE("BpeTable: what cannot be a vocabulary is refused", "[tokenizer]") {
  const auto error = [](BpeVocabulary parts) { return error_of<stlm::Error>([&] { BpeTable{parts}; }); };
  CHECK(error({.merges = {{'a', 256}}}) ==
        "stlm::BpeTokenizer: expected id 256 to merge two smaller ids, found 97 and 256; give merges in the order "
        "learnt.");
  CHECK(error({.merges = {{'a', -1}}}).find("two smaller ids, found 97 and -1") != std::string::npos);
  CHECK(error({.merges = {{'a', 'b'}, {'a', 'b'}}}) ==
        "stlm::BpeTokenizer: ids 256 and 257 both merge 97 and 98; remove one.");
  CHECK(error({.specials = {}}).find("a special that ends a text") != std::string::npos);
  BpeVocabulary parts;
  parts.byte_ids[1] = 0;
  CHECK(error(parts).find("once each, found 0 for byte 1.") != std::string::npos);
  parts = {.merges = {{'a', 'a'}}};
  for (Token id = 256; id < 300; ++id) parts.merges.push_back({id, id});  // the last token would have 2^45 bytes
  CHECK(error(parts).find("have more than 67108864 bytes") != std::string::npos);
}
