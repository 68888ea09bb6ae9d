#include <stlm/tokenizer/reference_bpe_file.hpp>

#include <stlm/data/story_grammar.hpp>
#include <stlm/tokenizer/bpe_training.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using stlm::BpeTokenizer;
using stlm::FileError;

namespace {
BpeTokenizer load(const std::string& text) {
  const TemporaryFolder folder;
  write_text(folder / "bpe.model", text);
  return stlm::load_reference_bpe(folder / "bpe.model");
}
std::string error(const std::string& text) {
  const std::string sentence = error_of<FileError>([&] { load(text); });
  const std::size_t begin = sentence.find("bpe.model\" "), end = sentence.find(stlm::JsonReader::damaged);
  CHECK(sentence.starts_with("stlm::load_reference_bpe: "));
  REQUIRE((begin != sentence.npos && end != sentence.npos));
  return sentence.substr(begin + 11, end - begin - 11);
}
}  // namespace

TEST_CASE("load_reference_bpe: a line for each merge", "[tokenizer]") {
  const BpeTokenizer tokenizer = load("97 98\n256 97\r\n97 97");
  CHECK(tokenizer.parts().merges == std::vector<stlm::TokenPair>{{97, 98}, {256, 97}, {97, 97}});
  CHECK(tokenizer.vocabulary() == 261);
  CHECK(tokenizer.pad() == 259);
  CHECK(tokenizer.encode("aababaa b") == std::vector<stlm::Token>{97, 256, 257, 97, 32, 98});
  CHECK(load("").vocabulary() == 258);
}

TEST_CASE("load_reference_bpe: the tokenizer that the reference's rule learns", "[tokenizer]") {
  const std::string text = stlm::make_stories(1, 50'000);
  const BpeTokenizer learnt = stlm::train_bpe<stlm::ReferenceMerges>(text, 500);
  std::string lines;
  for (const auto [left, right] : learnt.parts().merges)
    lines.append(std::to_string(left)).append(" ").append(std::to_string(right)).append("\n");
  const BpeTokenizer loaded = load(lines);
  CHECK(loaded.vocabulary() == 500);
  CHECK(loaded.encode(text) == learnt.encode(text));
  CHECK(loaded.decode(loaded.encode(text)) == text);
}

TEST_CASE("load_reference_bpe: damaged files are refused with the line", "[tokenizer]") {
  CHECK(error("97 98\n256\n") == "line 2: expected two ids from 0 to 256 that no line before has, found \"256\"");
  CHECK(error("97 98\n\n") == "line 2: expected two ids from 0 to 256 that no line before has, found nothing");
  for (const char* bad : {"97 98\n97 98\n", "97 98\n97 257\n", "97 98\n-1 97\n", "97 98\n97 98 99\n", "97 98\n97 9x\n",
                          "97 98\n97  98\n", "97 98\n97\t99\n", "97 98\n 97 99\n", "97 98\n97 99999999999\n"})
    CHECK(error(bad).starts_with("line 2: expected two ids"));
  CHECK_THROWS_AS(stlm::load_reference_bpe("no such file"), FileError);
}
