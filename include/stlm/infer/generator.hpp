// Generator: continues texts token by token, with a KV cache per layer.
//
//   Generator<Model, Backend> generator(ctx, 256);                    // remembers 256 tokens
//   generator.generate(ctx, params, prompt, options, [](char c) { std::cout << c; });
//
// A prompt is read in one full-width pass. When the memory is full, its later half is read again as a new prompt, so texts may
// have any length and a step never reads more than `capacity` tokens. Choose a capacity no larger than the training window;
// the model has learnt no later positions. A GPU draws the tokens itself and sends nothing else back (infer/token_draws.hpp).
// The constructor allocates everything except a prompt's tokens and what draws tokens. A GPU replays the step recorded for the
// last text while the weights, the type of the rule and the limits of sampling stay the same.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <stlm/core/host_copy.hpp>
#include <stlm/infer/detail/kept_draws.hpp>
#include <stlm/infer/detail/text_memory.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

namespace detail {
template <class Model>
constexpr void expect_bytes() {
  static_assert(Model::vocabulary <= ByteTokenizer::vocabulary, "stlm::Generator, stlm::BatchGenerator: this "
                "vocabulary has more than bytes; use Generator::generate_tokens with the ids of its tokenizer.");
}
}  // namespace detail

/// `S`: the scalar type of the weights.
template <class Model, class Backend, class S = float>
class Generator {
  static_assert(!requires { Model::window; }, "stlm::Generator: this is a model over patches; use stlm::PatchGenerator.");
  using T = activation_t<Backend, S>;

 public:
  Generator(Context<Backend>& ctx, Index capacity) : memory_("Generator", ctx, 1, capacity) {}

  void reset() { memory_.reset(); }

  /// Reads tokens. Afterwards `logits()` returns the logits of the token that follows the last.
  template <class P>
  void feed(Context<Backend>& ctx, const P& params, std::span<const Token> tokens) {
    memory_.read(ctx, params, 0, tokens);
  }

  /// The logits of the token that follows those fed, one for each token of the vocabulary. Undefined after a generation.
  std::span<const compute_t<S>> logits() const {
    return row_(memory_.logits().data());
  }

  /// Continues `start` with allowed tokens until `on_token(token)` returns false. `allowed` is a TokenRule, such as AnyBut or
  /// TextRule, which lets a GPU draw; or any predicate `allowed(token)`, which only the host can call: then a GPU sends back
  /// the logits for each token.
  template <class P, class Allowed, class OnToken>
  void generate_tokens(Context<Backend>& ctx, const P& params, std::span<const Token> start, const SampleOptions& options,
                       const Allowed& allowed, OnToken&& on_token) {
    expect<Error>(!start.empty(), "stlm::Generator: there is no token to go on from; give an end of text.");
    reset();
    if constexpr (TokenRule<Allowed>) {
      auto& draws = draws_.template begin<Allowed>(ctx, 1, Model::vocabulary, options, [&] { memory_.begin_anew(); });
      draws.add(allowed, options.seed);
      const auto draw = [&] { draws.draw(ctx, memory_.logits()); };
      constexpr std::array<Index, 1> text{0};
      for (feed(ctx, params, start), draw();;) {
        draws.fetch(ctx);
        const bool ahead = ops::draws_tokens<Backend> && !memory_.full(0);
        if constexpr (ops::draws_tokens<Backend>)  // while the host waits for the token, the device reads it
          if (ahead) memory_.step_drawn(ctx, params, text, draws.drawn(), draw);
        const Token token = draws.tokens()[0];
        if (!on_token(token)) return;
        if (ahead)
          memory_.note(0, token);
        else
          memory_.step(ctx, params, text, {&token, 1}, draw);
      }
    } else {
      Sampler sampler(Model::vocabulary, options);
      for (feed(ctx, params, start);;) {
        const Token token = sampler(logits(), allowed);
        if (!on_token(token)) return;
        feed(ctx, params, {&token, 1});
      }
    }
  }

  /// Continues `prompt`, calling `on_byte` for each byte as it is drawn; stops after max_bytes, at an end of text, or when
  /// `on_byte` returns false.
  template <class P, class OnByte>
  void generate(Context<Backend>& ctx, const P& params, std::string_view prompt, const SampleOptions& options,
                OnByte&& on_byte) {
    detail::expect_bytes<Model>();
    detail::expect_valid(options);
    std::vector<Token> start = ByteTokenizer::encode(prompt);
    if (start.empty()) start.push_back(ByteTokenizer::end_of_text);
    Index left = options.max_bytes;
    if (left == 0) return;
    const TextRule rule(options.utf8, prompt, Model::ignore, options.max_bytes);
    generate_tokens(ctx, params, start, options, rule, [&](Token id) {
      return id < 256 && detail::goes_on(on_byte, static_cast<char>(id)) && --left > 0;
    });
  }

 private:
  detail::TextMemory<Model, Backend, S> memory_;
  detail::KeptDraws<Backend> draws_;
  HostRow<Backend, T, Model::vocabulary> row_;
};

/// The continuation of `prompt` as a string, by a Generator of `capacity` tokens: a shorthand for a single text.
template <class B, class P>
std::string sample(Context<B>& ctx, const P& params, std::string_view prompt, Index capacity,
                   const SampleOptions& options = {}) {
  return detail::text_of(Generator<typename P::model, B, typename P::scalar>(ctx, capacity), ctx, params, prompt, options);
}

}  // namespace stlm
