// Rotary embedding. Angles are exact in double at the first token of a block and advance by one rotation a token;
// adjacent pairs are complex numbers, so turning a head is one complex product.
#pragma once

#include <complex>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/ops/rope.hpp>

namespace stlm::ops::impl {

template <>
struct Rope<EigenBackend> {
  template <class T>
  static void run(Context<EigenBackend>& ctx, HeadsView<T> x, const RopeOptions& options) {
    const Index half = x.head_size / 2;
    expect(half * 64 <= Context<EigenBackend>::scratch_bytes, "stlm::ops::rope: a head of ", x.head_size, " is too large.");
    ctx.for_pieces(options.tokens, 16, [&](Index begin, Index end, int worker) {
      auto* const angle = ctx.scratch<std::complex<double>>(worker);
      auto* const step = angle + half;
      auto* const turn = reinterpret_cast<std::complex<T>*>(step + half);
      for (Index i = 0; i < half; ++i) {
        const double theta = std::pow(options.base, -2.0 * static_cast<double>(i) / static_cast<double>(x.head_size));
        angle[i] = std::polar(1.0, theta * static_cast<double>(options.position + begin));
        step[i] = std::polar(1.0, theta);
      }
      for (Index t = begin; t < end; ++t) {
        for (Index i = 0; i < half; ++i) {
          turn[i] = std::complex<T>(options.inverse ? std::conj(angle[i]) : angle[i]);
          angle[i] = {angle[i].real() * step[i].real() - angle[i].imag() * step[i].imag(),
                      angle[i].real() * step[i].imag() + angle[i].imag() * step[i].real()};
        }
        for (Index b = 0; b < options.batch; ++b) {
          if (t >= options.length(b)) continue;
          const auto sequence = x.sequence(b, options.offsets);
          for (Index h = 0; h < x.heads; ++h) rotate(sequence(0, t, h), turn, half, options.pairs);
        }
      }
    });
  }

 private:
  template <class T>
  static void rotate(T* head, const std::complex<T>* turn, Index half, RopePairs pairs) {
    if (pairs == RopePairs::kAdjacent) {
      auto pair = eigen::array(reinterpret_cast<std::complex<T>*>(head), half);
      pair *= eigen::array(turn, half);
    } else {
      for (Index i = 0; i < half; ++i) {
        const T u = head[i], w = head[i + half];
        head[i] = u * turn[i].real() - w * turn[i].imag();
        head[i + half] = u * turn[i].imag() + w * turn[i].real();
      }
    }
  }
};

}  // namespace stlm::ops::impl
