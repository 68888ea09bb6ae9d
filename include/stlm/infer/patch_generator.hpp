// PatchGenerator: continues texts byte by byte with a model over patches.
//
//   PatchGenerator<Model, Backend> generator(ctx, 256);               // remembers 256 patches
//   generator.generate(ctx, params, prompt, options, [](char c) { std::cout << c; });
//
// The core keeps keys and values of all patches read, the byte decoder those of the patch that is being written. A prompt
// is one full-width pass over its patches; its last one is left open, for the model to go on with. When the memory is full
// its later half is read again. Memory is allocated by the constructor, but for what draws and splits a text.
#pragma once

#include <string>
#include <string_view>

#include <stlm/core/host_copy.hpp>
#include <stlm/infer/detail/open_patch.hpp>
#include <stlm/infer/detail/patch_memory.hpp>
#include <stlm/infer/sampler.hpp>

namespace stlm {

/// `S`: the scalar of the weights that are given to it.
template <class Model, class Backend, class S = float>
class PatchGenerator {
  using T = activation_t<Backend, S>;
  using Head = typename Model::Head;
  using Boundary = typename Model::Boundary;
  static constexpr Index window = Model::window;
  static constexpr Token end_of_text = ByteTokenizer::end_of_text;

 public:
  PatchGenerator(Context<Backend>&, Index capacity, Boundary boundary = {})
      : memory_(capacity), open_(std::move(boundary)) {
    Pass one{1, 1};
    one.bytes_predicted = 1;
    head_memory_.allocate([&](Arena& arena) {
      Head::plan(arena, head_, one);
      if constexpr (!Head::parallel) Head::plan_decode(arena, head_state_, 1);
    });
    waiting_.reserve(static_cast<std::size_t>(window));
  }

  /// Forgets all, and begins a text.
  template <class P>
  void reset(Context<Backend>& ctx, const P& params) {
    memory_.reset();
    waiting_.clear();
    open_.begin_text();
    close(ctx, params);
  }

  /// Reads text that follows what was read. The last patch stays open.
  template <class P>
  void feed(Context<Backend>& ctx, const P& params, std::string_view text) {
    for (const Index length : open_.split(text)) {
      for (const char c : text.substr(0, static_cast<std::size_t>(length))) open_.append(static_cast<unsigned char>(c));
      text.remove_prefix(static_cast<std::size_t>(length));
      if (text.empty() && !open_.complete()) break;
      open_.close(waiting_, Model::pad);
    }
    go_on(ctx, params);
  }

  /// Scores of the next symbol: a byte, an end of text, or, where the model predicts them, the end of the patch.
  std::span<const compute_t<S>> logits() const {
    const Index row = Head::parallel ? open_.size() : 0;
    return row_(head_.logits.data() + row * Model::vocabulary);
  }
  /// Whether the model may say so here: where the end of a patch follows from its bytes, it is not for the model to say.
  bool allowed(Token symbol) const {
    return symbol != Model::pad || (Head::emits_end && !Boundary::known_from_past && open_.size() > 0);
  }

  /// Reads one symbol that follows.
  template <class P>
  void push(Context<Backend>& ctx, const P& params, Token symbol) {
    ops::expect_tokens("embedding_forward", &symbol, 1, Model::vocabulary, 0);
    if (symbol != Model::pad) open_.append(symbol);
    if (symbol == Model::pad || open_.complete())
      close(ctx, params);
    else if constexpr (!Head::parallel)
      step(ctx, params, symbol);
  }

  /// Continues `prompt`, calling `on_byte` for each byte as it is drawn; stops after max_bytes, at an end of text, or where
  /// `on_byte` returns false.
  template <class P, class OnByte>
  void generate(Context<Backend>& ctx, const P& params, std::string_view prompt, const SampleOptions& options,
                OnByte&& on_byte) {
    Sampler sampler(Model::vocabulary, options);
    TextRule rule(options.utf8, prompt);
    reset(ctx, params);
    feed(ctx, params, prompt);
    for (Index i = 0; i < options.max_bytes;) {
      const Token symbol = sampler(logits(), [&](Token id) { return allowed(id) && rule.allows(id); });
      rule.push(symbol);
      if (symbol == end_of_text) return;
      if (symbol < 256 && (!detail::goes_on(on_byte, static_cast<char>(symbol)) || ++i == options.max_bytes)) return;
      push(ctx, params, symbol);
    }
  }

 private:
  template <class P>
  void close(Context<Backend>& ctx, const P& params) {
    open_.close(waiting_, Model::pad);
    go_on(ctx, params);
  }
  /// Reads the patches that wait, and predicts what follows.
  template <class P>
  void go_on(Context<Backend>& ctx, const P& params) {
    memory_.read(ctx, params, waiting_);
    waiting_.clear();
    predict(ctx, params);
  }

  /// Scores of the symbol that follows the open patch's bytes, from the newest state.
  template <class P>
  void predict(Context<Backend>& ctx, const P& params) {
    if constexpr (Head::parallel) {
      Head::logits(ctx, params.tree().head, {1, 1}, memory_.newest(), head_);
    } else {
      for (Index i = 0; i <= open_.size(); ++i)
        Head::decode(ctx, params.tree().head, i, memory_.newest(), i == 0 ? Model::pad : open_[i - 1],
                     head_, head_state_);
    }
  }
  template <class P>
  void step(Context<Backend>& ctx, const P& params, Token symbol) {
    Head::decode(ctx, params.tree().head, open_.size(), memory_.newest(), symbol, head_, head_state_);
  }

  struct None {};
  template <class H>
  struct HeadState {
    using type = None;
  };
  template <class H>
    requires(!H::parallel)
  struct HeadState<H> {
    using type = typename H::template KvCache<T>;
  };

  detail::PatchMemory<Model, Backend, S> memory_;
  detail::OpenPatch<Boundary, window> open_;
  PlannedMemory<typename Backend::memory_space> head_memory_;
  typename Head::template Cache<T> head_{};
  typename HeadState<Head>::type head_state_{};
  HostRow<Backend, T, Model::vocabulary> row_;
  std::vector<Token> waiting_;  // slots of patches that are yet to be read
};

}  // namespace stlm
