// Pooling of byte rows into patches, and spreading of patch rows over their bytes: 1024 patches of 5.5 bytes on average.
#include <stlm/ops/segments.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index;

struct Segmented {
  std::vector<Index> offsets{0};
  bench::Numbers rows, sums;
  stlm::ops::Segments segments;

  Segmented(Index count, Index cols) : rows(pack(count), cols), sums(count, cols) {
    segments = {count, 12, {{offsets.data(), static_cast<Index>(offsets.size())}, offsets.back()}, true};
  }
  Index pack(Index count) {
    for (const stlm::Token length : bench::tokens(count, 10)) offsets.push_back(offsets.back() + length + 1);
    return offsets.back();
  }
  /// Calls f(rows of the segment, its sum, weight) for each segment.
  template <class F>
  void each(const F& f) const {
    for (Index b = 0; b < segments.count; ++b) {
      const Index begin = segments.begin(b), size = segments.end(b) - begin;
      f(rows.matrix().middleRows(begin, size), sums.matrix().row(b), 1 / static_cast<float>(size));
    }
  }
};

void add_segments(Index count, Index cols) {
  const auto make = [=] { return Segmented(count, cols); };
  const Segmented one(count, 1);
  const double size = static_cast<double>((one.rows.size() + count) * cols);
  bench::add(
      bench::sized("segments/mean", {count, cols}), {.bytes = 4 * size, .moves = bench::Moves::kRead}, make,
      [](Segmented& d, Context& ctx) { stlm::ops::segment_sum(ctx, d.rows.view(), d.sums.view(), d.segments); },
      [](Segmented& d) { d.each([](auto rows, auto sum, float weight) { sum = weight * rows.colwise().sum(); }); });
  bench::add(
      bench::sized("segments/spread", {count, cols}), {.bytes = 4 * size}, make,
      [](Segmented& d, Context& ctx) {
        stlm::ops::segment_spread(ctx, d.sums.view(), d.rows.view(), d.segments, false);
      },
      [](Segmented& d) { d.each([](auto rows, auto sum, float weight) { rows.rowwise() = weight * sum; }); });
}

const bench::Suite segments([] {
  add_segments(1024, 128);
  add_segments(1024, 768);
});

}  // namespace
