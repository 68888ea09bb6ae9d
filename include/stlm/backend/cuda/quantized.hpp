// Matrices of int8 on a GPU: rounded (kernels/quantize.hpp), multiplied (kernels/int8_product.hpp), looked up.
#pragma once

#include <stlm/backend/cuda/kernels/int8_product.hpp>
#include <stlm/backend/cuda/kernels/quantize.hpp>
#include <stlm/backend/cuda/scratch.hpp>
#include <stlm/ops/quantized.hpp>

namespace stlm::ops::impl {

template <GpuBackend B>
struct Quantized<B> {
  using Ctx = Context<B>;

  template <class T>
  static void quantize(Ctx& ctx, MatrixView<const T> w, const QuantizedMatrix& q) {
    const auto run = [&]<int Lanes, bool Packets>(gpu::Constant<Lanes>, std::bool_constant<Packets>) {
      using Kernel = gpu::QuantizeRows<T, Lanes, Packets>;
      ctx.launch(Kernel{gpu::span(w), {q.data, q.rows * q.stride()}, {q.scales, q.rows}, {q.sums, q.rows}, w.rows,
                        w.stride, static_cast<int>(w.cols), static_cast<int>(q.stride())},
                 gpu::ceil_div(w.rows, Kernel::rows_of_block));
    };
    const auto with = [&](auto lanes) {
      gpu::in_packets(w.data, 0, w.stride) ? run(lanes, std::true_type{}) : run(lanes, std::false_type{});
    };
    w.rows < few_rows_to_round ? with(gpu::constant<128>) : with(gpu::constant<gpu::warp>);
  }

  template <class T>
  static void gemm(Ctx& ctx, MatrixView<const T> x, const QuantizedMatrix& w, MatrixView<T> y, bool accumulate) {
    constexpr int few = 8;
    gpu::Scratch<B> scratch(ctx);
    const QuantizedMatrix q{scratch.template take<std::int8_t>(x.rows * w.stride()),
                            scratch.template take<float>(x.rows), nullptr, x.rows, x.cols};
    quantize(ctx, x, q);
    const gpu::Int8Factors<T> of{{q.data, q.rows * q.stride()}, {w.data, w.rows * w.stride()}, {q.scales, q.rows},
                                 {w.scales, w.rows}, gpu::span(y), y.stride, static_cast<int>(w.stride()), accumulate};
    const auto of_few = [&](auto kernel) { ctx.launch(kernel, gpu::ceil_div(w.rows, kernel.columns_of_block)); };
    if (x.rows == 1) return of_few(gpu::Int8ProductFew<T, 1>{of});
    if (x.rows <= few) return of_few(gpu::Int8ProductFew<T, few>{of});
    using Tile = gpu::Int8ProductTile<T>;
    const Index down = gpu::ceil_div(x.rows, Tile::tile);
    ctx.launch(Tile{of, static_cast<unsigned>(down)}, down * gpu::ceil_div(w.rows, Tile::tile));
  }

  template <class T>
  static void gather(Ctx& ctx, const QuantizedMatrix& table, const Token* tokens, MatrixView<T> y) {
    gpu::Scratch<B> scratch(ctx);
    const gpu::Span<const Token> ids{ctx.readable(scratch, tokens, y.rows), y.rows};
    const auto run = [&]<bool Packets>(std::bool_constant<Packets>) {
      using Kernel = gpu::GatherQuantized<T, Packets>;
      ctx.launch(Kernel{{table.data, table.rows * table.stride()}, {table.scales, table.rows}, ids, gpu::span(y),
                        ctx.fault(), "embedding_forward", y.stride, static_cast<int>(y.cols),
                        static_cast<int>(table.stride())},
                 gpu::ceil_div(y.rows, Kernel::rows_of_block));
    };
    gpu::in_packets(y.data, 0, y.stride) ? run(std::true_type{}) : run(std::false_type{});
  }

 private:
  static constexpr Index few_rows_to_round = 512;  // with fewer, one warp a row would leave most of a GPU idle
};

}  // namespace stlm::ops::impl
