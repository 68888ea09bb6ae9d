// Products y = x W^T as in generation and prompts: 1, 16 and 128 rows by matrices of model c, with W in float, Bfloat16 and
// int8. The int8 product rounds x to int8 as well. The largest W, the head, does not stay in the cache. Plain Eigen converts W
// to float within the product.
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/quantized.hpp>

#include "../support/models.hpp"
#include "../support/numbers.hpp"

namespace {

using bench::C, bench::Context, bench::Index, bench::Numbers;
using stlm::Bfloat16;

/// W (rows, cols): random numbers, rounded to S.
template <class S>
struct Weight {
  Index rows, cols;
  stlm::Buffer<S> numbers;
  Weight(Index rows_, Index cols_) : rows(rows_), cols(cols_), numbers(rows * cols) {
    Context ctx;
    stlm::ops::convert(ctx, Numbers(rows, cols).flat(), numbers.view());
  }
  stlm::MatrixView<const S> view() const { return {numbers.data(), rows, cols, cols}; }
  auto plain() const {
    using Stored = std::conditional_t<std::is_same_v<S, Bfloat16>, Eigen::bfloat16, S>;
    using Rows = Eigen::Matrix<Stored, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Map<const Rows> stored(reinterpret_cast<const Stored*>(numbers.data()), rows, cols);
    if constexpr (std::is_same_v<S, Bfloat16>)
      return stored.template cast<float>();
    else
      return stored;
  }
};
template <>
struct Weight<stlm::Int8> {
  Index rows, cols;
  stlm::Buffer<std::int8_t> numbers;
  stlm::Buffer<float> scales;
  stlm::Buffer<std::int32_t> sums;
  Weight(Index rows_, Index cols_)
      : rows(rows_), cols(cols_), numbers(rows * stlm::QuantizedMatrix::padded(cols)), scales(rows), sums(rows) {
    Context ctx;
    quantize(ctx, Numbers(rows, cols));
  }
  void quantize(Context& ctx, const Numbers& from) const { stlm::ops::quantize(ctx, from.view(), view()); }
  stlm::QuantizedMatrix view() const { return {numbers.data(), scales.data(), sums.data(), rows, cols}; }
};

template <class S>
struct Read {
  Numbers x, y;
  Weight<S> w;
  Read(Index m, Index n, Index k) : x(m, k), y(m, n), w(n, k) {}
};

template <class S>
void add_read(const char* format, Index m, Index n, Index k) {
  const double mn = static_cast<double>(m * n), mk = static_cast<double>(m * k), nk = static_cast<double>(n * k);
  constexpr double size = std::is_same_v<S, stlm::Int8> ? 1 : sizeof(S);
  const bench::Work work{.flops = 2 * mn * static_cast<double>(k), .bytes = size * nk + 4 * (mk + mn),
                         .tokens = static_cast<double>(m), .moves = bench::Moves::kRead};
  const std::string name = bench::sized("quantized/" + std::string(format), {m, n, k});
  const auto make = [=] { return Read<S>(m, n, k); };
  const auto ours = [](Read<S>& d, Context& ctx) {
    stlm::ops::gemm(ctx, d.x.view(), d.w.view(), d.y.view(), {.transpose_b = true});
  };
  if constexpr (std::is_same_v<S, stlm::Int8>)
    bench::add(name, work, make, ours);
  else
    bench::add(name, work, make, ours, [](Read<S>& d) { d.y.matrix().noalias() = d.x.matrix() * d.w.plain().transpose(); });
}

const bench::Suite formats([] {
  for (const Index m : {1, 16, 128})
    for (const auto& [n, k] : {std::pair<Index, Index>{3 * C::dim, C::dim}, {C::dim, C::ffn_dim}, {C::vocabulary, C::dim}}) {
      add_read<float>("float", m, n, k);
      add_read<Bfloat16>("bfloat16", m, n, k);
      add_read<stlm::Int8>("int8", m, n, k);
    }
  constexpr Index rows = C::dim, cols = C::ffn_dim;
  using Quantized = std::pair<Numbers, Weight<stlm::Int8>>;
  bench::add(
      bench::sized("quantized/quantize", {rows, cols}), {.bytes = 5.0 * rows * cols, .moves = bench::Moves::kRead},
      [] { return Quantized(Numbers(rows, cols), Weight<stlm::Int8>(rows, cols)); },
      [](Quantized& d, Context& ctx) { d.second.quantize(ctx, d.first); });
});

}  // namespace
