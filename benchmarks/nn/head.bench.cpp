// Heads of models b and c, tied to the embedding's table: the final norm and the logits. For c, an eighth of its batch's rows.
#include <stlm/nn/head.hpp>

#include "../support/models.hpp"
#include "../support/module.hpp"

namespace {

template <class Config>
void add_head(const std::string& name, const bench::Pass& pass) {
  using Head = stlm::Head<stlm::RmsNorm<Config::dim>, Config::dim, Config::vocabulary>;
  using M = bench::WithTable<Head, Config::dim>;
  const double flops = static_cast<double>(pass.rows()) * M::flops_per_token(1);
  bench::add_module<M, Config::dim, Config::vocabulary>(
      name, pass, flops, [](auto& d) { M::forward(d.ctx, d.params.tree().module, d.pass, d.x, d.y, d.cache); },
      [](auto& d) {
        M::backward(d.ctx, d.params.tree().module, d.pass, d.x, d.dy, d.dx, d.cache, d.grads.tree().module);
      });
}

const bench::Suite heads([] {
  add_head<bench::B>("head/b", {bench::B::shape.batch, bench::B::shape.tokens});
  add_head<bench::C>("head/c", {1, 256});
});

}  // namespace
