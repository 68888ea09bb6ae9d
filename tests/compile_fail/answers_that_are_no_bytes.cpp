// expect: stlm::Answerer: answers are written byte by byte
#include <stlm/backend/reference.hpp>
#include <stlm/infer/answerer.hpp>
#include <stlm/models/next_thought.hpp>

struct Config : stlm::NextThoughtDefaults {
  static constexpr int vocabulary = 512, dim = 16, heads = 2, ffn_dim = 32;
  static constexpr stlm::PoolShape pools[] = {{32, 500}};
};
using Model = stlm::NextThought<Config>;
using Backend = stlm::ReferenceBackend;

void reply(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params,
           stlm::Answerer<Model, Backend>& answerer) {
#ifdef STLM_FIXED
  const stlm::Token question = 300;
  answerer.ask(ctx, params, {&question, 1});
#else
  answerer.answer(ctx, params, "a question", {}, [](char) {});
#endif
}
