// PatchGenerator: continues texts byte by byte with a model over patches.
//
//   PatchGenerator<Model, Backend> generator(ctx, 256);               // remembers 256 patches
//   generator.generate(ctx, params, prompt, options, [](char c) { std::cout << c; });
//
// The core caches keys and values of all patches read, the byte decoder those of the bytes of the open patch, which is being
// written. A prompt is read in one full-width pass over its patches; its last patch stays open for the model to continue. When
// the memory is full, its later half is read again. The constructor allocates everything except the sampler of each text and
// the lengths of the patches that a text is split into.
#pragma once

#include <string>
#include <string_view>

#include <stlm/infer/detail/open_patch.hpp>
#include <stlm/infer/detail/patch_decoder.hpp>
#include <stlm/infer/detail/patch_memory.hpp>
#include <stlm/infer/sampler.hpp>
#include <stlm/infer/token_rule.hpp>

namespace stlm {

/// `S`: the scalar type of the weights.
template <class Model, class Backend, class S = float>
class PatchGenerator {
  using Head = typename Model::Head;
  using Boundary = typename Model::Boundary;
  static constexpr Index window = Model::window;
  static constexpr Token end_of_text = ByteTokenizer::end_of_text;

 public:
  PatchGenerator(Context<Backend>&, Index capacity, Boundary boundary = {})
      : memory_(capacity), open_(std::move(boundary), written_end()) {
    waiting_.reserve(static_cast<std::size_t>(window));
  }

  /// Forgets everything and begins a new text.
  template <class P>
  void reset(Context<Backend>& ctx, const P& params) {
    memory_.reset();
    waiting_.clear();
    open_.begin_text();
    close(ctx, params);
  }

  /// Reads `text`, which follows the text read before. The last patch stays open unless it is complete.
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

  /// The logits of the next symbol: a byte, an end of text or, if the model predicts it, the end of the patch.
  std::span<const compute_t<S>> logits() const { return decoder_.logits(open_.size()); }
  /// Whether `symbol` may follow. The end of a patch may follow only if the head predicts it, the boundary is not known from
  /// the bytes alone, and the open patch has a byte.
  bool allowed(Token symbol) const {
    return symbol != Model::pad || (Head::emits_end && !Boundary::known_from_past && open_.size() > 0);
  }

  /// Reads the next symbol.
  template <class P>
  void push(Context<Backend>& ctx, const P& params, Token symbol) {
    ops::expect_tokens("PatchGenerator", &symbol, 1, Model::vocabulary, 0);
    expect<Error>(allowed(symbol), "stlm::PatchGenerator: found the end of a patch where it follows from the bytes of the "
                                   "patch, or no byte is in it yet; push a byte.");
    if (symbol != Model::pad) open_.append(symbol);
    if (symbol == Model::pad || open_.complete())
      close(ctx, params);
    else if constexpr (!Head::parallel)
      decoder_.step(ctx, params, memory_.newest(), open_);
  }

  /// Continues `prompt`, calling `on_byte` for each byte as it is drawn; stops after max_bytes, at an end of text, or when
  /// `on_byte` returns false.
  template <class P, class OnByte>
  void generate(Context<Backend>& ctx, const P& params, std::string_view prompt, const SampleOptions& options,
                OnByte&& on_byte) {
    Sampler sampler(Model::vocabulary, options);
    TextRule rule(options.utf8, prompt, -1, options.max_bytes);
    reset(ctx, params);
    feed(ctx, params, prompt);
    for (Index i = 0; i < options.max_bytes;) {
      const Token symbol = sampler(logits(), [&](Token id) { return allowed(id) && rule.allows(id); });
      rule.push(symbol);
      if (symbol == end_of_text) return;
      if (symbol < 256 && (!detail::goes_on(on_byte, static_cast<char>(symbol)) || ++i == options.max_bytes)) return;
      push(ctx, params, symbol);
      if (open_.ended()) return;
    }
  }

 private:
  /// The bytes with which the model's data writes an end of text; empty if an end of text is a symbol.
  static constexpr std::string_view written_end() {
    if constexpr (requires { requires Head::ends_by_text; })
      return ByteTokenizer::written_end_of_text;
    else
      return {};
  }
  template <class P>
  void close(Context<Backend>& ctx, const P& params) {
    open_.close(waiting_, Model::pad);
    go_on(ctx, params);
  }
  /// Reads the waiting patches and predicts the next symbol.
  template <class P>
  void go_on(Context<Backend>& ctx, const P& params) {
    memory_.read(ctx, params, waiting_);
    waiting_.clear();
    decoder_.predict(ctx, params, memory_.newest(), open_);
  }

  detail::PatchMemory<Model, Backend, S> memory_;
  detail::OpenPatch<Boundary, window> open_;
  detail::PatchDecoder<Model, Backend, S> decoder_;
  std::vector<Token> waiting_;  // slots of patches that are yet to be read
};

/// The continuation of `prompt` as a string, by a PatchGenerator of `capacity` patches.
template <class B, class P>
  requires requires { P::model::window; }
std::string sample(Context<B>& ctx, const P& params, std::string_view prompt, Index capacity,
                   const SampleOptions& options = {}) {
  return detail::text_of(PatchGenerator<typename P::model, B, typename P::scalar>(ctx, capacity), ctx, params, prompt,
                         options);
}

}  // namespace stlm
