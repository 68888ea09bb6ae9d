// Matrices of int8: rows of x are rounded once, then dot products of integers (int8_dots.hpp) are computed for several rows of
// x and of W at once.
#pragma once

#include <bit>
#include <cmath>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/int8_dots.hpp>
#include <stlm/ops/detail/token_check.hpp>
#include <stlm/ops/quantized.hpp>

namespace stlm::ops::impl {

template <>
struct Quantized<EigenBackend> {
  using Ctx = Context<EigenBackend>;
  using Dots = eigen::Int8Dots;

  static void quantize(Ctx& ctx, MatrixView<const float> w, const QuantizedMatrix& q) {
    ctx.for_pieces(w.rows, 16, [=](Index begin, Index end, int) {
      for (Index r = begin; r < end; ++r) {
        q.scales[r] = round_row(w.row(r), w.cols, q.row(r));
        std::fill(q.row(r) + w.cols, q.row(r) + q.stride(), std::int8_t{0});
        q.sums[r] = eigen::array(q.row(r), q.stride()).template cast<std::int32_t>().sum();
      }
    });
  }

  static void gemm(Ctx& ctx, MatrixView<const float> x, const QuantizedMatrix& w, MatrixView<float> y, bool accumulate) {
    constexpr Index room = Ctx::shared_bytes - 1024;  // beside the scales of 256 rows
    const Index stride = w.stride(), most = std::min<Index>(256, room / std::max<Index>(1, stride));
    expect(most > 0, "stlm::ops::gemm: expected rows of at most ", room, " int8, found ", w.cols,
           ", for which scratch memory has no room; keep this matrix in Bfloat16.");
    if (w.rows == 0) return;
    auto* const scales = ctx.shared<float>();
    auto* const rounded = ctx.shared<std::int8_t>() + 256 * sizeof(float);
    for (Index first = 0; first < x.rows; first += most) {
      const Index rows = std::min(most, x.rows - first);
      ctx.for_pieces(rows, 8, [=](Index begin, Index end, int) {
        for (Index n = begin; n < end; ++n) {
          std::int8_t* const row = rounded + n * stride;
          scales[n] = round_row(x.row(first + n), x.cols, row);
          std::fill(row + x.cols, row + stride, std::int8_t{0});
          if (Dots::offset != 0)  // as unsigned: q + 128
            std::transform(row, row + stride, row, [](std::int8_t q) { return static_cast<std::int8_t>(q ^ -128); });
        }
      });
      const Index pieces = std::max<Index>(1, rows * w.rows * stride >> 17) * 2;  // some microseconds each
      const Index piece = (w.rows + pieces * group - 1) / (pieces * group) * group;
      ctx.for_pieces(w.rows, piece, [=](Index begin, Index end, int) {
        const auto products = [&](auto at_once, auto columns, Index n, Index j) {
          std::int32_t sums[of_one_row];
          Dots::template sum<at_once, columns>(rounded + n * stride, w.row(j), stride, sums);
          for (Index r = 0; r < at_once; ++r) {
            float* const to = y.row(first + n + r) + j;
            float total[columns] = {};  // overlaps nothing, so the loop becomes a few packets
            if (accumulate) std::copy_n(to, columns, total);
            for (Index i = 0; i < columns; ++i) {
              const auto sum = static_cast<float>(sums[r * columns + i] - Dots::offset * w.sums[j + i]);
              total[i] = multiply_add(scales[n + r] * w.scales[j + i], sum, total[i]);
            }
            std::copy_n(total, columns, to);
          }
        };
        constexpr std::integral_constant<int, Dots::rows> rows_at_once;
        constexpr std::integral_constant<int, of_one_row> many;
        constexpr std::integral_constant<int, group> several;
        constexpr std::integral_constant<int, 2> two;
        constexpr std::integral_constant<int, 1> one;
        Index j = begin;
        if (rows == 1)
          for (; j + of_one_row <= end; j += of_one_row) products(one, many, 0, j);
        for (; j + group <= end; j += group) {
          Index n = 0;
          if (rows > 2) {  // two rows in a single tile would prefetch only once (gemm_few_rows.hpp)
            for (; n + rows_at_once <= rows; n += rows_at_once) products(rows_at_once, several, n, j);
            for (; n + 2 <= rows; n += 2) products(two, several, n, j);
          }
          for (; n < rows; ++n) products(one, several, n, j);
        }
        for (; j < end; ++j)
          for (Index n = 0; n < rows; ++n) products(one, one, n, j);
      });
    }
  }

  static void gather(Ctx&, const QuantizedMatrix& table, const Token* tokens, MatrixView<float> y) {
    expect_tokens("ops::embedding_forward", tokens, y.rows, table.rows, 0);
    for (Index n = 0; n < y.rows; ++n)
      eigen::array(y.row(n), y.cols) =
          table.scales[tokens[n]] * eigen::array(table.row(tokens[n]), y.cols).template cast<float>();
  }

 private:
  static constexpr int group = 4, of_one_row = Dots::rows * group;  // rows of W for several rows of x, and for one

  /// The same rounding wherever it is called: the compiler is left no choice to round the product first.
  static float multiply_add(float x, float y, float to) {
#ifdef EIGEN_VECTORIZE_FMA
    return std::fma(x, y, to);
#else
    return x * y + to;
#endif
  }
  /// The largest absolute value, or NaN if there is one. Without the sign, the bits of floats are ordered as their values, and
  /// those of NaN are the largest.
  static float largest(const float* x, Index size) {
    std::int32_t most = 0;
    for (Index i = 0; i < size; ++i) most = std::max(most, std::bit_cast<std::int32_t>(x[i]) & 0x7fffffff);
    return std::bit_cast<float>(most);
  }
  /// Rounds a row to integers and returns its scale. If the row is not finite, neither is the scale.
  static float round_row(const float* x, Index size, std::int8_t* q) {
    const auto row = eigen::array(x, size);
    const float most = largest(x, size);
    if (most < INFINITY && 127 / most < INFINITY)  // 127 / most overflows for tiny rows
      eigen::array(q, size) = (row * (127 / most)).rint().cast<std::int32_t>().cast<std::int8_t>();
    else
      std::fill_n(q, size, std::int8_t{0});
    return most / 127;
  }
};

}  // namespace stlm::ops::impl
