// Context of the ReferenceBackend: a random stream and nothing else.
#pragma once

#include <stlm/core/backend.hpp>

namespace stlm {

template <>
class Context<ReferenceBackend> {
 public:
  explicit Context(ContextOptions options = {}) : random_(options.seed) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  RandomStream& random() { return random_; }
  int threads() const { return 1; }

 private:
  RandomStream random_;
};

}  // namespace stlm
