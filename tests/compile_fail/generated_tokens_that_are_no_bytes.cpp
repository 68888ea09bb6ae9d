// expect: stlm::Generator, stlm::BatchGenerator: this vocabulary has more than bytes
#include <stlm/backend/eigen.hpp>
#include <stlm/infer/generator.hpp>
#include <stlm/models/token_model.hpp>

struct Config : stlm::TokenModelDefaults {
  static constexpr int vocabulary = 512, dim = 16, layers = 1, heads = 2, ffn_dim = 32;
};
using Model = stlm::TokenModel<Config>;
using Backend = stlm::EigenBackend;

void write(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params,
           stlm::Generator<Model, Backend>& generator) {
#ifdef STLM_FIXED
  const stlm::Token token = 300;
  generator.feed(ctx, params, {&token, 1});
#else
  generator.generate(ctx, params, "a prompt", {}, [](char) {});
#endif
}
