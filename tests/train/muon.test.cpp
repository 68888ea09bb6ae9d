#include <stlm/train/muon.hpp>

#include <set>

#include <stlm/nn/attention.hpp>
#include <stlm/nn/lora.hpp>
#include <stlm/nn/lora_mixture.hpp>

#include "golden/updates.hpp"

namespace {

using namespace stlm;

MuonOptions golden_options() {
  const golden::File file("optimizers.safetensors");
  const std::vector<double> muon = file.values("muon"), adamw = file.values("adamw");
  return {muon[0], muon[1], muon[2], {adamw[0], adamw[1], adamw[2], adamw[3], adamw[4]}};
}

/// One number as a matrix.
struct Scalar {
  template <class T>
  struct Params {
    View<T, 1, 1> w;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "w", p.w, ParameterSpec::matrix(1));
  }
};

/// A model with only tensors that Muon leaves to AdamW.
struct NoMatrix {
  template <class T>
  struct Params {
    View<T, 3, 4> table;
    View<T, 5> gain;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "table", p.table, ParameterSpec::table(1));
    v(path / "gain", p.gain, ParameterSpec::ones());
  }
};

/// Large enough for every op to split its work.
struct Large {
  template <class T>
  struct Params {
    View<T, 300, 130> tall;
    View<T, 130, 300> wide;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    ParameterSpec spec = ParameterSpec::matrix(130);
    spec.row_parts = {200, 50, 50};
    v(path / "tall", p.tall, spec);
    v(path / "wide", p.wide, ParameterSpec::matrix(300));
  }
};

template <class Model, class B, class T>
void fill(const Parameters<Model, B, T>& params, std::uint64_t seed) {
  std::uint64_t i = 0;
  params.for_each([&](const Path&, const auto& view, const ParameterSpec&) {
    for (T& x : view) x = static_cast<T>(random_uniform(RandomKey::from_seed(seed), i++)) - T(0.5);
  });
}

/// The smallest and the largest singular value, by power iteration on s I - G and on G, the Gram matrix.
std::pair<double, double> singular_values(const double* data, Index rows, Index cols) {
  using Matrix = View<double, dynamic, dynamic>;
  Context<ReferenceBackend> ctx;
  const Index n = std::min(rows, cols);
  const Buffer<double> gram_memory(n * n), v_memory(n), w_memory(n);
  const Matrix gram(gram_memory.data(), n, n), v(v_memory.data(), n, Index{1}), w(w_memory.data(), n, Index{1});
  const View<const double, dynamic, dynamic> x(data, rows, cols);
  ops::gemm(ctx, x, x, gram, {.transpose_a = rows > cols, .transpose_b = rows <= cols});
  const auto largest_eigenvalue = [&] {
    double norm = 0;
    for (Index i = 0; i < n; ++i) v(i, 0) = 1 + static_cast<double>(i % 7);
    for (int step = 0; step < 200; ++step) {
      ops::gemm(ctx, gram, v, w);
      norm = std::sqrt(ops::sum_squares(ctx, w));
      ops::axpby(ctx, 1 / norm, w, 0.0, v);
    }
    return norm;
  };
  const double largest = largest_eigenvalue();
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) gram(i, j) = (i == j ? largest : 0) - gram(i, j);
  return {std::sqrt(largest - largest_eigenvalue()), std::sqrt(largest)};
}

}  // namespace

TEMPLATE_TEST_CASE("Muon equals PyTorch's", "[golden]", golden::ReferenceDouble, golden::EigenDouble,
                   golden::EigenFloat) {
  using Optimizer = Muon<golden::UpdateModel, typename TestType::Backend, typename TestType::T>;
  golden::check_updates<TestType, Optimizer>("muon", golden_options());
}

