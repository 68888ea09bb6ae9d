// Byte-pair encoding on one thread, in bytes of text a second.
//
//   split, encode, decode    with GPT-2's vocabulary; split runs gpt2_piece alone
//   learn, encode_learnt     a vocabulary of 1024 or 2048 ids from 4 MB of the built-in stories. ReferenceMerges does not
//                            split a text into pieces
//
// GPT-2's two files and the texts lie in the folder STLM_DATA_DIR; a benchmark whose file is missing is skipped with a message.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include <stlm/data/story_grammar.hpp>
#include <stlm/tokenizer/bpe_training.hpp>
#include <stlm/tokenizer/gpt2_files.hpp>

namespace {

template <class Work>
void measure(benchmark::State& state, std::string_view text, Work&& work) {
  for (auto _ : state) {
    auto result = work();
    benchmark::DoNotOptimize(result);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}

/// Calls use(tokenizer, text) with GPT-2's tokenizer and a file's text.
template <class Use>
void with_gpt2(benchmark::State& state, const char* name, Use&& use) try {
  const char* const variable = std::getenv("STLM_DATA_DIR");
  const std::string folder = variable ? variable : ".";
  static const stlm::BpeTokenizer tokenizer =
      stlm::load_gpt2(folder + "/gpt2_encoder.json", folder + "/gpt2_vocab.bpe");
  const stlm::MappedFile file(folder + "/" + name);
  use(tokenizer, file.text());
} catch (const stlm::FileError& error) {
  state.SkipWithError(error.what());
}

void split(benchmark::State& state, const char* name) {
  with_gpt2(state, name, [&](const stlm::BpeTokenizer&, std::string_view text) {
    measure(state, text, [&] {
      std::size_t pieces = 0;
      for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(stlm::gpt2_piece(rest))) ++pieces;
      return pieces;
    });
  });
}
void encode(benchmark::State& state, const char* name) {
  with_gpt2(state, name, [&](const stlm::BpeTokenizer& tokenizer, std::string_view text) {
    measure(state, text, [&] { return tokenizer.encode(text); });
  });
}
void decode(benchmark::State& state, const char* name) {
  with_gpt2(state, name, [&](const stlm::BpeTokenizer& tokenizer, std::string_view text) {
    measure(state, text, [&, ids = tokenizer.encode(text)] { return tokenizer.decode(ids); });
  });
}

const std::string& stories() {
  static const std::string text = stlm::make_stories(1, 4'000'000);
  return text;
}

template <class Rule>
void learn(benchmark::State& state) {
  measure(state, stories(), [&] { return stlm::train_bpe<Rule>(stories(), static_cast<stlm::Token>(state.range(0))); });
}
template <class Rule>
void encode_learnt(benchmark::State& state) {
  const auto tokenizer = stlm::train_bpe<Rule>(stories(), static_cast<stlm::Token>(state.range(0)));
  measure(state, stories(), [&] { return tokenizer.encode(stories()); });
}

}  // namespace

BENCHMARK_CAPTURE(split, tinyshakespeare, "tinyshakespeare.txt")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, tinyshakespeare, "tinyshakespeare.txt")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, wikitext2, "wikitext2_valid.txt")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, tinystories, "tinystories_valid.txt")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, kjv, "kjv.txt")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode, tinyshakespeare, "tinyshakespeare.txt")->Unit(benchmark::kMillisecond);

BENCHMARK(learn<stlm::GreedyMerges>)->Arg(1024)->Arg(2048)->Unit(benchmark::kMillisecond);
BENCHMARK(learn<stlm::ReferenceMerges>)->Arg(1024)->Arg(2048)->Unit(benchmark::kMillisecond);
BENCHMARK(encode_learnt<stlm::GreedyMerges>)->Arg(1024)->Arg(2048)->Unit(benchmark::kMillisecond);
BENCHMARK(encode_learnt<stlm::ReferenceMerges>)->Arg(1024)->Arg(2048)->Unit(benchmark::kMillisecond);
