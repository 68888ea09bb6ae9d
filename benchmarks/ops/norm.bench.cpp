// RMSNorm and LayerNorm over the rows of model b and of the byte-level preset.
#include <stlm/ops/norm.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index, bench::Numbers, Eigen::ArrayXf;

struct Normed {
  Index rows;
  Numbers x, dy, sum, y, gain, bias, dgain, dbias, mean, rstd;
  Normed(Index rows_, Index cols)
      : rows(rows_),
        x(rows, cols),
        dy(rows, cols),
        sum(rows, cols),
        y(rows, cols),
        gain(cols),
        bias(cols),
        dgain(cols),
        dbias(cols),
        mean(rows),
        rstd(rows) {}
};

void plain_rms_forward(Normed& d) {
  for (Index n = 0; n < d.rows; ++n) {
    d.rstd[n] = 1 / std::sqrt(d.x.row(n).square().mean() + 1e-6F);
    d.y.row(n) = d.gain.array() * d.x.row(n) * d.rstd[n];
  }
}
void plain_add_rms_forward(Normed& d) {
  for (Index n = 0; n < d.rows; ++n) {
    d.sum.row(n) = d.x.row(n) + d.dy.row(n);
    d.rstd[n] = 1 / std::sqrt(d.sum.row(n).square().mean() + 1e-6F);
    d.y.row(n) = d.gain.array() * d.sum.row(n) * d.rstd[n];
  }
}
void plain_rms_backward(Normed& d) {
  ArrayXf w(d.gain.size()), normed(d.gain.size());
  for (Index n = 0; n < d.rows; ++n) {
    w = d.dy.row(n) * d.gain.array();
    normed = d.x.row(n) * d.rstd[n];
    d.y.row(n) = d.rstd[n] * (w - normed * (w * normed).mean());
    d.dgain.array() += d.dy.row(n) * normed;
  }
}
void plain_layer_forward(Normed& d) {
  for (Index n = 0; n < d.rows; ++n) {
    d.mean[n] = d.x.row(n).mean();
    d.rstd[n] = 1 / std::sqrt((d.x.row(n) - d.mean[n]).square().mean() + 1e-5F);
    d.y.row(n) = d.gain.array() * (d.x.row(n) - d.mean[n]) * d.rstd[n] + d.bias.array();
  }
}
void plain_layer_backward(Normed& d) {
  ArrayXf w(d.gain.size()), normed(d.gain.size());
  for (Index n = 0; n < d.rows; ++n) {
    w = d.dy.row(n) * d.gain.array();
    normed = (d.x.row(n) - d.mean[n]) * d.rstd[n];
    d.y.row(n) = d.rstd[n] * (w - w.mean() - normed * (w * normed).mean());
    d.dgain.array() += d.dy.row(n) * normed;
    d.dbias.array() += d.dy.row(n);
  }
}

void add_norms(Index rows, Index cols) {
  const double size = static_cast<double>(rows * cols);
  const auto make = [=] { return Normed(rows, cols); };
  const auto name = [=](const char* op) { return bench::sized(std::string("norm/") + op, {rows, cols}); };

  bench::add(
      name("rms_forward"), {.bytes = 8 * size}, make,
      [](Normed& d, Context& ctx) {
        stlm::ops::rms_norm_forward(ctx, d.x.view(), d.gain.flat(), d.y.view(), d.rstd.flat(), 1e-6);
      },
      &plain_rms_forward);
  bench::add(
      name("add_rms_forward"), {.bytes = 16 * size}, make,
      [](Normed& d, Context& ctx) {
        stlm::ops::add_rms_norm_forward(ctx, d.x.view(), d.dy.view(), d.gain.flat(), d.sum.view(), d.y.view(),
                                        d.rstd.flat(), 1e-6);
      },
      &plain_add_rms_forward);
  bench::add(
      name("rms_backward"), {.bytes = 12 * size}, make,
      [](Normed& d, Context& ctx) {
        stlm::ops::rms_norm_backward(ctx, d.x.view(), d.gain.flat(), d.rstd.flat(), d.dy.view(), d.y.view(),
                                     d.dgain.flat(), false);
      },
      &plain_rms_backward);
  bench::add(
      name("layer_forward"), {.bytes = 8 * size}, make,
      [](Normed& d, Context& ctx) {
        stlm::ops::layer_norm_forward(ctx, d.x.view(), d.gain.flat(), d.bias.flat(), d.y.view(), d.mean.flat(),
                                      d.rstd.flat(), 1e-5);
      },
      &plain_layer_forward);
  bench::add(
      name("layer_backward"), {.bytes = 12 * size}, make,
      [](Normed& d, Context& ctx) {
        stlm::ops::layer_norm_backward(ctx, d.x.view(), d.gain.flat(), d.mean.flat(), d.rstd.flat(), d.dy.view(),
                                       d.y.view(), d.dgain.flat(), d.dbias.flat(), false);
      },
      &plain_layer_backward);
}

const bench::Suite norms([] {
  add_norms(2048, 384);
  add_norms(512, 768);
});

}  // namespace
