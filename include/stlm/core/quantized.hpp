// Int8: the scalar of a model for inference with matrices of 8-bit integers and a scale for each row.
//
//   W[r, c] ~ scale_r * q[r, c],   q in -127 .. 127,   scale_r = max |W[r, :]| / 127
//
// Activations, sums and vectors are float, as with Bfloat16. The products are in ops/quantized.hpp.
#pragma once

#include <cstdint>

#include <stlm/core/bfloat16.hpp>

namespace stlm {

struct Int8 {};

/// A matrix of int8 with its static shape erased. Rows are padded with zeros to multiples of 64 bytes.
struct QuantizedMatrix {
  std::int8_t* data = nullptr;
  float* scales = nullptr;      // (rows)
  std::int32_t* sums = nullptr; // (rows), the sum of a row's integers
  Index rows = 0, cols = 0;

  static constexpr Index padded(Index cols) { return (cols + 63) / 64 * 64; }
  constexpr Index stride() const { return padded(cols); }
  std::int8_t* row(Index r) const { return data + r * stride(); }
};

/// A QuantizedMatrix of fixed shape: what a module with parameters of scalar Int8 holds in place of a View.
template <Index Rows, Index Cols>
struct QuantizedView : QuantizedMatrix {
  static constexpr int rank = 2;
  static constexpr Index padded_size = Rows * padded(Cols);
  constexpr QuantizedView() : QuantizedMatrix{nullptr, nullptr, nullptr, Rows, Cols} {}
  constexpr Index extent(int dim) const { return dim == 0 ? Rows : Cols; }
  constexpr explicit operator bool() const { return data != nullptr; }
};

namespace detail {
template <>
struct Compute<Int8> {
  using type = float;
};
template <class S, Index Rows, Index Cols>
struct MatrixOf {
  using type = View<S, Rows, Cols>;
};
template <Index Rows, Index Cols>
struct MatrixOf<Int8, Rows, Cols> {
  using type = QuantizedView<Rows, Cols>;
};
}  // namespace detail

/// A matrix of parameters of scalar S.
template <class S, Index Rows, Index Cols>
using Matrix = typename detail::MatrixOf<S, Rows, Cols>::type;

}  // namespace stlm
