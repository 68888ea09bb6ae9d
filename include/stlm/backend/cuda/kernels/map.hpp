// Elementwise functions of matrices: (y[0][r, c], y[1][r, c], ...) = f(x[0][r, c], x[1][r, c], ...) for any f:
//
//   struct Add {
//     static constexpr const char* name = "add";
//     template <class T>
//     STLM_KERNEL Numbers<T, 1> operator()(const Numbers<T, 2>& x) const { return {{x[0] + x[1]}}; }
//   };
//   map(ctx, Add{}, std::array{y}, std::array{a, b});         // MatrixViews
//
// If f has a member `row`, a span with a number for each column, the column's number is the last argument in every row. If
// f loads numbers itself, it takes the executor before its arguments.
//
// A thread has one packet of each matrix, or several packets of a matrix with wider numbers; neighbouring threads have
// neighbouring packets of a row. A thread reads before it writes, so a result may overwrite an argument. Bound by memory:
// each number is read or written once.
#pragma once

#include <algorithm>
#include <array>
#include <bit>

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

/// A matrix as kernels see it: element (r, c) is number r * stride + c.
template <class T>
struct MatrixSpan {
  Span<T> numbers;
  Index stride = 0;

  MatrixSpan() = default;
  MatrixSpan(const MatrixView<T>& m) : numbers(span(m)), stride(m.stride) {}
};

template <class F, class Y, int Outputs, class X, int Inputs, int W>
struct Map {
  static constexpr const char* name = F::name;
  static constexpr int log2_threads = 8, threads = 1 << log2_threads;
  static constexpr bool has_row = requires(const F& function) { function.row; };

  F f;
  MatrixSpan<Y> outputs[std::size_t{Outputs}];
  MatrixSpan<const X> inputs[std::size_t{Inputs > 0 ? Inputs : 1}];
  Index rows, cols;
  int log2_lanes;  // 2^log2_lanes threads of a block lie side by side in a row
  unsigned tiles;  // of a row, 2^log2_lanes packets each

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    const auto block = static_cast<unsigned>(e.block());
    e.each([&](int t) {
      const Index row = (Index{block / tiles} << (log2_threads - log2_lanes)) + (t >> log2_lanes);
      const Index col = ((Index{block % tiles} << log2_lanes) + (t & ((1 << log2_lanes) - 1))) * W;
      if (row >= rows) return;
      for_numbers<W>(col, cols, [&]<int Count>(Constant<Count>, Index c) {
        Numbers<Numbers<loaded_t<X>, Inputs + has_row>, Count> x;
        Numbers<Numbers<loaded_t<Y>, Count>, Outputs> y;
        unroll<Inputs>([&](int i) {
          const auto numbers = load_numbers<Count>(e, inputs[i].numbers, row * inputs[i].stride + c);
          unroll<Count>([&](int j) { x[j][i] = numbers[j]; });
        });
        if constexpr (has_row) {
          const auto numbers = load_numbers<Count>(e, f.row, c);
          unroll<Count>([&](int j) { x[j][Inputs] = numbers[j]; });
        }
        unroll<Count>([&](int j) {
          const Numbers<loaded_t<Y>, Outputs> results = value(e, x[j]);
          unroll<Outputs>([&](int o) { y[o][j] = results[o]; });
        });
        unroll<Outputs>([&](int o) { store_numbers<Count>(e, outputs[o].numbers, row * outputs[o].stride + c, y[o]); });
      });
    });
  }

 private:
  template <class Exec, class Arguments>
  STLM_KERNEL auto value(Exec& e, const Arguments& x) const {
    if constexpr (requires { f(e, x); })
      return f(e, x);
    else
      return f(x);
  }
};

/// All matrices have the same shape.
template <class Backend, class F, class Y, std::size_t Outputs, class X, std::size_t Inputs>
void map(Context<Backend>& ctx, const F& f, const std::array<MatrixView<Y>, Outputs>& y,
         const std::array<MatrixView<const X>, Inputs>& x) {
  const auto all = [&](const auto& holds) { return std::ranges::all_of(y, holds) && std::ranges::all_of(x, holds); };
  constexpr bool has_row = requires { f.row; };
  const bool flat = !has_row && all([](const auto& m) { return m.stride == m.cols; });
  const Index rows = flat ? 1 : y[0].rows, cols = flat ? y[0].size() : y[0].cols;
  if (rows == 0 || cols == 0) return;
  const auto run = [&]<int W>(Constant<W>) {
    using Kernel = Map<F, Y, int{Outputs}, X, int{Inputs}, W>;
    const Index packets = ceil_div(cols, W);
    Kernel kernel{f, {}, {}, rows, cols, 0, 0};
    std::ranges::copy(y, kernel.outputs);
    std::ranges::copy(x, kernel.inputs);
    const int most = rows < Kernel::threads / warp ? Kernel::log2_threads : 5;
    kernel.log2_lanes = std::min(most, static_cast<int>(std::bit_width(static_cast<std::size_t>(packets) - 1)));
    kernel.tiles = static_cast<unsigned>(ceil_div(packets, Index{1} << kernel.log2_lanes));
    ctx.launch(kernel, ceil_div(rows, Kernel::threads >> kernel.log2_lanes) * Index{kernel.tiles});
  };
  bool packets = all([&]<class T>(const MatrixView<T>& m) {
    return aligned(m.data) && (flat || m.stride % Packet<std::remove_const_t<T>>::size == 0);
  });
  if constexpr (has_row) packets = packets && aligned(f.row.data);
  by_packets<std::max(Packet<X>::size, Packet<Y>::size)>(packets, run);
}

/// Contiguous numbers as a matrix of one row, for `map`.
template <class T>
MatrixView<T> line(T* numbers, Index size) {
  return {numbers, 1, size, size};
}

}  // namespace stlm::gpu
