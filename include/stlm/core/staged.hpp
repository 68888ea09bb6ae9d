// Staged: some numbers of the host that ops read at one place, as work that is recorded has to.
//
//   Staged<Backend, Token> tokens(ctx, 16);
//   tokens.data()[0] = 65;
//   tokens.send(ctx);                         // what ops read from tokens.data() from now on
#pragma once

#include <stlm/core/buffer.hpp>

namespace stlm {

/// Backends of the host read them where they are.
template <class Backend, class T>
class Staged {
 public:
  Staged(Context<Backend>&, Index size) : numbers_(size) {}
  T* data() const { return numbers_.data(); }
  Index size() const { return numbers_.size(); }
  void send(Context<Backend>&) {}

 private:
  Buffer<T> numbers_;
};

}  // namespace stlm
