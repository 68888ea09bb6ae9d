// Every kernel of the CUDA backend, by the ops that launch it, compiled for the test cuda/ptxas_report.
#include <stlm/backend/cuda.hpp>
#include <stlm/infer/token_rule.hpp>
#include <stlm/train/schedule.hpp>

using namespace stlm;

namespace {

using Ctx = Context<CudaBackend>;
using Rows2d = View<float, dynamic, dynamic>;
using Row = View<float, dynamic>;
using Tokens = View<const Token, dynamic, dynamic>;

/// Arguments of ops on activations of scalar T; `v`, `table` and `balance` stay float.
template <class T>
struct Stream {
  View<T, dynamic, dynamic> a, b, c;
  View<T, dynamic, dynamic, 8> cache;
  HeadsView<T> heads;
  ops::Routes<T, 8, 2> to;
  View<T, dynamic, 2> dgates;
  View<T, dynamic, 8> dlogits;
  Row v;
  Rows2d table;
  View<float, 1> balance;
};

template <class T>
void attention(Ctx& ctx, HeadsView<T> x, Row lse, const ops::AttentionShape& shape) {
  ops::attention_forward(ctx, x, x, x, x, lse, shape);
  ops::attention_backward(ctx, x, x, x, x, lse, x, x, x, x, shape);
}

}  // namespace

template <class T>
void flat(Ctx& ctx, const Stream<T>& s) {
  const auto& [a, b, c, cache, heads, to, dgates, dlogits, v, table, balance] = s;
  ops::add(ctx, a, b, c);
  ops::axpby(ctx, 1, a, 0.5, b);
  ops::copy_rows(ctx, MatrixView<const T>(a), MatrixView<T>(b));
  ops::clear(ctx, MatrixView<T>(a));
  ops::append_rows(ctx, MatrixView<const T>(a), 3, Places{}, cache);
  ops::add_bias(ctx, v, a);
  ops::sum_rows(ctx, a, v);
  ops::dropout(ctx, a, 0.1, RandomKey{1, 2});
  ops::activation_forward<Gelu>(ctx, a, b);
  ops::activation_backward<Gelu>(ctx, a, b, c);
  ops::swiglu_forward(ctx, a, b, c);
  ops::swiglu_backward(ctx, a, b, c, a, b);
  ops::swiglu_backward(ctx, a, b, c, a, b, c);
  ops::learned_activation_forward(ctx, a, ops::ReluNetwork<float>{}, b);
  ops::learned_activation_backward(ctx, a, ops::ReluNetwork<float>{}, b, c, ops::ReluNetwork<float>{});
  ops::rope(ctx, heads, {.batch = 1, .tokens = 1});
  ops::group_gate_forward(ctx, a, b, 1, c);
  ops::group_gate_backward(ctx, a, b, 1, c, a);
  ops::rms_norm_forward(ctx, a, v, b, v, 1e-6);
  ops::add_rms_norm_forward(ctx, a, b, v, c, b, v, 1e-6);
  ops::rms_norm_backward(ctx, a, v, v, b, c, v, true);
  ops::layer_norm_forward(ctx, a, v, v, b, v, v, 1e-6);
  ops::layer_norm_backward(ctx, a, v, v, v, b, c, v, v, true);
  ops::route(ctx, to);
  ops::route_backward(ctx, to, dgates, dlogits, 0.1);
  ops::load_balance(ctx, to, balance);
  ops::dispatch(ctx, to, a, b);
  ops::dispatch_backward(ctx, to, b, a);
  ops::combine(ctx, to, b, a);
  ops::combine_backward(ctx, to, a, b, dgates);
}
template void flat(Ctx&, const Stream<float>&);
template void flat(Ctx&, const Stream<Bfloat16>&);

template <class T>
void gathers(Ctx& ctx, const Stream<T>& s, Tokens ids, View<Bfloat16, dynamic, dynamic> table, Offsets offsets) {
  ops::embedding_forward(ctx, table, ids, s.a);
  ops::embedding_backward(ctx, ids, s.a, s.table);
  ops::embedding_backward(ctx, ids, s.a, s.b);
  ops::add_positions(ctx, s.table, 8, Places{}, s.a, offsets);
  ops::add_positions_backward(ctx, s.a, 8, s.table, offsets);
  ops::add_sinusoids(ctx, 8, Places{}, s.a);
  ops::segment_sum(ctx, s.a, s.b, {4, 8, offsets, true});
  ops::segment_spread(ctx, s.a, s.b, {4, 8, offsets, true}, true);
}
template void gathers(Ctx&, const Stream<float>&, Tokens, View<Bfloat16, dynamic, dynamic>, Offsets);
template void gathers(Ctx&, const Stream<Bfloat16>&, Tokens, View<Bfloat16, dynamic, dynamic>, Offsets);

