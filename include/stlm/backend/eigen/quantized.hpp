// Matrices of int8: rows of x rounded once, then dot products of integers, four rows of each at once.
//
// vpdpbusd multiplies unsigned by signed bytes and adds four products to 32 bits: x + 128 is unsigned, and 128 times the
// sum of W's row is taken off again. Elsewhere plain loops give the same integers.
#pragma once

#include <cmath>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/lane_sums.hpp>
#include <stlm/backend/token_check.hpp>
#include <stlm/ops/quantized.hpp>

namespace stlm::ops::impl {

template <>
struct Quantized<EigenBackend> {
  using Ctx = Context<EigenBackend>;

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
    const Index stride = w.stride(), most = std::min<Index>(256, (Ctx::shared_bytes - 1024) / stride);
    expect(most > 0, "stlm::ops::gemm: rows of ", w.cols, " int8 are longer than the scratch memory allows.");
    auto* const scales = ctx.shared<float>();
    auto* const rounded = ctx.shared<std::int8_t>() + 256 * sizeof(float);
    for (Index first = 0; first < x.rows; first += most) {
      const Index rows = std::min(most, x.rows - first);
      ctx.for_pieces(rows, 8, [=](Index begin, Index end, int) {
        for (Index n = begin; n < end; ++n) {
          std::int8_t* const row = rounded + n * stride;
          scales[n] = round_row(x.row(first + n), x.cols, row);
          std::fill(row + x.cols, row + stride, std::int8_t{0});
          if (offset != 0)
            for (Index k = 0; k < stride; ++k) row[k] = static_cast<std::int8_t>(row[k] ^ -128);  // + 128, unsigned
        }
      });
      const Index pieces = std::max<Index>(1, rows * w.rows * stride >> 17) * 2;  // some microseconds each
      const Index piece = (w.rows + pieces * group - 1) / (pieces * group) * group;
      ctx.for_pieces(w.rows, piece, [=](Index begin, Index end, int) {
        const auto products = [&](auto at_once, auto columns, Index n, Index j) {
          std::int32_t sums[std::size_t(group * group)];
          dots<at_once, columns>(rounded + n * stride, w.row(j), stride, sums);
          for (Index r = 0; r < at_once; ++r) {
            float* const to = y.row(first + n + r) + j;
            for (Index i = 0; i < columns; ++i) {
              const auto sum = static_cast<float>(sums[r * columns + i] - offset * w.sums[j + i]);
              to[i] = (accumulate ? to[i] : 0.0F) + scales[n + r] * w.scales[j + i] * sum;
            }
          }
        };
        constexpr std::integral_constant<int, int(group)> several;
        constexpr std::integral_constant<int, 2> two;
        constexpr std::integral_constant<int, 1> one;
        Index j = begin;
        for (; j + group <= end; j += group) {
          Index n = 0;
          for (; n + group <= rows; n += group) products(several, several, n, j);
          for (; n + 2 <= rows && rows > 2; n += 2) products(two, several, n, j);  // two alone: as in gemm_few_rows
          for (; n < rows; ++n) products(one, several, n, j);
        }
        for (; j < end; ++j)
          for (Index n = 0; n < rows; ++n) products(one, one, n, j);
      });
    }
  }

  static void gather(Ctx&, const QuantizedMatrix& table, const Token* tokens, MatrixView<float> y) {
    expect_tokens("embedding_forward", tokens, y.rows, table.rows, 0);
    for (Index n = 0; n < y.rows; ++n)
      eigen::array(y.row(n), y.cols) =
          table.scales[tokens[n]] * eigen::array(table.row(tokens[n]), y.cols).template cast<float>();
  }

 private:
  static constexpr Index group = 4;

  /// The scale of a row, and its integers; of a row that is not finite, a scale that is not.
  static float round_row(const float* x, Index size, std::int8_t* q) {
    const auto row = eigen::array(x, size);
    const float most = row.abs().maxCoeff<Eigen::PropagateNaN>();
    if (most > 0 && most < INFINITY)
      eigen::array(q, size) = (row * (127 / most)).rint().cast<std::int32_t>().cast<std::int8_t>();
    else
      std::fill_n(q, size, std::int8_t{0});
    return most / 127;
  }

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512VNNI__)
  static constexpr std::int32_t offset = 128;

  /// As the instruction sees them: sums of another type than it takes and gives GCC copies in each turn of a loop.
  using Lanes [[gnu::vector_size(64)]] = std::int32_t;

  static Lanes multiply_add(__m512i x, __m512i w, Lanes sum) {
    return reinterpret_cast<Lanes>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), x, w));
  }
  /// sums[r * Count + i] = x_r . w_i over `size` bytes, a multiple of 64; whatever lies behind them is overwritten. For one
  /// row of x the rows of W are read one after another: a single stream is what memory is fastest at.
  template <int Rows, int Count>
  static void dots(const std::int8_t* x, const std::int8_t* w, Index size, std::int32_t* sums) {
    Lanes sum[std::size_t(Rows * Count)];
#pragma GCC unroll 16
    for (Lanes& s : sum) s = Lanes{};
    if constexpr (Rows == 1) {
#pragma GCC unroll 4
      for (int i = 0; i < Count; ++i)
        for (Index k = 0; k < size; k += 64)
          sum[i] = multiply_add(_mm512_loadu_si512(x + k), _mm512_loadu_si512(eigen::streamed(w + i * size + k)), sum[i]);
    } else {
      for (Index k = 0; k < size; k += 64) {
        __m512i rows[std::size_t(Rows)];
#pragma GCC unroll 4
        for (int r = 0; r < Rows; ++r) rows[r] = _mm512_loadu_si512(x + r * size + k);
#pragma GCC unroll 4
        for (int i = 0; i < Count; ++i) {
          const __m512i column = _mm512_loadu_si512(eigen::streamed(w + i * size + k));
#pragma GCC unroll 4
          for (int r = 0; r < Rows; ++r) sum[r * Count + i] = multiply_add(rows[r], column, sum[r * Count + i]);
        }
      }
    }
    _mm512_storeu_si512(sums, reinterpret_cast<__m512i>(eigen::lane_sums<16>(sum)));
  }
#else
  static constexpr std::int32_t offset = 0;

  template <int Rows, int Count>
  static void dots(const std::int8_t* x, const std::int8_t* w, Index size, std::int32_t* sums) {
    for (int r = 0; r < Rows; ++r)
      for (int i = 0; i < Count; ++i) {
        std::int32_t& sum = sums[r * Count + i] = 0;
        for (Index k = 0; k < size; ++k) sum += x[r * size + k] * w[i * size + k];
      }
  }
#endif
};

}  // namespace stlm::ops::impl
