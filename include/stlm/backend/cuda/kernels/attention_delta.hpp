// delta = dO . O of each query and head: the softmax's backward pass subtracts it from all gradients of a row.
#pragma once

#include <stlm/backend/cuda/kernels/attention_heads.hpp>
#include <stlm/backend/cuda/kernels/attention_rows.hpp>

namespace stlm::gpu {

/// delta[row] = dO . O for each query and head, in the rows of lse. Eight lanes compute each. Bound by reading dO and O once.
template <class T>
struct AttentionDelta {
  static constexpr const char* name = "attention_delta";
  static constexpr int threads = 128, lanes = 8, vectors = threads / lanes;

  AttentionNumbers shape;
  HeadRows<const T> out, dout;
  Span<compute_t<T>> delta;

  Index blocks() const { return ceil_div(shape.rows(), vectors); }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    out.packets&& dout.packets ? run<Packet<T>::size>(e) : run<1>(e);
  }

 private:
  template <int W, class Exec>
  STLM_KERNEL void run(Exec& e) const {
    PerThread<Exec, compute_t<T>> sum;
    PerThread<Exec, int> b, i, h;
    const auto vector = [&](int t) { return static_cast<int>(e.block()) * vectors + t / lanes; };
    e.each([&](int t) {
      const int token = vector(t) / shape.heads;  // the heads of a token lie side by side
      sum[t] = 0;
      h[t] = vector(t) - token * shape.heads;
      b[t] = token / shape.queries;
      i[t] = token - b[t] * shape.queries;
      if (vector(t) >= delta.size) return;
      const Index a = out.at(b[t], i[t], h[t]), d = dout.at(b[t], i[t], h[t]);
      for (int c = t % lanes * W; c < shape.head_size; c += lanes * W) {
        const auto x = load_numbers<W>(e, out.numbers, a + c), y = load_numbers<W>(e, dout.numbers, d + c);
        for (int j = 0; j < W; ++j) sum[t] += x[j] * y[j];
        e.flops(2 * W);
      }
    });
    e.template combine_lanes<lanes>(sum, Sum{});
    e.each([&](int t) {
      if (t % lanes == 0 && vector(t) < delta.size)
        e.store(delta, shape.row(shape.sequence(e, i[t]), b[t], h[t], i[t]), sum[t]);
    });
  }
};

}  // namespace stlm::gpu
