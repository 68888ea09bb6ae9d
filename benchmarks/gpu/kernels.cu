// Rates of kernels beside the device's peaks: ops bound by memory in bytes/s, attention and products in FLOP/s. A copy and a
// large product probe the peaks. Each call is captured as a graph, so that the host is not measured.
#include "measure.hpp"

#include <stlm/ops/attention.hpp>
#include <stlm/ops/gemm.hpp>

#include "kernels.hpp"

namespace gpu_bench {

using stlm::Bfloat16;
template <class T>
using Memory = stlm::Buffer<T, stlm::DeviceSpace>;

/// The median time of a replayed call, in milliseconds.
template <class Work>
double time_of(stlm::Context<CudaBackend>& ctx, Index runs, const Work& work) {
  work();  // allocates memory and makes plans
  const stlm::gpu::GraphExec exec(stlm::gpu::capture(ctx.stream(), work));
  exec.launch(ctx.stream());
  return median(times(ctx.stream(), runs, [&] { exec.launch(ctx.stream()); }));
}

void report(const std::string& kind, const std::string& name, double ms, double bytes, double flops) {
  Line line("kernels");
  line.add("kind", kind).add("name", name).add("ms", ms);
  if (bytes > 0) line.add("bytes", bytes).add("bytes_per_second", bytes / ms * 1e3);
  if (flops > 0) line.add("flops", flops).add("flops_per_second", flops / ms * 1e3);
}

/// Copies by a kernel, because the runtime's own copy is a third slower on an H200.
void copy_probe(stlm::Context<CudaBackend>& ctx, Index runs) {
  constexpr Index size = Index{1} << 28;
  const Memory<float> from = random_numbers<float, CudaBackend>(size), to(size);
  const double ms = time_of(ctx, runs, [&] {
    using namespace stlm::gpu;
    map(ctx, Scale<float>{1}, std::array{line(to.data(), size)}, std::array{line<const float>(from.data(), size)});
  });
  report("probe", "copy", ms, 2 * static_cast<double>(from.bytes()), 0);
}

/// (m, k) by the transpose of (n, k), as in a linear layer.
void product(stlm::Context<CudaBackend>& ctx, Index runs, const std::string& kind, Index m, Index n, Index k) {
  const Memory<Bfloat16> x = random_numbers<Bfloat16, CudaBackend>(m * k);
  const Memory<Bfloat16> w = random_numbers<Bfloat16, CudaBackend>(n * k);
  const Memory<Bfloat16> y(m * n);
  const double ms = time_of(ctx, runs, [&] {
    using stlm::MatrixView;
    stlm::ops::gemm(ctx, MatrixView<const Bfloat16>(x.data(), m, k, k), MatrixView<const Bfloat16>(w.data(), n, k, k),
                    MatrixView<Bfloat16>(y.data(), m, n, n), {.transpose_b = true});
  });
  const std::string name = std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
  report(kind, name, ms, 0, 2 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k));
}

void attention(stlm::Context<CudaBackend>& ctx, Index runs, Index batch, Index tokens, Index heads, Index size) {
  const Index width = heads * size, rows = batch * tokens;
  const auto numbers = [&] { return random_numbers<Bfloat16, CudaBackend>(rows * width); };
  const Memory<Bfloat16> q = numbers(), k = numbers(), v = numbers(), d = numbers();
  const Memory<Bfloat16> out(rows * width), dq(rows * width), dk(rows * width), dv(rows * width);
  const Memory<float> lse(rows * heads);
  const auto split = [&](const Memory<Bfloat16>& x) {
    return stlm::HeadsView<Bfloat16>{x.data(), heads, size, tokens * width, width};
  };
  const stlm::ops::AttentionShape shape{.batch = batch, .queries = tokens, .keys = tokens, .causal = true};
  const double forward = time_of(ctx, runs, [&] {
    stlm::ops::attention_forward(ctx, split(q), split(k), split(v), split(out), lse.view(), shape);
  });
  const double backward = time_of(ctx, runs, [&] {
    stlm::ops::attention_backward(ctx, split(q), split(k), split(v), split(out), lse.view(), split(d), split(dq),
                                  split(dk), split(dv), shape);
  });
  // Two products forward and five backward, each over the half of the scores that a causal mask leaves; repeats do not count.
  const double one = static_cast<double>(batch * heads * size) * std::pow(static_cast<double>(tokens), 2);
  const std::string name = std::to_string(batch) + "x" + std::to_string(tokens) + ", " + std::to_string(heads) +
                           " heads of " + std::to_string(size);
  report("attention", name + ", forward", forward, 0, 2 * one);
  report("attention", name + ", backward", backward, 0, 5 * one);
}

void work(const Options& o) {
  const Index runs = o.number("runs"), rows = o.number("rows");
  stlm::Context<CudaBackend> ctx({.seed = 1}, {.tune = true});
  copy_probe(ctx, runs);
  product(ctx, runs, "probe", 8192, 8192, 8192);
  each_op(ctx, rows, [&](const std::string& op, double bytes, const auto& call) {
    report("memory", op, time_of(ctx, runs, call), bytes, 0);
  });
  attention(ctx, runs, 64, 256, 6, 64);
  attention(ctx, runs, 16, 1024, 8, 64);
  attention(ctx, runs, 16, 1024, 12, 64);
  attention(ctx, runs, 8, 2048, 12, 64);
  for (const Index dim : {384, 512, 768}) {
    const Index ffn = dim == 384 ? 1024 : dim == 512 ? 1376 : 2048;
    for (const auto& [n, k] : {std::pair{3 * dim, dim}, {dim, dim}, {2 * ffn, dim}, {dim, ffn}})
      product(ctx, runs, "product", 16384, n, k);
    product(ctx, runs, "product", 8192, 50304, dim);
  }
  copy_probe(ctx, runs);
  product(ctx, runs, "probe", 8192, 8192, 8192);
}

}  // namespace gpu_bench

int main(int argc, char** argv) {
  return gpu_bench::run(argc, argv, {{"runs", "20"}, {"rows", "32768"}}, gpu_bench::work);
}
