// Rotary embedding: a table of the turns of all positions, then one pass over the rows. Angles are exact in double at
// the first token of a block and advance by one rotation a token. Adjacent pairs are complex numbers, so turning a head
// is one complex product.
#pragma once

#include <complex>

#include <stlm/backend/eigen/elementwise.hpp>
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
    const Index count = x.head_size / 2;
    const Index room = Ctx::shared_bytes / static_cast<Index>(sizeof(T)) / x.head_size;  // tokens of the table
    expect(room > 0 && 3 * x.head_size * static_cast<Index>(sizeof(double)) <= Ctx::scratch_bytes,
           "stlm::ops::rope: a head of ", x.head_size, " is too large.");
    expect_lengths("rope", options.offsets, options.tokens);
    if (options.places) return each_at_its_place(ctx, x, options);
    for (Index first = 0; first < options.tokens; first += room) {
      const Index tokens = std::min(room, options.tokens - first);
      const MatrixView<T> turns(ctx.shared<T>(), tokens, x.head_size, x.head_size);
      ctx.for_pieces(tokens, block, [&](Index begin, Index end, int worker) {
        fill(turns, begin, end, options.position + first, options, ctx.scratch<double>(worker));
      });
      const auto turn_rows = [&](Index begin, Index end, int) {
        for (Index n = begin; n < end; ++n) {
          const Index b = n / tokens, t = n % tokens;
          if (first + t >= options.length(b)) continue;
          T* const row = x.sequence(b, options.offsets)(0, first + t, 0);
          eigen::prefetch_row(row + 8 * x.token_stride, x.heads * x.head_size);
          turn_row(row, x.heads, turns.row(t), count, options.pairs);
        }
      };
      ctx.for_pieces(options.batch * tokens, Elementwise<EigenBackend>::rows_a_piece(x.heads * x.head_size), turn_rows);
    }
  }

 private:
  /// A table for each sequence, made by the worker that turns it.
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
  /// Rows [begin, end) of the table, whose first is at `position`: cosine and sine of each pair in turn, or first all
  /// cosines.
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
      step_cosine[i] = std::cos(theta), step_sine[i] = std::sin(theta);
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
  /// Turns pairs [i, i + width) of all heads of a row. Width is width, or Eigen::Dynamic.
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
