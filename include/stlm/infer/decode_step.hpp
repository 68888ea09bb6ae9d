// DecodeStep: one new token of each of several sequences, over a cache of their keys and values. A GPU records it once and
// replays it as a graph, as long as their number stays the same: tokens and places lie where it reads them each time.
#pragma once

#include <algorithm>
#include <span>

#include <stlm/core/activation.hpp>
#include <stlm/core/recorded.hpp>
#include <stlm/core/staged.hpp>

namespace stlm {

template <class Model, class Backend>
class DecodeStep {
 public:
  DecodeStep(Context<Backend>& ctx, Index most) : tokens_(ctx, most), places_(ctx, most) {}

  static Pass pass(Index sequences, Index tokens = 1) {
    Pass pass{sequences, tokens};
    pass.last = true;
    return pass;
  }

  struct Nothing {
    void operator()() const {}
  };

  /// Logits of what follows each token are in `cache` then, which is laid out for pass(tokens.size()); `after()` is a
  /// part of the step.
  template <class P, class C, class S, class After = Nothing>
  void run(Context<Backend>& ctx, const P& params, std::span<const Token> tokens, std::span<const Place> places, C& cache,
           const S& state, const After& after = {}) {
    expect(tokens.size() == places.size(), "stlm::DecodeStep: ", tokens.size(), " tokens, ", places.size(),
           " places; give one place a token.");
    expect_room(std::ssize(tokens));
    std::ranges::copy(tokens, tokens_.data());
    tokens_.send(ctx);
    run_drawn(ctx, params, tokens_.data(), places, cache, state, after);
  }
  /// As run, of the tokens that lie at `drawn` by then, a place that ops read.
  template <class P, class C, class S, class After = Nothing>
  void run_drawn(Context<Backend>& ctx, const P& params, const Token* drawn, std::span<const Place> places, C& cache,
                 const S& state, const After& after = {}) {
    expect_room(std::ssize(places));
    std::ranges::copy(places, places_.data());
    places_.send(ctx);
    Pass here = pass(std::ssize(places));
    here.places = places_.data();
    recorded_.run(ctx, {here.batch, drawn != tokens_.data(), !std::is_same_v<After, Nothing>}, [&] {
      Model::decode(ctx, params.tree(), here, {drawn, here.batch, 1}, cache, state);
      after();
    });
  }
  /// To be called when parameters, cache or state may be others than in the run before.
  void begin_anew() { recorded_ = {}; }

 private:
  void expect_room(Index sequences) const {
    expect(sequences <= places_.size(), "stlm::DecodeStep: ", sequences, " sequences, room for ", places_.size(),
           "; construct it for the most there will be.");
  }

  Staged<Backend, Token> tokens_;
  Staged<Backend, Place> places_;
  Recorded<Backend> recorded_;
};

}  // namespace stlm
