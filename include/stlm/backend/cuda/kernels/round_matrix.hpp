// A matrix rounded to Bfloat16, for the tensor cores: rows one after another, each at a multiple of 16 bytes.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/scratch.hpp>

namespace stlm::gpu {

/// y (rows, cols) = x (rows, cols), a warp for each row: 4 bytes read and 2 written for each float. `Packets`: rows of x
/// are whole packets, and so are those of y.
template <class T, bool Packets>
struct RoundMatrix {
  static constexpr const char* name = "round_matrix";
  static constexpr int threads = 256, rows_of_block = threads / warp;

  Span<const T> x;
  Span<Bfloat16> y;
  Index rows, x_stride, y_stride;
  int cols;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    constexpr int width = Packets ? Packet<Bfloat16>::size : 1, of_load = Packets ? Packet<T>::size : 1;
    e.each([&](int t) {
      const Index row = e.block() * rows_of_block + t / warp;
      if (row >= rows) return;
      for_packets<width>(t % warp, cols, [&](int c) {
        std::conditional_t<Packets, Packet<Bfloat16>, Numbers<Bfloat16, 1>> rounded;
        for (int i = 0; i < width; i += of_load) {
          const auto part = load_numbers<of_load>(e, x, row * x_stride + c + i);
          for (int j = 0; j < of_load; ++j) rounded[i + j] = Bfloat16(static_cast<float>(part[j]));
        }
        store_numbers<width>(e, y, row * y_stride + c, rounded);
      });
    });
  }
};

/// x as the products of tensor cores want it, in scratch memory.
template <class Backend, class T>
MatrixView<const Bfloat16> rounded(Context<Backend>& ctx, Scratch<Backend>& scratch, MatrixView<const T> x) {
  if constexpr (std::is_same_v<T, Bfloat16>) {
    return x;
  } else {
    constexpr Index packet = Packet<Bfloat16>::size;
    const Index stride = pieces(x.cols, packet) * packet;
    const MatrixView<Bfloat16> y(scratch.template take<Bfloat16>(x.rows * stride), x.rows, x.cols, stride);
    const auto run = [&]<bool Packets>(std::bool_constant<Packets>) {
      using Kernel = RoundMatrix<T, Packets>;
      ctx.launch(Kernel{span(x), span(y), x.rows, x.stride, stride, static_cast<int>(x.cols)},
                 pieces(x.rows, Kernel::rows_of_block));
    };
    in_packets(x) && x.cols % packet == 0 ? run(std::true_type{}) : run(std::false_type{});
    return y;
  }
}

}  // namespace stlm::gpu
