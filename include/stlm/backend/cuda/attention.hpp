// Attention on a GPU: which kernels (kernels/attention_*.hpp) run for which shape.
//
// Tensor cores multiply activations of Bfloat16; general kernels handle other scalars and head sizes. Packed sequences, and
// short ones that lie one after another, are handled as one long sequence (kernels/attention_rows.hpp).
#pragma once

#include <stlm/backend/cuda/attention_plan.hpp>
#include <stlm/backend/cuda/kernels/attention_backward.hpp>
#include <stlm/backend/cuda/kernels/attention_decode.hpp>
#include <stlm/backend/cuda/kernels/attention_delta.hpp>
#include <stlm/backend/cuda/kernels/attention_forward.hpp>
#include <stlm/backend/cuda/kernels/attention_join.hpp>
#include <stlm/backend/cuda/kernels/attention_tensor_forward.hpp>
#include <stlm/backend/cuda/kernels/attention_tensor_key_gradient.hpp>
#include <stlm/backend/cuda/kernels/attention_tensor_query_gradient.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::ops::impl {

template <GpuBackend B>
struct Attention<B> {
  using Ctx = Context<B>;
  using Plan = gpu::AttentionPlan;

  template <class, class T, Index = 0>
  static void forward(Ctx& ctx, HeadsView<const T> q, HeadsView<const T> k, HeadsView<const T> v, HeadsView<T> out,
                      compute_t<T>* lse, const AttentionShape& shape) {
    gpu::Scratch<B> scratch(ctx);
    const Plan n(ctx, scratch, shape, q, k, one_after_another(shape, q, k, v, out));
    if (shape.queries <= few_queries && !n.sequences.data) return decode(ctx, scratch, n, q, k, v, out, lse);
    const auto launch = [&]<class Kernel>(std::type_identity<Kernel>) {
      run(ctx, reads<Kernel>(n, q, k, v, out, lse));
    };
    const bool tensor = on_tensor_cores<T>(
        n,
        [&]<int D>(gpu::Constant<D>) { launch(std::type_identity<gpu::TensorAttentionForward<D>>{}); },
        q, k, v, out);
    if (!tensor) launch(std::type_identity<gpu::AttentionForward<T>>{});
  }

  template <class, class T, Index = 0>
  static void backward(Ctx& ctx, const AttentionGradient<T>& all, const compute_t<T>* lse, const AttentionShape& shape) {
    const HeadsView<const T>&q = all.queries, &k = all.keys, &v = all.values, &out = all.outputs, &dout = all.doutputs;
    const HeadsView<T>&dq = all.dqueries, &dk = all.dkeys, &dv = all.dvalues;
    gpu::Scratch<B> scratch(ctx);
    const Plan n(ctx, scratch, shape, q, k, one_after_another(shape, q, k, v, out, dout, dq, dk, dv));
    using Real = compute_t<T>;
    const auto rows = [&]<class Row>(std::type_identity<Row>) {
      return gpu::Span<Row>{scratch.template take<Row>(n.rows()), n.rows()};
    };
    const auto gradient = [&]<class Read>(std::type_identity<Read>, const auto& known) {
      return Read{n,     n.queries_of(q), n.keys_of(k), n.keys_of(v), n.queries_of(dout), {lse, n.rows()},
                  known, Real(n.scale())};
    };
    const bool tensor = on_tensor_cores<T>(
        n,
        [&]<int D>(gpu::Constant<D>) {
          using Read = typename gpu::TensorAttentionQueryGradient<D>::Gradient;
          const auto read = gradient(std::type_identity<Read>{}, rows(std::type_identity<gpu::QueryRow>{}));
          run(ctx, gpu::TensorAttentionQueryGradient<D>{read, n.queries_of(out), n.queries_of(dq)});
          run(ctx, gpu::TensorAttentionKeyGradient<D>{read, n.keys_of(dk), n.keys_of(dv)});
        },
        q, k, v, out, dout, dq, dk, dv);
    if (tensor) return;
    const gpu::Span<Real> delta = rows(std::type_identity<Real>{});
    const auto read = gradient(std::type_identity<gpu::AttentionGradient<T>>{}, delta);
    run(ctx, gpu::AttentionDelta<T>{n, n.queries_of(out), n.queries_of(dout), delta});
    run(ctx, gpu::AttentionQueryGradient<T>{read, n.queries_of(dq)});
    run(ctx, gpu::AttentionKeyGradient<T>{read, n.keys_of(dk), n.keys_of(dv)});
  }

 private:
  static constexpr Index short_keys = 32;  ///< sequences up to this length, half a tile, share tiles where they can
  static constexpr Index few_queries = 8;  ///< up to so many go to `decode`: they leave most of a tile empty

  template <class Kernel>
  static void run(Ctx& ctx, const Kernel& kernel) {
    ctx.launch(kernel, kernel.blocks());
  }

  template <class T>
  static void decode(Ctx& ctx, gpu::Scratch<B>& scratch, const Plan& n, HeadsView<const T> q, HeadsView<const T> k,
                     HeadsView<const T> v, HeadsView<T> out, compute_t<T>* lse) {
    using Kernel = gpu::AttentionDecode<T>;
    using Real = compute_t<T>;
    const Index splits = std::max<Index>(1, gpu::ceil_div(n.keys, Kernel::size));
    const Index size = splits > 1 ? n.rows() * splits * (n.head_size + 2) : 0;
    const gpu::Span<Real> parts{size > 0 ? scratch.template take<Real>(size) : nullptr, size};
    run(ctx, reads<Kernel>(n, q, k, v, out, lse, static_cast<int>(splits), parts));
    if (splits > 1)
      run(ctx, gpu::AttentionJoin<T>{n, parts, n.queries_of(out), {lse, n.rows()}, static_cast<int>(splits)});
  }

  /// A kernel that reads q, k and v and writes out and lse; `others` are its further members.
  template <class Kernel, class T, class... Others>
  static Kernel reads(const Plan& n, HeadsView<const T> q, HeadsView<const T> k, HeadsView<const T> v, HeadsView<T> out,
                      compute_t<T>* lse, const Others&... others) {
    return {n, n.queries_of(q), n.keys_of(k), n.keys_of(v), n.queries_of(out), {lse, n.rows()},
            compute_t<T>(n.scale()), others...};
  }

  /// Calls f(head size) if the tensor cores can do it: vectors of Bfloat16 that can be moved in packets, with a head size that
  /// kernels are compiled for. Returns whether it called f.
  template <class T, class F, class... Views>
  static bool on_tensor_cores(const Plan& n, const F& f, const Views&... views) {
    if constexpr (std::is_same_v<T, Bfloat16>) {
      if ((n.queries_of(views).packets && ...)) switch (n.head_size) {
          case 32:
            return f(gpu::constant<32>), true;
          case 48:
            return f(gpu::constant<48>), true;
          case 64:
            return f(gpu::constant<64>), true;
          case 128:
            return f(gpu::constant<128>), true;
        }
    }
    return false;
  }

  /// Whether all views hold short sequences of equal length, one after another.
  template <class... Views>
  static bool one_after_another(const AttentionShape& shape, const Views&... views) {
    return !shape.offsets && !shape.places && shape.queries == shape.keys && shape.keys <= short_keys &&
           shape.batch > 1 && ((views.batch_stride == shape.keys * views.token_stride) && ...);
  }
};

}  // namespace stlm::ops::impl
