// Rotary embedding: a table of the rotations of all positions, then one pass over the rows. Sines and cosines are computed in
// double from the angle at the first token of a block, and advance by one rotation per token. Adjacent pairs are complex
// numbers, so rotating a head is one complex product.
#pragma once

#include <cmath>
#include <complex>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/stream.hpp>
#include <stlm/ops/rope.hpp>

namespace stlm::ops::impl {

template <>
struct Rope<EigenBackend> {
  using Ctx = Context<EigenBackend>;
  static constexpr Index block = 64;  // tokens
  static constexpr int strip = 16;    // pairs

  template <class T>
  static void run(Ctx& ctx, HeadsView<T> x, const RopeOptions& options) {
    constexpr Index most = Ctx::scratch_bytes / Index{3 * sizeof(double)}, numbers = Ctx::shared_bytes / Index{sizeof(T)};
    static_assert(most <= numbers);
    expect(x.head_size <= most, "stlm::ops::rope: expected heads of at most ", most, " numbers, found ", x.head_size,
           ", for which scratch memory has no room; use more heads of a smaller size.");
    expect_lengths("rope", options.offsets, options.tokens);
    if (x.head_size == 0) return;
    if (options.places) return each_at_its_place(ctx, x, options);
    const Index count = x.head_size / 2, room = numbers / x.head_size;  // tokens of the table
    for (Index first = 0; first < options.tokens; first += room) {
      const Index tokens = std::min(room, options.tokens - first);
      const MatrixView<T> turns(ctx.shared<T>(), tokens, x.head_size, x.head_size);
      ctx.for_pieces(tokens, block, [&](Index begin, Index end, int worker) {
        fill(turns, begin, end, options.position + first, options, ctx.scratch<double>(worker));
      });
      ctx.for_rows(options.batch * tokens, x.heads * x.head_size, [&](Index n) {
        const Index b = n / tokens, t = n % tokens;
        if (first + t >= options.length(b)) return;
        T* const row = x.sequence(b, options.offsets)(0, first + t, 0);
        eigen::prefetch_row(row + 8 * x.token_stride, x.heads * x.head_size);
        turn_row(row, x.heads, turns.row(t), count, options.pairs);
      });
    }
  }

 private:
  /// For sequences that have places: each worker fills a table for its sequence, then rotates the rows.
  template <class T>
  static void each_at_its_place(Ctx& ctx, HeadsView<T> x, const RopeOptions& options) {
    constexpr Index doubles = Ctx::scratch_bytes / static_cast<Index>(sizeof(double));
    const Index most = std::min(block, doubles / x.head_size - 2);  // tokens of a table
    ctx.parallel_for(options.batch, [&](Index b, int worker) {
      double* const scratch = ctx.scratch<double>(worker);
      const MatrixView<T> turns(reinterpret_cast<T*>(scratch + 2 * x.head_size), most, x.head_size, x.head_size);
      for (Index first = 0; first < options.tokens; first += most) {
        const Index tokens = std::min(most, options.tokens - first);
        fill(turns, 0, tokens, options.first(b) + first, options, scratch);
        for (Index t = 0; t < tokens; ++t) turn_row(x(b, first + t, 0), x.heads, turns.row(t), x.head_size / 2, options.pairs);
      }
    });
  }
  /// Fills rows [begin, end) of the table, whose row 0 is for `position`: for adjacent pairs the cosine and sine of each pair
  /// in turn, else all cosines, then all sines.
  template <class T>
  static void fill(MatrixView<T> turns, Index begin, Index end, Index position, const RopeOptions& options,
                   double* scratch) {
    const Index count = turns.cols / 2;
    double *const cosine = scratch, *const sine = cosine + count;
    double *const step_cosine = sine + count, *const step_sine = step_cosine + count;
    for (Index i = 0; i < count; ++i) {
      const double theta = std::pow(options.base, -2.0 * static_cast<double>(i) / static_cast<double>(turns.cols)) *
                           (options.inverse ? -1 : 1);
      const double angle = theta * static_cast<double>(position + begin);
      cosine[i] = std::cos(angle), sine[i] = std::sin(angle);
      if (begin + 1 < end) step_cosine[i] = std::cos(theta), step_sine[i] = std::sin(theta);
    }
    for (Index t = begin; t < end; ++t) {
      T* const row = turns.row(t);
      if (options.pairs == RopePairs::kAdjacent)
        for (Index i = 0; i < count; ++i) {
          row[2 * i] = static_cast<T>(cosine[i]);
          row[2 * i + 1] = static_cast<T>(sine[i]);
        }
      else
        for (Index i = 0; i < count; ++i) {
          row[i] = static_cast<T>(cosine[i]);
          row[count + i] = static_cast<T>(sine[i]);
        }
      if (t + 1 == end) return;
      for (Index i = 0; i < count; ++i) {
        const double c = cosine[i], s = sine[i];
        cosine[i] = c * step_cosine[i] - s * step_sine[i];
        sine[i] = c * step_sine[i] + s * step_cosine[i];
      }
    }
  }
  template <class T>
  static void turn_row(T* row, Index heads, const T* turns, Index count, RopePairs pairs) {
    Index i = 0;
    for (; i + strip <= count; i += strip) turn<strip>(row, heads, turns, count, i, strip, pairs);
    if (i < count) turn<Eigen::Dynamic>(row, heads, turns, count, i, count - i, pairs);
  }
  /// Rotates pairs [i, i + width) of all heads of a row. Width is `width`, or Eigen::Dynamic.
  template <int Width, class T>
  static void turn(T* row, Index heads, const T* turns, Index count, Index i, Index width, RopePairs pairs) {
    if (pairs == RopePairs::kAdjacent) {
      using Strip = Eigen::Array<std::complex<T>, Width, 1, 0, strip, 1>;
      const Strip by = Eigen::Map<const Strip>(reinterpret_cast<const std::complex<T>*>(turns) + i, width);
      for (Index h = 0; h < heads; ++h)
        Eigen::Map<Strip>(reinterpret_cast<std::complex<T>*>(row) + h * count + i, width) *= by;
    } else {
      using Strip = Eigen::Array<T, Width, 1, 0, strip, 1>;
      const Strip cosine = Eigen::Map<const Strip>(turns + i, width),
                  sine = Eigen::Map<const Strip>(turns + count + i, width);
      for (Index h = 0; h < heads; ++h) {
        Eigen::Map<Strip> first(row + 2 * h * count + i, width), second(row + (2 * h + 1) * count + i, width);
        const Strip before = first;
        first = before * cosine - second * sine;
        second = before * sine + second * cosine;
      }
    }
  }
};

}  // namespace stlm::ops::impl
