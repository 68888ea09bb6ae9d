// The ops bound by memory, at the width of the model of 100M parameters, with activations of Bfloat16, and the bytes that each
// op has to move: every number that it reads counts once, and so does every number that it writes.
#pragma once

#include <set>
#include <vector>

#include <stlm/core/buffer.hpp>
#include <stlm/core/staged.hpp>
#include <stlm/ops/activation.hpp>
#include <stlm/ops/cross_entropy.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/embedding.hpp>
#include <stlm/ops/norm.hpp>
#include <stlm/ops/optimizer.hpp>
#include <stlm/ops/rope.hpp>
#include <stlm/train/schedule.hpp>

namespace gpu_bench {

using stlm::Index;
using stlm::Token;

/// `size` numbers in [-1, 1) in a backend's memory, which repeat after 2^20.
template <class T, class B>
stlm::Buffer<T, typename B::memory_space> random_numbers(Index size) {
  stlm::Buffer<T, typename B::memory_space> buffer(size);
  std::vector<T> part(static_cast<std::size_t>(std::min(size, Index{1} << 20)));
  for (std::size_t i = 0; i < part.size(); ++i)
    part[i] = static_cast<T>(static_cast<float>(2 * stlm::random_uniform({3, 4}, i) - 1));
  for (Index at = 0; at < size; at += std::ssize(part))
    B::memory_space::from_host(buffer.data() + at, part.data(),
                               static_cast<std::size_t>(std::min(std::ssize(part), size - at)) * sizeof(T));
  return buffer;
}

/// Calls f(name, bytes, op) for each op; op() is one call on `rows` rows.
template <class B, class F>
void each_op(stlm::Context<B>& ctx, Index rows, const F& f) {
  namespace ops = stlm::ops;
  constexpr Index dim = 768, heads = 12, ffn = 2048, vocabulary = 50304;
  const Index logit_rows = rows / 16 > 0 ? rows / 16 : 1;
  using stlm::Bfloat16;
  using Memory = stlm::Buffer<float, typename B::memory_space>;
  using Activations = stlm::Buffer<Bfloat16, typename B::memory_space>;
  using Matrix = stlm::View<Bfloat16, stlm::dynamic, stlm::dynamic>;
  const auto matrix = [](const Activations& m, Index cols) { return Matrix(m.data(), m.size() / cols, cols); };
  const auto half = [](Index arrays, Index size) { return 2.0 * static_cast<double>(arrays * size); };
  const auto full = [](Index arrays, Index size) { return 4.0 * static_cast<double>(arrays * size); };
  {
    const Activations x = random_numbers<Bfloat16, B>(rows * dim), y = random_numbers<Bfloat16, B>(rows * dim);
    const Activations d = random_numbers<Bfloat16, B>(rows * dim);
    const Memory gain = random_numbers<float, B>(dim), rstd(rows);
    const Matrix xs = matrix(x, dim), ys = matrix(y, dim), ds = matrix(d, dim);
    f("add", half(3, rows * dim), [&] { ops::add(ctx, x.view(), y.view(), d.view()); });
    f("rms_norm_forward", half(2, rows * dim) + full(1, rows),
      [&] { ops::rms_norm_forward(ctx, xs, gain.view(), ys, rstd.view(), 1e-6); });
    f("add_rms_norm_forward", half(4, rows * dim) + full(1, rows),
      [&] { ops::add_rms_norm_forward(ctx, xs, ds, gain.view(), xs, ys, rstd.view(), 1e-6); });
    f("rms_norm_backward", half(4, rows * dim) + full(1, rows),
      [&] { ops::rms_norm_backward(ctx, xs, gain.view(), rstd.view(), ys, ds, gain.view(), true); });
    const stlm::HeadsView<Bfloat16> split{x.data(), heads, dim / heads, rows * dim, dim};
    f("rope", half(2, rows * dim), [&] { ops::rope(ctx, split, {.batch = 1, .tokens = rows}); });
  }
  {
    const Activations gate = random_numbers<Bfloat16, B>(rows * ffn), up = random_numbers<Bfloat16, B>(rows * ffn);
    const Activations y = random_numbers<Bfloat16, B>(rows * ffn), d(rows * ffn), e(rows * ffn);
    f("swiglu_forward", half(3, rows * ffn), [&] { ops::swiglu_forward(ctx, gate.view(), up.view(), y.view()); });
    f("swiglu_backward", half(6, rows * ffn),
      [&] { ops::swiglu_backward(ctx, gate.view(), up.view(), y.view(), d.view(), e.view(), y.view()); });
  }
  {
    const Activations logits = random_numbers<Bfloat16, B>(logit_rows * vocabulary);
    const Activations table = random_numbers<Bfloat16, B>(vocabulary * dim), y(rows * dim);
    const Memory losses(logit_rows), lse(logit_rows);
    stlm::Buffer<Token, typename B::memory_space> ids(rows);
    std::vector<Token> tokens(static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = static_cast<Token>(stlm::random_below({5, 6}, i, std::uint64_t{vocabulary}));
    B::memory_space::from_host(ids.data(), tokens.data(), ids.bytes());
    using Ids = stlm::View<const Token, stlm::dynamic, stlm::dynamic>;
    const Ids all(ids.data(), 1, rows), targets(ids.data(), 1, logit_rows);
    const Matrix ls = matrix(logits, vocabulary);
    f("cross_entropy_forward", half(1, logit_rows * vocabulary),
      [&] { ops::cross_entropy_forward(ctx, ls, targets, -1, losses.view(), lse.view()); });
    f("cross_entropy_backward", half(2, logit_rows * vocabulary),
      [&] { ops::cross_entropy_backward(ctx, ls, targets, -1, lse.view(), 1e-3); });
    f("cross_entropy_forward_backward", half(2, logit_rows * vocabulary), [&] {
      (void)ops::cross_entropy_forward_backward(ctx, ls, targets, -1, losses.view(), lse.view(), 1e-3);
    });
    const Index distinct = std::ssize(std::set(tokens.begin(), tokens.end()));
    f("embedding_forward", half(1, (rows + distinct) * dim),
      [&] { ops::embedding_forward(ctx, matrix(table, dim), all, matrix(y, dim)); });
  }
  {
    const Index size = rows * dim;  // of all weights
    const Memory w = random_numbers<float, B>(size), g = random_numbers<float, B>(size), m(size), v(size), losses(rows);
    const Activations rounded(size);
    const stlm::Buffer<ops::StepState<float>, typename B::memory_space> memory(1);
    const ops::StepView<float> state(memory.data());
    const stlm::Staged<B, double> factor(ctx, 1);
    const ops::StepRule<stlm::ConstantSchedule> rule{{}, 1, {}, factor.data()};
    f("gradient_norm", full(1, size), [&] { ops::begin_step(ctx, state, g.view(), losses.view(), rule); });
    f("adamw_step", full(8, size) + half(1, size),
      [&] { ops::adamw(ctx, state, w.view(), g.view(), m.view(), v.view(), {true, true, rounded.view()}); });
  }
}

}  // namespace gpu_bench
