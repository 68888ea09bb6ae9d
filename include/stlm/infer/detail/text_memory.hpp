// TextMemory: what a model has read of each of several texts: its tokens, and their keys and values per layer.
//
// When a text of `capacity` tokens goes on, the memory forgets its earlier half and reads the later half again as a new text.
#pragma once

#include <vector>

#include <stlm/infer/decode_step.hpp>
#include <stlm/models/program.hpp>

namespace stlm::detail {

/// `S`: the scalar type of the weights. The constructor allocates all memory. Errors name `who`.
template <class Model, class Backend, class S>
class TextMemory {
  using T = activation_t<Backend, S>;
  using Step = DecodeStep<Model, Backend>;

 public:
  TextMemory(const char* who, Context<Backend>& ctx, Index texts, Index capacity)
      : who_(who), capacity_(checked(who, texts, capacity)), step_(ctx, texts, capacity),
        seen_(static_cast<std::size_t>(texts)) {
    memory_.allocate([&](Arena& arena) { Model::plan(arena, cache_, Step::pass(texts, (capacity + texts - 1) / texts)); });
    state_memory_.allocate([&](Arena& arena) { Model::plan_decode(arena, state_, texts, capacity); });
    for (std::vector<Token>& tokens : seen_) tokens.reserve(static_cast<std::size_t>(capacity));
    kept_.reserve(static_cast<std::size_t>(capacity));
    places_.reserve(static_cast<std::size_t>(texts));
  }

  /// Forgets all texts.
  void reset() {
    for (std::vector<Token>& tokens : seen_) tokens.clear();
  }
  /// Later steps may end with other work than earlier ones.
  void begin_anew() { step_.begin_anew(); }
  bool full(Index text) const { return length(text) == capacity_; }
  /// Logits (N, vocabulary) of the token that follows each of the N texts read last.
  const auto& logits() const { return cache_.head.logits; }

  /// Reads tokens of one text.
  template <class P>
  void read(Context<Backend>& ctx, const P& params, Index text, std::span<const Token> tokens) {
    ops::expect_tokens(who_, tokens.data(), std::ssize(tokens), Model::vocabulary, 0);
    while (!tokens.empty()) {
      make_room(ctx, params, text);
      const auto now = tokens.first(std::min(tokens.size(), static_cast<std::size_t>(capacity_ - length(text))));
      if (now.size() == 1)
        step(ctx, params, {&text, 1}, now);
      else
        read_together(ctx, params, text, now);
      tokens = tokens.subspan(now.size());
    }
  }

  /// Reads one token of each of `texts`. The step ends with `after()`, which is recorded with it.
  template <class P, class After = typename Step::Nothing>
  void step(Context<Backend>& ctx, const P& params, std::span<const Index> texts, std::span<const Token> tokens,
            const After& after = {}) {
    place(ctx, params, texts);
    step_.run(ctx, params, tokens, places_, cache_, state_, after);
    for (std::size_t i = 0; i < texts.size(); ++i) note(texts[i], tokens[i]);
  }
  /// As `step`, but reads the tokens at `drawn`, in the device's memory. Pass each to `note` when the host knows it.
  template <class P, class After>
  void step_drawn(Context<Backend>& ctx, const P& params, std::span<const Index> texts, const Token* drawn,
                  const After& after) {
    place(ctx, params, texts);
    step_.run_drawn(ctx, params, drawn, places_, cache_, state_, after);
  }
  void note(Index text, Token token) { seen(text).push_back(token); }

 private:
  static Index checked(const char* who, Index texts, Index capacity) {
    expect<Error>(texts >= 1, "stlm::", who, ": expected at least one text, found ", texts, ".");
    expect<Error>(capacity >= 2, "stlm::", who, ": expected a capacity of at least 2 tokens, found ", capacity, ".");
    expect_tokens_in(who, {texts, capacity});
    expect_positions<Model>(who, capacity);
    return capacity;
  }
  std::vector<Token>& seen(Index text) { return seen_[static_cast<std::size_t>(text)]; }
  Index length(Index text) const { return std::ssize(seen_[static_cast<std::size_t>(text)]); }

  template <class P>
  void make_room(Context<Backend>& ctx, const P& params, Index text) {
    if (!full(text)) return;
    kept_.assign(seen(text).end() - capacity_ / 2, seen(text).end());
    seen(text).clear();
    read(ctx, params, text, kept_);
  }
  template <class P>
  void place(Context<Backend>& ctx, const P& params, std::span<const Index> texts) {
    expect_scalar<Backend, S, P>();
    for (const Index text : texts) make_room(ctx, params, text);
    places_.clear();
    for (const Index text : texts) places_.push_back({text, length(text)});
    bind(Step::pass(std::ssize(texts)));
  }
  template <class P>
  void read_together(Context<Backend>& ctx, const P& params, Index text, std::span<const Token> tokens) {
    expect_scalar<Backend, S, P>();
    const Place place{text, length(text)};
    Pass pass = Step::pass(1, std::ssize(tokens));
    if (seen_.size() == 1)  // a single text needs no Place, and ops are faster without
      pass.position = place.position;
    else
      pass.places = &place;
    bind(pass);
    Model::decode(ctx, params.tree(), pass, {tokens.data(), 1, pass.tokens}, cache_, state_);
    seen(text).insert(seen(text).end(), tokens.begin(), tokens.end());
  }
  void bind(const Pass& pass) {
    if (pass.batch == planned_.batch && pass.tokens == planned_.tokens) return;
    memory_.bind([&](Arena& arena) { Model::plan(arena, cache_, pass); });
    planned_ = {pass.batch, pass.tokens};
  }

  const char* who_;
  Index capacity_;
  PlannedMemory<typename Backend::memory_space> memory_, state_memory_;
  typename Model::template Cache<T> cache_{};
  typename Model::template KvCache<T> state_{};
  Step step_;
  BatchShape planned_{0, 0};  // none yet
  std::vector<std::vector<Token>> seen_;
  std::vector<Token> kept_;
  std::vector<Place> places_;
};

}  // namespace stlm::detail
