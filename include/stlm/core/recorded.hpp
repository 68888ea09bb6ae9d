// Recorded: work that is run again and again, over the same memory. A GPU records it once and replays it as one graph.
//
//   Recorded<Backend> step;
//   for (...) step.run(ctx, shape, [&] { ... });     // ops on ctx
//
// The first run is as any other, so that memory grows and libraries load; the second records. From then on the work itself
// is not called: what it read of the host is as it was then. So it must depend on nothing but `shape`, a few numbers, and
// the memory of the backend, and allocate nothing; a run with another shape begins anew. Work whose first run copies from
// the memory of the backend to the host, as mixtures of experts do, is done each time.
#pragma once

#include <array>

#include <stlm/core/backend.hpp>

namespace stlm {

using RecordedShape = std::array<Index, 3>;

/// Backends without graphs just do the work.
template <class Backend>
class Recorded {
 public:
  static constexpr bool replays = false;

  template <class Work>
  void run(Context<Backend>&, const RecordedShape& /*shape*/, const Work& work) {
    work();
  }
};

}  // namespace stlm
