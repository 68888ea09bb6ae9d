// The bytes and FLOPs of attention's kernels, counted by the host executor: tiles that the mask hides cost nothing.
#include <stlm/backend/cuda/attention.hpp>
#include <stlm/backend/cuda/emulated_context.hpp>

#include <set>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace stlm;
using gpu::KernelCounts;

namespace {

constexpr Index heads = 2, size = 64, tile = 64;

/// Counts of attention with H = Kv = 2, D = 64 and activations of Bfloat16; sequences may be packed.
std::map<std::string, KernelCounts> counts_of(const ops::AttentionShape& shape) {
  Context<EmulatedCudaBackend> ctx({.threads = 2});
  const Index width = heads * size, rows = shape.rows(), keys = shape.offsets ? rows : shape.keys;
  Buffer<Bfloat16> q(rows * width), k(keys * width), v(keys * width), out(rows * width), dout(rows * width);
  Buffer<Bfloat16> dq(rows * width), dk(keys * width), dv(keys * width);
  Buffer<float> lse(rows * heads);
  for (auto* x : {&q, &k, &v, &dout}) test::fill(x->view(), {1, 2});
  const auto view = [&](Buffer<Bfloat16>& x) { return HeadsView<Bfloat16>{x.data(), heads, size, x.size(), width}; };
  ops::attention_forward(ctx, view(q), view(k), view(v), view(out), lse.view(), shape);
  if (rows == keys)
    ops::attention_backward(ctx, view(q), view(k), view(v), view(out), lse.view(), view(dout), view(dq), view(dk),
                            view(dv), shape);
  return ctx.counts();
}

/// FLOPs of the products alone: `products` products for each of `tiles` pairs of a query tile and a key tile.
Index product_flops(Index tiles, Index products) {
  return heads * tiles * products * 2 * tile * tile * size;
}
constexpr Index tile_bytes = tile * size * 2;

/// The 8 rows of a matrix are loaded in one pass if they lie in 8 different units of 16 bytes of shared memory; the pairs of
/// a warp are stored in one pass if they go to 32 different units of 4 bytes.
template <int D>
void check_banks() {
  using Tile = gpu::TensorTile<D>;
  static_assert(Tile::at(1, 0) % 4 == 0);
  std::set<int> rows, pairs;
  for (int row = 0; row < 8; ++row) rows.insert(Tile::at(row, 1) / 4 % 8);
  for (int t = 0; t < gpu::warp; ++t) pairs.insert((Tile::at(Tile::row(t, 0), 1) + Tile::member(t)) % 32);
  CHECK(rows.size() == 8);
  CHECK(pairs.size() == 32);
}

}  // namespace

TEST_CASE("attention kernels: fragments are read from shared memory without conflicts of banks", "[cuda][attention]") {
  check_banks<32>();
  check_banks<48>();
  check_banks<64>();
  check_banks<128>();
}

TEST_CASE("attention kernels: causal costs the tiles it sees, about half", "[cuda][attention]") {
  const Index tokens = 256, tiles = tokens / tile, all = tiles * tiles, seen = tiles * (tiles + 1) / 2;
  const auto causal = counts_of({1, tokens, tokens, true}), both = counts_of({1, tokens, tokens, false});
  const auto check = [&](const char* kernel, Index products, Index read_more) {
    CAPTURE(kernel);
    const KernelCounts &a = causal.at(kernel), &b = both.at(kernel);
    CHECK(a.flops >= product_flops(seen, products));
    CHECK(a.flops < product_flops(seen, products) * 11 / 10);  // the softmax adds a tenth at most
    CHECK(b.flops >= product_flops(all, products));
    CHECK(b.flops < product_flops(all, products) * 11 / 10);
    CHECK(b.bytes_read - a.bytes_read >= heads * read_more * tile_bytes);
    CHECK(b.bytes_read - a.bytes_read < heads * read_more * (tile_bytes + 2048));  // row sums
    CHECK(a.bytes_written == b.bytes_written);
  };
  check("attention_tensor_forward", 2, 2 * (all - seen));         // S = Q K^T, O = P V; reads K, V
  check("attention_tensor_query_gradient", 3, 2 * (all - seen));  // S, dP = dO V^T, dQ = dS K; reads K, V
  check("attention_tensor_key_gradient", 4, 2 * (all - seen));    // S, dP, dV = P^T dO, dK = dS^T Q; reads Q, dO
}

