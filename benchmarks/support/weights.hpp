// WeightsIn: a model's weights for inference, in the format that the scalar S names.
#pragma once

#include <type_traits>

#include <stlm/infer/quantized_weights.hpp>
#include <stlm/models/working_weights.hpp>

namespace bench {

template <class Model, class Backend, class S>
using WeightsIn = std::conditional_t<std::is_same_v<S, stlm::Int8>, stlm::QuantizedWeights<Model, Backend>,
                                     stlm::WorkingWeights<Model, Backend, S>>;

}  // namespace bench
