// A batch for any kind of model.
#pragma once

#include "models/small_next_thought.hpp"
#include "support/patch_models.hpp"
#include "support/small_models.hpp"

namespace stlm::test {

template <class Model>
auto some_batch(BatchShape shape) {
  if constexpr (requires { Model::window; })
    return SomePatches(shape, Model::window);
  else if constexpr (requires { typename Model::Encoder; })
    return SomePairs(shape, 6, Model::ignore);
  else
    return SomeBatch(shape, Model::vocabulary);
}

}  // namespace stlm::test
