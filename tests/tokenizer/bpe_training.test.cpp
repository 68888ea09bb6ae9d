#include <stlm/tokenizer/bpe_training.hpp>

#include <random>

#include <stlm/data/story_grammar.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using stlm::GreedyMerges;
using stlm::ReferenceMerges;
using stlm::train_bpe;

TEST_CASE("train_bpe: 256 bytes, merges, the pad and the end of text", "[tokenizer]") {
  const std::string text = stlm::make_stories(1, 20'000);
  const auto greedy = train_bpe<GreedyMerges>(text, 300);
  CHECK(greedy.vocabulary() == 300);
  CHECK(greedy.pad() == 298);
  CHECK(greedy.end_of_text() == 299);
  CHECK(greedy.parts().merges.size() == 42);
  CHECK(greedy.parts().pre_split);
  CHECK_FALSE(train_bpe<ReferenceMerges>(text, 300).parts().pre_split);
  CHECK(train_bpe<GreedyMerges>(text, 258).parts().merges.empty());
}

TEST_CASE("train_bpe: what is learnt shortens the text and loses nothing", "[tokenizer]") {
  const std::string text = stlm::make_stories(1, 100'000);
  const auto check = [&](const stlm::BpeTokenizer& tokenizer) {
    const auto ids = tokenizer.encode(text);
    CHECK(ids.size() < text.size() / 3);
    CHECK(tokenizer.decode(ids) == text);
    std::mt19937 random(1);
    for (int round = 0; round < 100; ++round) {
      std::string noise(random() % 200, ' ');
      for (char& c : noise) c = static_cast<char>(random() % 256);
      REQUIRE(tokenizer.decode(tokenizer.encode(noise)) == noise);
    }
  };
  check(train_bpe<GreedyMerges>(text, 1024));
  check(train_bpe<ReferenceMerges>(text, 1024));
}

TEST_CASE("train_bpe: vocabularies that cannot be are refused", "[tokenizer]") {
  CHECK(error_of<stlm::Error>([] { train_bpe<GreedyMerges>("abc", 257); }) ==
        "stlm::train_bpe: expected a vocabulary of 258 ids or more, found 257; 256 are bytes and two are specials.");
  CHECK(error_of<stlm::Error>([] { train_bpe<GreedyMerges>("abc", 261); }) ==
        "stlm::train_bpe: expected texts with 3 pairs to merge, found 2; give more text, or a vocabulary of at most "
        "260.");
  CHECK_THROWS_AS(train_bpe<ReferenceMerges>("", 300), stlm::Error);
}
