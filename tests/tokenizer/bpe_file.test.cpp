#include <stlm/tokenizer/bpe_file.hpp>

#include <stlm/data/story_grammar.hpp>
#include <stlm/tokenizer/bpe_training.hpp>

#include "small_gpt2.hpp"
#include "support/catch.hpp"

using stlm::BpeTokenizer;
using stlm::FileError;

namespace {
const std::string small_file =
    "stlm-bpe 1\npre-split gpt2\nmerges 4\n32 116 \\x20t\n104 101 he\n256 257 \\x20the\n92 255 \\x5c\\xff\n";

BpeTokenizer load(const std::string& text) {
  const TemporaryFolder folder;
  write_text(folder / "bpe.txt", text);
  return stlm::load_bpe(folder / "bpe.txt");
}
std::string error(const std::string& text) {
  const std::string sentence = error_of<FileError>([&] { load(text); });
  const std::size_t begin = sentence.find("bpe.txt\" "), end = sentence.find(stlm::JsonReader::damaged);
  CHECK(sentence.starts_with("stlm::load_bpe: "));
  CHECK(end != sentence.npos);
  return begin == sentence.npos ? sentence : sentence.substr(begin + 9, end - begin - 9);
}
std::string error(const std::string& from, const std::string& to) {
  return error(replaced(small_file, from, to));
}
}  // namespace

TEST_CASE("save_bpe: a text to read, and the same tokenizer again", "[tokenizer]") {
  const TemporaryFolder folder;
  const BpeTokenizer tokenizer({.merges = {{' ', 't'}, {'h', 'e'}, {256, 257}, {'\\', 255}}});
  stlm::save_bpe(tokenizer, folder / "bpe.txt");
  CHECK(read_text(folder / "bpe.txt") == small_file);
  const BpeTokenizer loaded = load(small_file);
  CHECK(loaded.parts().merges == tokenizer.parts().merges);
  CHECK(loaded.parts().pre_split);
  CHECK(loaded.vocabulary() == 262);
}

TEST_CASE("save_bpe: trained tokenizers of both rules come back", "[tokenizer]") {
  const TemporaryFolder folder;
  const std::string text = stlm::make_stories(1, 50'000) + std::string("\xff\0\\\n", 4);
  const auto check = [&](const BpeTokenizer& tokenizer) {
    stlm::save_bpe(tokenizer, folder / "bpe.txt");
    const BpeTokenizer loaded = stlm::load_bpe(folder / "bpe.txt");
    CHECK(loaded.parts().merges == tokenizer.parts().merges);
    CHECK(loaded.parts().pre_split == tokenizer.parts().pre_split);
    CHECK(loaded.encode(text) == tokenizer.encode(text));
  };
  check(stlm::train_bpe<stlm::GreedyMerges>(text, 500));
  check(stlm::train_bpe<stlm::ReferenceMerges>(text, 500));
  check(BpeTokenizer());
}

TEST_CASE("load_bpe: damaged files are refused with the line", "[tokenizer]") {
  CHECK(error("stlm-bpe 1", "stlm-bpe 2") == "line 1: expected \"stlm-bpe 1\", found \"stlm-bpe 2\"");
  CHECK(error("pre-split gpt2", "pre-split") ==
        "line 2: expected \"pre-split gpt2\" or \"pre-split none\", found \"pre-split\"");
  CHECK(error("merges 4", "merges") == "line 3: expected \"merges \" and their number, found \"merges\"");
  CHECK(error("merges 4", "merges -4").find("line 3: expected") == 0);
  CHECK(error("merges 4", "merges 4 ").find("line 3: expected") == 0);
  CHECK(error("merges 4", "merges 5") == "line 8: expected 5 merges, of which 1 are missing, found nothing");
  CHECK(error("merges 4", "merges 3") == "line 7: expected no more than 3 merges, found \"92 255 \\\\x5c\\\\xff\"");
  const std::string ids = "expected two ids below 257 that no line before has, and the bytes they make, found ";
  CHECK(error("104 101 he", "104 257 he") == "line 5: " + ids + "\"104 257 he\"");
  CHECK(error("104 101 he", "-1 101 he") == "line 5: " + ids + "\"-1 101 he\"");
  CHECK(error("104 101 he", "104 99999999999 he") == "line 5: " + ids + "\"104 99999999999 he\"");
  CHECK(error("104 101 he", "32 116 \\x20t") == "line 5: " + ids + "\"32 116 \\\\x20t\"");
  CHECK(error("104 101 he", "") == "line 5: " + ids + "nothing");
  CHECK(error("104 101 he", "104 101 ha") == "line 5: expected \"104 101 he\", found \"104 101 ha\"");
  CHECK(error("104 101 he", "105 101 he") == "line 5: expected \"105 101 ie\", found \"105 101 he\"");
  CHECK(error("104 101 he", "104 101 he ") == "line 5: expected \"104 101 he\", found \"104 101 he \"");
  CHECK(error("104 101 he", "104 101 he\r").find("line 5: expected") == 0);
  CHECK(error("104 101 he", "104 101") == "line 5: expected \"104 101 he\", found \"104 101\"");
}

TEST_CASE("load_bpe: a file cut off anywhere is refused, a missing one is named", "[tokenizer]") {
  for (std::size_t size = 0; size + 1 < small_file.size(); ++size)  // the last line break may be missing
    CHECK(error(small_file.substr(0, size)).find("line ") == 0);
  CHECK(error_of<FileError>([] { stlm::load_bpe("/nowhere/bpe.txt"); }).find("/nowhere/bpe.txt") != std::string::npos);
}

TEST_CASE("save_bpe: what its file cannot say is refused", "[tokenizer]") {
  const TemporaryFolder folder;
  write_text(folder / "encoder.json", small_gpt2_encoder());
  write_text(folder / "vocab.bpe", small_gpt2_merges);
  const auto gpt2 = stlm::load_gpt2(folder / "encoder.json", folder / "vocab.bpe");
  CHECK(error_of<stlm::Error>([&] {
          stlm::save_bpe(gpt2, folder / "bpe.txt");
        }).find("keep the files it was loaded from") != std::string::npos);
  CHECK(folder.names() == std::vector<std::string>{"encoder.json", "vocab.bpe"});
}
