// DecodeStep: decodes one new token of each of several sequences with their KV cache. A GPU records the step once for each
// number of sequences and replays it as a graph, from text to text, while the memory of weights, cache and state stays the
// same; the graph reads tokens and places at fixed addresses.
#pragma once

#include <algorithm>
#include <map>
#include <span>

#include <stlm/core/activation.hpp>
#include <stlm/core/batch.hpp>
#include <stlm/core/recorded.hpp>
#include <stlm/core/staged.hpp>
#include <stlm/infer/detail/same_bytes.hpp>

namespace stlm {

template <class Model, class Backend>
class DecodeStep {
 public:
  /// For a KV cache of `sequences` sequences of `capacity` tokens.
  DecodeStep(Context<Backend>& ctx, Index sequences, Index capacity)
      : capacity_(capacity), tokens_(ctx, sequences), places_(ctx, sequences) {}

  static Pass pass(Index sequences, Index tokens = 1) {
    Pass pass{sequences, tokens};
    pass.last = true;
    return pass;
  }

  struct Nothing {
    void operator()() const {}
  };

  /// Writes the logits of the token after each of `tokens` into `cache`, which must be laid out for pass(tokens.size()).
  /// The step ends with `after()`, which is recorded with it.
  template <class P, class C, class S, class After = Nothing>
  void run(Context<Backend>& ctx, const P& params, std::span<const Token> tokens, std::span<const Place> places, C& cache,
           const S& state, const After& after = {}) {
    expect(tokens.size() == places.size(), "stlm::DecodeStep: ", tokens.size(), " tokens, ", places.size(),
           " places; give one place a token.");
    expect_sequences(std::ssize(tokens));
    std::ranges::copy(tokens, tokens_.data());
    tokens_.send(ctx);
    run_drawn(ctx, params, tokens_.data(), places, cache, state, after);
  }
  /// As `run`, but the step reads its tokens at `drawn`, an address that ops can read.
  template <class P, class C, class S, class After = Nothing>
  void run_drawn(Context<Backend>& ctx, const P& params, const Token* drawn, std::span<const Place> places, C& cache,
                 const S& state, const After& after = {}) {
    expect_sequences(std::ssize(places));
    // A replay runs none of the checks inside the recorded work.
    expect_room("DecodeStep", {places.data()}, std::ssize(places), 1, places_.size(), capacity_);
    std::ranges::copy(places, places_.data());
    places_.send(ctx);
    Pass here = pass(std::ssize(places));
    here.places = places_.data();
    const auto work = [&] {
      Model::decode(ctx, params.tree(), here, {drawn, here.batch, 1}, cache, state);
      after();
    };
    if constexpr (Recorded<Backend>::replays) {
      Recording& recording = recording_of({here.batch, drawn != tokens_.data(), !std::is_same_v<After, Nothing>});
      if (!recording.same_memory(params.tree(), cache, state)) recording.step = {};
      recording.step.run(ctx, {}, work);
    } else {
      work();
    }
  }
  /// Forgets what was recorded. Call this when `after` does other work, or in other memory, than in the previous run.
  void begin_anew() { recordings_.clear(); }

 private:
  struct Recording {
    Recorded<Backend> step;
    detail::SameBytes same_memory;  // as the recorded step has
  };
  static constexpr std::size_t most_recordings = 64;

  Recording& recording_of(const RecordedShape& kind) {
    if (recordings_.size() == most_recordings && !recordings_.contains(kind)) begin_anew();
    return recordings_[kind];
  }
  void expect_sequences(Index sequences) const {
    expect(sequences <= places_.size(), "stlm::DecodeStep: ", sequences, " sequences, room for ", places_.size(),
           "; construct it for as many as the cache has.");
  }

  Index capacity_;
  Staged<Backend, Token> tokens_;
  Staged<Backend, Place> places_;
  std::map<RecordedShape, Recording> recordings_;  // by number of sequences, place of the tokens, and with `after` or without
};

}  // namespace stlm
