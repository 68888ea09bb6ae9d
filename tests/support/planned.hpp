// The cache of a module for one pass with the memory it lies in: for modules that read or write other things than rows.
#pragma once

#include <stlm/core/activation.hpp>

namespace stlm::test {

template <class M, class T = double>
class Planned {
 public:
  typename M::template Cache<T> cache{};

  explicit Planned(const Pass& pass) {
    const Arena count = detail::plan<M, T>(pass);
    memory_ = Buffer<std::byte>(static_cast<Index>(count.bytes()));
    Arena arena(memory_.data(), count.kept_bytes());
    M::plan(arena, cache, pass);
  }

 private:
  Buffer<std::byte> memory_;
};

}  // namespace stlm::test
