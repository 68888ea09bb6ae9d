// A flat model over byte pairs, which are learnt from the training part alone: 1,024 tokens, 766 of them merges. The merges do
// not count as parameters; the embedding of the tokens does.
#include <stlm/tokenizer/bpe_training.hpp>

#include "row.hpp"
#include "token_reading.hpp"

struct Bpe : stlm::TokenModelDefaults {
  static constexpr stlm::BatchShape shape{.batch = 16, .tokens = 128};
  static constexpr int vocabulary = 1024, dim = 128, layers = 4, heads = 4, ffn_dim = 400;
};
using Model = stlm::TokenModel<Bpe>;

int main(int argc, char** argv) {
  CLI::App app("A flat model over 1,024 byte pairs of the training text", "quality_bpe");
  return quality::run_row<Model>(app, argc, argv, Bpe::shape, [](const stlm::ByteText& train) {
    std::vector<std::string_view> texts;
    train.for_each_document([&](std::string_view document, bool) { texts.push_back(document); });
    return quality::TokenReading<Model>(stlm::train_bpe<stlm::GreedyMerges>(texts, Bpe::vocabulary), Bpe::shape);
  });
}