void updates(Ctx& ctx, Row v, View<Bfloat16, dynamic> r, ops::StepView<float> state) {
  ops::convert(ctx, v, r);
  ops::convert(ctx, r, v);
  ops::sum_squares(ctx, v);
  ops::normalize(ctx, v, 1, v);
  ops::normalize(ctx, v, 1, r);
  ops::add_losses(ctx, state, v);
  ops::begin_step(ctx, state, v, v, ops::StepRule<CosineSchedule>{});
  ops::adamw(ctx, state, v, v, v, v, {true, true, r});
  ops::momentum(ctx, state, v, 1, v, v);
  ops::descend(ctx, state, v, 1, 1, v);
}

void int8(Ctx& ctx, Rows2d a, Rows2d b, Tokens ids, QuantizedMatrix q) {
  ops::quantize(ctx, a, q);
  ops::gemm(ctx, a, q, b, {.transpose_b = true});
  ops::embedding_forward(ctx, q, ids, a);
}

void few_rows(Ctx& ctx, View<Bfloat16, dynamic, dynamic> a, View<Bfloat16, dynamic, dynamic> b,
              View<Bfloat16, dynamic, dynamic> c) {
  ops::gemm(ctx, a, b, c, {.transpose_b = true});
}
template <class T>
void fused(Ctx& ctx, const ops::RowNorm<T>& norm, MatrixView<T> x, HeadsView<T> heads) {
  const MatrixView<const T> weight(x);
  ops::rms_norm_gemm(ctx, norm, x, weight, x);
  ops::swiglu_gemm_add(ctx, x, x, weight, x, x, x);
  ops::rope_append(ctx, heads, 1, {}, heads, heads, 1);
  ops::rms_norm_gemm_rope_append(ctx, norm, x, weight, x, 1, {}, heads, heads, 1);
}
template void fused(Ctx&, const ops::RowNorm<float>&, MatrixView<float>, HeadsView<float>);
template void fused(Ctx&, const ops::RowNorm<Bfloat16>&, MatrixView<Bfloat16>, HeadsView<Bfloat16>);

void packs(Ctx& ctx, const ops::PatchSlots& slots, View<Index, dynamic> first, View<Token, dynamic> packed) {
  ops::pack_bytes(ctx, slots, first, packed);
  ops::pack_places(ctx, slots, 4, 0, packed);
  ops::pack_symbols(ctx, slots, first, packed, packed);
  ops::slot_targets(ctx, slots, packed, -1, true);
}

void heads(Ctx& ctx, HeadsView<float> x, HeadsView<Bfloat16> r, Row lse, const ops::AttentionShape& shape,
           Rows2d scores, View<Token, dynamic, dynamic> picks) {
  attention(ctx, x, lse, shape);
  attention(ctx, r, lse, shape);
  ops::attention_received(ctx, x, x, lse, scores);
  ops::keep_highest(ctx, scores, true, picks);
}

template <class T>
void losses_and_draws(Ctx& ctx, View<T, dynamic, dynamic> logits, Row v, Tokens ids,
                      View<ops::Draw<TextRule>, dynamic> draws, View<ops::Draw<AnyBut>, dynamic> any,
                      View<Token, dynamic> tokens) {
  ops::cross_entropy_forward(ctx, logits, ids, -1, v, v);
  ops::cross_entropy_backward(ctx, logits, ids, -1, v, 1);
  ops::cross_entropy_forward_backward(ctx, logits, ids, -1, v, v, 1);
  ops::sample(ctx, logits, {.top_k = 5}, draws, tokens);
  ops::sample(ctx, logits, {.top_k = 5}, any, tokens);
}
template void losses_and_draws(Ctx&, View<float, dynamic, dynamic>, Row, Tokens, View<ops::Draw<TextRule>, dynamic>,
                               View<ops::Draw<AnyBut>, dynamic>, View<Token, dynamic>);
template void losses_and_draws(Ctx&, View<Bfloat16, dynamic, dynamic>, Row, Tokens,
                               View<ops::Draw<TextRule>, dynamic>, View<ops::Draw<AnyBut>, dynamic>, View<Token, dynamic>);

template __global__ void stlm::gpu::detail::probe_kernel<void>();
