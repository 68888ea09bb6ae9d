// Matrices of int8 by loops.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <stlm/backend/reference/context.hpp>
#include <stlm/ops/detail/token_check.hpp>
#include <stlm/ops/quantized.hpp>

namespace stlm::ops::impl {

template <>
struct Quantized<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  static void quantize(Ctx&, MatrixView<const float> w, const QuantizedMatrix& q) {
    for (Index r = 0; r < w.rows; ++r) {
      std::fill_n(q.row(r), q.stride(), std::int8_t{0});
      q.scales[r] = round_row(w.row(r), w.cols, q.row(r));
      q.sums[r] = 0;
      for (Index c = 0; c < w.cols; ++c) q.sums[r] += q.row(r)[c];
    }
  }
  static void gemm(Ctx&, MatrixView<const float> x, const QuantizedMatrix& w, MatrixView<float> y, bool accumulate) {
    std::vector<std::int8_t> q(static_cast<std::size_t>(x.cols));
    for (Index n = 0; n < x.rows; ++n) {
      const float scale = round_row(x.row(n), x.cols, q.data());
      for (Index j = 0; j < w.rows; ++j) {
        std::int32_t sum = 0;
        for (Index k = 0; k < x.cols; ++k) sum += q[static_cast<std::size_t>(k)] * w.row(j)[k];
        const float product = scale * w.scales[j] * static_cast<float>(sum);
        y(n, j) = accumulate ? y(n, j) + product : product;
      }
    }
  }
  static void gather(Ctx&, const QuantizedMatrix& table, const Token* tokens, MatrixView<float> y) {
    expect_tokens("ops::embedding_forward", tokens, y.rows, table.rows, 0);
    for (Index n = 0; n < y.rows; ++n)
      for (Index c = 0; c < y.cols; ++c) y(n, c) = table.scales[tokens[n]] * static_cast<float>(table.row(tokens[n])[c]);
  }

 private:
  /// Rounds a row to integers and returns its scale. If the row is not finite, neither is the scale.
  static float round_row(const float* x, Index size, std::int8_t* q) {
    float most = 0;
    for (Index i = 0; i < size; ++i)
      if (std::abs(x[i]) > most || std::isnan(x[i])) most = std::abs(x[i]);
    const bool usable = most < INFINITY && 127 / most < INFINITY;  // 127 / most overflows for tiny rows
    for (Index i = 0; i < size; ++i) q[i] = usable ? static_cast<std::int8_t>(std::lrint(x[i] * (127 / most))) : std::int8_t{0};
    return most / 127;
  }
};

}  // namespace stlm::ops::impl
