// Elementwise work on the rows of model b: 2048 rows of 384 and of 1024 numbers.
#include <stlm/ops/elementwise.hpp>

#include "../support/numbers.hpp"

namespace {

struct Streams {
  bench::Numbers a, b, y, bias;
  stlm::Buffer<stlm::Bfloat16> rounded;
  Streams(bench::Index rows, bench::Index cols)
      : a(rows, cols), b(rows, cols), y(rows, cols), bias(cols), rounded(rows * cols) {}
};

void add_streams(bench::Index rows, bench::Index cols) {
  using bench::Context;
  const double size = static_cast<double>(rows * cols);
  const auto make = [=] { return Streams(rows, cols); };
  const auto name = [=](const char* op) { return bench::sized(std::string("elementwise/") + op, {rows, cols}); };

  bench::add(
      name("add"), {.bytes = 12 * size}, make,
      [](Streams& s, Context& ctx) { stlm::ops::add(ctx, s.a.flat(), s.b.flat(), s.y.flat()); },
      [](Streams& s) { s.y.array() = s.a.array() + s.b.array(); });
  bench::add(
      name("axpby"), {.bytes = 12 * size, .moves = bench::Moves::kUpdate}, make,
      [](Streams& s, Context& ctx) { stlm::ops::axpby(ctx, 0.5F, s.a.flat(), 0.5F, s.y.flat()); },
      [](Streams& s) { s.y.array() = 0.5F * s.a.array() + 0.5F * s.y.array(); });
  bench::add(
      name("convert"), {.bytes = 6 * size}, make,
      [](Streams& s, Context& ctx) { stlm::ops::convert(ctx, s.a.flat(), s.rounded.view()); },
      [](Streams& s) {
        auto* to = reinterpret_cast<Eigen::bfloat16*>(s.rounded.data());
        Eigen::Map<Eigen::Array<Eigen::bfloat16, Eigen::Dynamic, 1>>(to, s.a.size()) = s.a.array().cast<Eigen::bfloat16>();
      });
  bench::add(
      name("copy_rows"), {.bytes = 8 * size}, make,
      [](Streams& s, Context& ctx) { stlm::ops::copy_rows(ctx, s.a.view(), stlm::MatrixView<float>(s.y.view())); },
      [](Streams& s) { s.y.matrix() = s.a.matrix(); });
  bench::add(
      name("clear"), {.bytes = 4 * size}, make,
      [](Streams& s, Context& ctx) { stlm::ops::clear(ctx, stlm::MatrixView<float>(s.y.view())); },
      [](Streams& s) { s.y.matrix().setZero(); });
  bench::add(
      name("add_bias"), {.bytes = 8 * size, .moves = bench::Moves::kUpdate}, make,
      [](Streams& s, Context& ctx) { stlm::ops::add_bias(ctx, s.bias.flat(), s.y.view()); },
      [](Streams& s) { s.y.matrix().rowwise() += s.bias.vector(); });
  bench::add(
      name("sum_rows"), {.bytes = 4 * size, .moves = bench::Moves::kRead}, make,
      [](Streams& s, Context& ctx) { stlm::ops::sum_rows(ctx, s.y.view(), s.bias.flat()); },
      [](Streams& s) { s.bias.vector() += s.y.matrix().colwise().sum(); });
  bench::add(
      name("dropout"), {.bytes = 8 * size, .moves = bench::Moves::kUpdate}, make,
      [](Streams& s, Context& ctx) {
        stlm::ops::dropout(ctx, s.y.flat(), 0.1, stlm::RandomKey{1, 2});
      },
      [](Streams& s) {  // one draw in [-1, 1) for each number
        s.y.array() = (Eigen::ArrayXf::Random(s.y.size()) < -0.8F).select(0.0F, s.y.array() * (1 / 0.9F));
      });
}

const bench::Suite elementwise([] {
  add_streams(2048, 384);
  add_streams(2048, 1024);
});

}  // namespace
