// Staged: numbers from the host that ops read at a fixed address, as recorded work must.
//
//   Staged<Backend, Token> tokens(ctx, 16);
//   tokens.data()[0] = 65;
//   tokens.send(ctx);                         // ops called from now on read these numbers at tokens.data()
#pragma once

#include <stlm/core/buffer.hpp>

namespace stlm {

/// Host backends read them in place.
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
