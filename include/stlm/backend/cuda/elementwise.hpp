// Elementwise work on a GPU: maps (kernels/map.hpp), sums of columns, dropout, rows appended to caches.
#pragma once

#include <stlm/backend/cuda/kernels/append_rows.hpp>
#include <stlm/backend/cuda/kernels/column_sum.hpp>
#include <stlm/backend/cuda/kernels/dropout.hpp>
#include <stlm/backend/cuda/kernels/map.hpp>
#include <stlm/ops/elementwise.hpp>

namespace stlm::gpu {

struct Add {
  static constexpr const char* name = "add";
  template <class T>
  STLM_KERNEL Numbers<T, 1> operator()(const Numbers<T, 2>& x) const {
    return {{x[0] + x[1]}};
  }
};
template <class T>
struct AddBias : Add {
  static constexpr const char* name = "add_bias";
  Span<const T> row;
};
template <class T>
struct Scale {
  static constexpr const char* name = "scale";
  T alpha;
  STLM_KERNEL Numbers<T, 1> operator()(const Numbers<T, 1>& x) const { return {{alpha * x[0]}}; }
};
template <class T>
struct Axpby {
  static constexpr const char* name = "axpby";
  T alpha, beta;
  STLM_KERNEL Numbers<T, 1> operator()(const Numbers<T, 2>& x) const { return {{alpha * x[0] + beta * x[1]}}; }
};
template <class Y>
struct Convert {
  static constexpr const char* name = "convert";
  template <class X>
  STLM_KERNEL Numbers<Y, 1> operator()(const Numbers<X, 1>& x) const {
    return {{static_cast<Y>(x[0])}};
  }
};
template <class T>
struct Zero {
  static constexpr const char* name = "clear";
  STLM_KERNEL Numbers<T, 1> operator()(const Numbers<T, 0>&) const { return {{T(0)}}; }
};

}  // namespace stlm::gpu

namespace stlm::ops::impl {

template <GpuBackend B>
struct Elementwise<B> {
  using Ctx = Context<B>;

  template <class T>
  static void add(Ctx& ctx, const T* a, const T* b, T* y, Index size) {
    gpu::map(ctx, gpu::Add{}, std::array{gpu::line(y, size)}, std::array{gpu::line(a, size), gpu::line(b, size)});
  }
  template <class T>
  static void axpby(Ctx& ctx, compute_t<T> alpha, const T* x, compute_t<T> beta, T* y, Index size) {
    using Real = compute_t<T>;
    const auto row = gpu::line(y, size);
    if (beta == Real(0))
      gpu::map(ctx, gpu::Scale<Real>{alpha}, std::array{row}, std::array{gpu::line(x, size)});
    else
      gpu::map(ctx, gpu::Axpby<Real>{alpha, beta}, std::array{row},
               std::array{gpu::line(x, size), MatrixView<const T>(row)});
  }
  template <class X, class Y>
  static void convert(Ctx& ctx, const X* x, Y* y, Index size) {
    gpu::map(ctx, gpu::Convert<compute_t<Y>>{}, std::array{gpu::line(y, size)}, std::array{gpu::line(x, size)});
  }
  template <class T>
  static void copy_rows(Ctx& ctx, MatrixView<const T> x, MatrixView<T> y) {
    gpu::map(ctx, gpu::Convert<compute_t<T>>{}, std::array{y}, std::array{x});
  }
  template <class T, std::size_t N>
  static void append_rows(Ctx& ctx, MatrixView<const T> x, Index tokens, const Places& places,
                          const std::array<T*, N>& caches, Index capacity) {
    const Index sequences = x.rows / tokens;
    Index most = sequences;  // sequences in the cache, as far as known here
    if (places.own)
      for (Index b = 0; b < sequences; ++b) most = std::max(most, places(b).sequence + 1);
    gpu::Scratch<B> scratch(ctx);
    const gpu::Span<const Place> own{places.own ? ctx.readable(scratch, places.own, sequences) : nullptr, sequences};
    const Index cols = x.cols / static_cast<Index>(N), size = most * capacity * cols;  // of a cache
    const bool packets = gpu::in_packets(x.data, cols, x.stride) && gpu::aligned(caches.front(), caches.back());
    gpu::by_packets<gpu::Packet<T>::size>(packets, [&]<int W>(gpu::Constant<W>) {
      using Kernel = gpu::AppendRows<T, W>;
      const auto second = N > 1 ? gpu::Span<T>{caches.back(), size} : gpu::Span<T>{};
      ctx.launch(Kernel{gpu::span(x), own, {caches.front(), size}, second, x.rows, x.stride, capacity, places.position,
                        static_cast<unsigned>(tokens), static_cast<int>(cols)},
                 gpu::ceil_div(x.rows, Kernel::rows_of_block));
    });
  }
  template <class T>
  static void clear(Ctx& ctx, MatrixView<T> x) {
    gpu::map(ctx, gpu::Zero<compute_t<T>>{}, std::array{x}, std::array<MatrixView<const T>, 0>{});
  }
  template <class T>
  static void add_bias(Ctx& ctx, const compute_t<T>* bias, MatrixView<T> y) {
    gpu::map(ctx, gpu::AddBias<compute_t<T>>{{}, {bias, y.cols}}, std::array{y}, std::array{MatrixView<const T>(y)});
  }
  template <class T>
  static void sum_rows(Ctx& ctx, MatrixView<const T> dy, compute_t<T>* dbias) {
    gpu::Scratch<B> scratch(ctx);
    gpu::add_columns(ctx, scratch, dy, dbias);
  }
  template <class T>
  static void dropout(Ctx& ctx, T* x, Index size, double rate, const MaskKey& key) {
    const auto run = [&]<bool Packets>(std::bool_constant<Packets>) {
      using Kernel = gpu::Dropout<T, Packets>;
      const std::uint32_t dropped = values_below(static_cast<float>(rate));
      ctx.launch(Kernel{{x, size}, gpu::MaskStream::of(key), dropped, compute_t<T>(1 / (1 - rate))},
                 gpu::ceil_div(size, Kernel::numbers_of_block));
    };
    gpu::aligned(x) ? run(std::true_type{}) : run(std::false_type{});
  }
};

}  // namespace stlm::ops::impl