TEST_CASE("Muon takes the Q, K and V of attention as matrices of their own") {
  using Layer = Attention<16, 4, 2, 6, Rotary<>, Causal, WithBias>;
  Context<ReferenceBackend> ctx;
  Parameters<Layer, ReferenceBackend> params(ctx);
  int seen = 0;
  params.for_each([&](const Path& path, const auto&, const ParameterSpec& spec) {
    CAPTURE(path.str());
    const bool qkv = path.str().starts_with("qkv.");
    CHECK(spec.row_parts == (qkv ? std::array<Index, 3>{24, 12, 12} : std::array<Index, 3>{}));
    ++seen;
  });
  CHECK(seen == 4);
}

// A has 32 rows, as many as Q, K and V together; so do the U of 4 experts of rank 8 and the gate of 32 experts.
TEMPLATE_TEST_CASE("Muon takes a factor with as many rows as Q, K and V have as one matrix", "", WithLora<Lora<32>>,
                   WithLora<BiasedLora<32>>, (LoraMixture<4, 8>), (LoraMixture<32, 2>)) {
  using Layer = Attention<16, 4, 2, 4, Rotary<>, Causal, TestType>;
  static_assert(Layer::qkv_width == 32);
  Context<ReferenceBackend> ctx;
  Parameters<Layer, ReferenceBackend> params(ctx);
  std::set<std::string> stacked, whole;
  params.for_each([&](const Path& path, const auto& view, const ParameterSpec& spec) {
    if (!path.str().starts_with("qkv.") || view.extent(0) != 32) return;
    (spec.row_parts == std::array<Index, 3>{16, 8, 8} ? stacked : whole).insert(path.str());
    CHECK((spec.row_parts[0] == 16 || spec.row_parts == std::array<Index, 3>{}));
  });
  using Names = std::set<std::string>;
  if constexpr (std::is_same_v<TestType, WithLora<Lora<32>>>) {
    CHECK(stacked == Names{"qkv.weight", "qkv.lora_b"});
    CHECK(whole == Names{"qkv.lora_a"});
  } else if constexpr (std::is_same_v<TestType, WithLora<BiasedLora<32>>>) {
    CHECK(stacked == Names{"qkv.weight", "qkv.lora_b", "qkv.lora_b_bias"});
    CHECK(whole == Names{"qkv.lora_a", "qkv.lora_a_bias"});
  } else {
    CHECK(stacked == Names{"qkv.weight", "qkv.mixture.v"});
    CHECK(whole == Names{std::is_same_v<TestType, LoraMixture<4, 8>> ? "qkv.mixture.u" : "qkv.mixture.gate"});
  }
}

TEST_CASE("Muon takes matrices of one shape together, as many as a batch may hold") {
  using Shapes = std::vector<std::array<Index, 3>>;
  Context<ReferenceBackend> ctx;
  Parameters<Large, ReferenceBackend> params(ctx);
  const auto batches = [&](Index numbers) {
    Shapes found;
    for (const auto& batch : detail::muon_batches(params, numbers)) found.push_back({batch.rows, batch.cols, batch.count()});
    return found;
  };
  CHECK(batches(2 * 50 * 130) == Shapes{{200, 130, 1}, {50, 130, 2}, {130, 300, 1}});
  CHECK(batches(2 * 50 * 130 - 1) == Shapes{{200, 130, 1}, {50, 130, 1}, {50, 130, 1}, {130, 300, 1}});
}

TEST_CASE("Muon on one number is the Newton-Schulz polynomial five times") {
  Context<ReferenceBackend> ctx;
  Parameters<Scalar, ReferenceBackend, double> params(ctx), grads(ctx);
  Muon<Scalar, ReferenceBackend, double> optimizer(ctx, {.lr = 0.1, .momentum = 0.5, .weight_decay = 0.2});
  double w = params.tree().w(0, 0) = 3, m = 0;
  for (const double g : {-2.0, 5.0, 0.0}) {
    m = 0.5 * m + g;
    const double u = g + 0.5 * m;
    double x = u / (std::abs(u) + 1e-7);
    for (int i = 0; i < 5; ++i) x = 3.4445 * x - 4.7750 * std::pow(x, 3) + 2.0315 * std::pow(x, 5);
    w = w * (1 - 0.25 * 0.1 * 0.2) - 0.25 * 0.1 * x;
    grads.tree().w(0, 0) = g;
    optimizer.step(ctx, params, grads, 0.25);
    CHECK(params.tree().w(0, 0) == Approx(w).epsilon(1e-13));
  }
}

