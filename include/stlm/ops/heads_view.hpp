// HeadsView: the heads of attention inside larger rows, of one sequence after another.
#pragma once

#include <stlm/core/tensor_view.hpp>

namespace stlm {

/// Heads inside a larger row, such as the packed [Q | K | V]: vector (b, t, h) has `head_size` numbers.
template <class T>
struct HeadsView {
  using value_type = std::remove_const_t<T>;
  T* data = nullptr;
  Index heads = 0, head_size = 0, batch_stride = 0, token_stride = 0;

  STLM_HOST_DEVICE constexpr T* operator()(Index b, Index t, Index h) const {
    return data + b * batch_stride + t * token_stride + h * head_size;
  }
  /// The heads of sequence b alone, addressed as (0, t, h).
  constexpr HeadsView sequence(Index b, const Offsets& offsets) const {
    return {data + (offsets ? offsets(b) * token_stride : b * batch_stride), heads, head_size, 0, token_stride};
  }
  template <class U>
    requires(std::is_same_v<U, const T> && !std::is_const_v<T>)
  constexpr operator HeadsView<U>() const {
    return {data, heads, head_size, batch_stride, token_stride};
  }
};

}  // namespace stlm
