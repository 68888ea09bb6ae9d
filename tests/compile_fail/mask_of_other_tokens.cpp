// expect: stlm::NextTokenMlm, stlm::BertMlm: expected a `mask`
#include <stlm/data/masked_objective.hpp>
#include <stlm/models/token_model.hpp>

struct Config : stlm::TokenModelDefaults {
  static constexpr int vocabulary = 300, dim = 16, layers = 1, heads = 2, ffn_dim = 32;
  using mask = stlm::Bidirectional;
};
using Model = stlm::TokenModel<Config>;

#ifdef STLM_FIXED
constexpr stlm::BertMlm<Model> objective{.mask = 299};
#else
constexpr stlm::BertMlm<Model> objective{};
#endif