TEST_CASE("Muon without a gradient only decays") {
  Context<ReferenceBackend> ctx;
  Parameters<Scalar, ReferenceBackend, double> params(ctx), grads(ctx);
  Muon<Scalar, ReferenceBackend, double> optimizer(ctx, {.lr = 0.1, .weight_decay = 0.5});
  params.tree().w(0, 0) = 2;
  optimizer.step(ctx, params, grads);
  CHECK(params.tree().w(0, 0) == 2 * (1 - 0.1 * 0.5));
}

TEST_CASE("Muon without matrices is AdamW") {
  Context<ReferenceBackend> ctx;
  Parameters<NoMatrix, ReferenceBackend, double> a(ctx), b(ctx), grads(ctx);
  const AdamWOptions options{.lr = 0.1, .weight_decay = 0.3, .decay_vectors = GENERATE(false, true)};
  Muon<NoMatrix, ReferenceBackend, double> muon(ctx, {.adamw = options});
  AdamW<NoMatrix, ReferenceBackend, double> adamw(ctx, options);
  fill(a, 1);
  std::ranges::copy(a.flat(), b.flat().begin());
  for (std::uint64_t step = 0; step < 3; ++step) {
    fill(grads, 2 + step);
    muon.step(ctx, a, grads, 0.5);
    adamw.step(ctx, b, grads, 0.5);
  }
  CHECK(std::ranges::equal(a.flat(), b.flat()));
}

TEMPLATE_TEST_CASE("Muon's update has singular values near one, for each stacked matrix", "", double, Bfloat16) {
  using T = compute_t<TestType>;
  Context<EigenBackend> ctx;
  Parameters<Large, EigenBackend, T> params(ctx), grads(ctx);
  Muon<Large, EigenBackend, T, TestType> optimizer(ctx, {.lr = 1});
  fill(grads, 7);
  optimizer.step(ctx, params, grads);
  const auto check = [](const T* data, Index rows, Index cols) {
    CAPTURE(rows, cols);
    const std::vector<double> update(data, data + rows * cols);
    const auto [smallest, largest] = singular_values(update.data(), rows, cols);
    const double scale = std::sqrt(std::max(1.0, static_cast<double>(rows) / static_cast<double>(cols)));
    CHECK(smallest / scale > 0.65);
    CHECK(largest / scale < 1.25);
  };
  const auto& tree = params.tree();
  check(tree.tall.data(), 200, 130);
  check(tree.tall.data() + 200 * 130, 50, 130);
  check(tree.tall.data() + 250 * 130, 50, 130);
  check(tree.wide.data(), 130, 300);
}

TEST_CASE("Muon's update is the same bits for any number of threads") {
  const auto updated = [](int threads) {
    Context<EigenBackend> ctx({.threads = threads});
    Parameters<Large, EigenBackend> params(ctx), grads(ctx);
    Muon<Large, EigenBackend> optimizer(ctx, {});
    fill(params, 5);
    for (std::uint64_t step = 0; step < 2; ++step) {
      fill(grads, 6 + step);
      optimizer.step(ctx, params, grads);
    }
    return std::vector<float>(params.flat().begin(), params.flat().end());
  };
  const std::vector<float> one = updated(1);
  CHECK(updated(2) == one);
  CHECK(updated(3) == one);
  CHECK(updated(8) == one);
}

TEST_CASE("Muon refuses options that make no sense") {
  Context<EigenBackend> ctx;
  for (const MuonOptions& bad : {MuonOptions{.lr = -1}, MuonOptions{.lr = NAN}, MuonOptions{.momentum = 1},
                                 MuonOptions{.momentum = -0.1}, MuonOptions{.weight_decay = -1}, MuonOptions{.adamw = {.lr = -1}}})
    CHECK_THROWS_AS((Muon<Large, EigenBackend>(ctx, bad)), Error);
}
