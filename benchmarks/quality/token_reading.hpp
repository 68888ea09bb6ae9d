// TokenReading: how a model over a tokenizer's tokens reads and writes texts; example::Reading does the same for bytes.
#pragma once

#include <stlm/backend/eigen.hpp>

#include "../../examples/common/reading.hpp"

namespace quality {

template <class Model>
class TokenReading {
 public:
  using Backend = stlm::EigenBackend;

 private:
  using Tokenizer = std::shared_ptr<const stlm::BpeTokenizer>;

 public:
  using Loader = stlm::ByteLoader<Model, stlm::TokenText>;
  static constexpr const char* unit = "tokens";
  static constexpr const char* caveat = "";

  class Generator {
   public:
    Generator(stlm::Context<Backend>& ctx, stlm::Index capacity, Tokenizer tokenizer)
        : tokenizer_(std::move(tokenizer)), generator_(ctx, capacity) {}
    template <class OnByte>
    void generate(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params, std::string_view prompt,
                  const stlm::SampleOptions& options, OnByte&& on_byte) {
      stlm::Index left = options.max_bytes;
      const stlm::AnyBut allowed{tokenizer_->pad()};
      generator_.generate_tokens(ctx, params, tokenizer_->encode(prompt), options, allowed, [&](stlm::Token id) {
        for (const char c : tokenizer_->token_bytes(id))
          if (left-- > 0) on_byte(c);
        return left > 0 && id != tokenizer_->end_of_text();
      });
    }

   private:
    Tokenizer tokenizer_;
    stlm::Generator<Model, Backend> generator_;
  };

  TokenReading(stlm::BpeTokenizer tokenizer, stlm::BatchShape read_shape)
      : shape(read_shape), tokenizer_(std::make_shared<const stlm::BpeTokenizer>(std::move(tokenizer))) {}

  Loader loader(const stlm::ByteText& text, std::uint64_t seed) const { return {{text, *tokenizer_}, shape, seed}; }
  Generator generator(stlm::Context<Backend>& ctx) const { return {ctx, shape.tokens, tokenizer_}; }
  stlm::Evaluation evaluate(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params,
                            const stlm::ByteText& text) const {
    stlm::Activations<Model, Backend> acts(ctx, shape);
    return stlm::evaluate(ctx, params, acts, stlm::TokenText(text, *tokenizer_));
  }
  double bytes(const stlm::Batch& batch) const {
    double sum = 0;
    for (const stlm::Token id : batch.targets) sum += static_cast<double>(tokenizer_->token_bytes(id).size());
    return sum;
  }
  double flops_per_byte(const stlm::ByteText& text) const {
    const stlm::TokenText tokens(text, *tokenizer_);
    return stlm::num_flops_per_token<Model>(shape.tokens) * static_cast<double>(tokens.size()) /
           static_cast<double>(tokens.num_bytes());
  }

  stlm::BatchShape shape;

 private:
  Tokenizer tokenizer_;
};

}  // namespace quality
