// The ids of GPT-2, which need its two files in the folder STLM_DATA_DIR.
#include <cstdlib>

#include <stlm/tokenizer/gpt2_files.hpp>

#include "golden.hpp"

TEST_CASE("load_gpt2: the ids of tiktoken, and the bytes again", "[tokenizer][golden]") {
  const char* const folder = std::getenv("STLM_DATA_DIR");
  if (!folder) {
    WARN("skipped: STLM_DATA_DIR is not set to a folder with gpt2_encoder.json and gpt2_vocab.bpe");
    return;
  }
  const std::string path = folder;
  const auto tokenizer = stlm::load_gpt2(path + "/gpt2_encoder.json", path + "/gpt2_vocab.bpe");
  CHECK(tokenizer.vocabulary() == 50257);
  CHECK(tokenizer.end_of_text() == 50256);
  CHECK(tokenizer.pad() == 50256);
  for_each_golden("gpt2.txt", 941, [&](const std::vector<std::string>& parts) {
    const std::string text = from_hex(parts[0]);
    const std::vector<stlm::Token> ids = numbers<stlm::Token>(parts[2]);
    REQUIRE(tokenizer.encode(text) == ids);
    REQUIRE(tokenizer.decode(ids) == text);
  });
  CHECK(tokenizer.encode("<|endoftext|>") == std::vector<stlm::Token>{27, 91, 437, 1659, 5239, 91, 29});
  CHECK(tokenizer.encode("<|endoftext|>", {"<|endoftext|>"}) == std::vector<stlm::Token>{50256});
  // The slowest kind of text, a single piece: quadratic time would not end.
  CHECK(tokenizer.encode(std::string(std::size_t{4} << 20, 'a')).size() == std::size_t{1} << 20);
}