TEST_CASE("attention kernels: a window costs what it sees, at any length", "[cuda][attention]") {
  const auto flops = [](Index tokens) {
    return counts_of({.batch = 1, .queries = tokens, .keys = tokens, .window = 64})
        .at("attention_tensor_forward")
        .flops;
  };
  CHECK(flops(384) - flops(256) == flops(512) - flops(384));
}

TEST_CASE("attention kernels: keys and values are read once for a tile of queries", "[cuda][attention]") {
  const Index tokens = 256, tiles = tokens / tile;
  const KernelCounts forward = counts_of({1, tokens, tokens, false}).at("attention_tensor_forward");
  CHECK(forward.bytes_read == heads * (tiles + tiles * 2 * tiles) * tile_bytes);
  CHECK(forward.bytes_written == heads * (tiles * tile_bytes + tokens * 4));
}

TEST_CASE("attention kernels: short packed sequences share tiles", "[cuda][attention]") {
  const Index patch = 12, patches = 32, tokens = patch * patches;
  std::vector<Index> offsets;
  for (Index b = 0; b <= patches; ++b) offsets.push_back(b * patch);
  ops::AttentionShape shape{patches, patch, patch, false};
  shape.offsets = {{offsets.data(), std::ssize(offsets)}, tokens};
  const auto counts = counts_of(shape);
  const auto check = [&](const char* kernel, Index products, Index most_keys) {
    CAPTURE(kernel);  // the keys of a tile of 64 rows, and of the rest of the sequences at both its ends
    CHECK(counts.at(kernel).flops < products * 2 * heads * tokens * most_keys * size * 11 / 10);
  };
  check("attention_tensor_forward", 2, 96);
  check("attention_tensor_query_gradient", 3, 96);
  check("attention_tensor_key_gradient", 4, 96);
}

TEST_CASE("attention kernels: one query reads its keys and values once", "[cuda][attention]") {
  const Index keys = 1000;
  const auto counts = counts_of({1, 1, keys, true});
  const Index vectors = heads * keys * size * 2, splits = 8, scores_at_once = 16;
  const KernelCounts decode = counts.at("attention_decode");
  CHECK(decode.bytes_read == 2 * vectors + heads * splits * scores_at_once * size * 2);  // keys and values, then the query
  CHECK(counts.at("attention_join").launches == 1);
  CHECK(counts.count("attention_tensor_forward") == 0);
}

TEST_CASE("attention kernels: a query that reads nothing mixes nothing and changes no gradient", "[cuda][attention]") {
  const Index queries = 100, keys = 20, width = heads * size;  // query i is at i - 80: those before 76 see no key
  const ops::AttentionShape shape{.batch = 1, .queries = queries, .keys = keys, .causal = false, .window = 4};
  const auto check = [&]<class T>(T) {
    Context<EmulatedCudaBackend> ctx;
    Buffer<T> q(queries * width), k(keys * width), out(queries * width), dq(queries * width), dk(keys * width);
    Buffer<T> dv(keys * width);
    Buffer<float> lse(queries * heads);
    for (auto* x : {&q, &k}) test::fill(x->view(), {1, 2});
    const auto view = [&](Buffer<T>& x) { return HeadsView<T>{x.data(), heads, size, x.size(), width}; };
    using Kernels = ops::impl::Attention<EmulatedCudaBackend>;  // the op refuses windows over fewer keys than queries
    Kernels::template forward<T, T>(ctx, view(q), view(k), view(k), view(out), lse.data(), shape);
    Kernels::template backward<T, T>(
        ctx, {view(q), view(k), view(k), view(out), view(q), view(dq), view(dk), view(dv)}, lse.data(), shape);
    for (Index i = 0; i < 76 * width; ++i) REQUIRE((out.data()[i] == 0 && dq.data()[i] == 0));
    for (Index i = 76 * width; i < queries * width; ++i) REQUIRE(out.data()[i] != 0);
    for (const T x : dk.view()) REQUIRE(std::isfinite(x));
    for (const T x : dv.view()) REQUIRE(std::isfinite(x));
    CHECK(lse.data()[75] == -INFINITY);
    CHECK(std::isfinite(lse.data()[76]));
  };
  check(float{});
  check(Bfloat16{});
}
