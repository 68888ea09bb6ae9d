// expect: stlm::TrainStep: the model keeps no losses of its rows
#include <stlm/backend/reference.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/train/train_step.hpp>

struct Config : stlm::ByteModelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
};

#ifdef STLM_FIXED
using Model = stlm::ByteModel<Config>;
#else
using Model = stlm::ByteModel<Config>::Core;
#endif

constexpr auto size = sizeof(stlm::TrainStep<Model, stlm::ReferenceBackend>);
