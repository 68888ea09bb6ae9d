// Recorded: work that runs again and again on the same memory. A GPU records it once and replays it as one graph.
//
//   Recorded<Backend> step;
//   for (...) step.run(ctx, shape, [&] { ... });     // ops on ctx
//
// The first run calls the work without recording it, so that memory grows and libraries load. The second run records it. Later
// runs replay the recording without calling the work: what the work read from the host keeps the value it had when recorded. So
// the work must depend only on `shape` (a few numbers) and on the backend's memory, and must allocate nothing. A run with
// another shape starts over. Work whose first run copies from the backend's memory to the host, as mixtures of experts do, is
// called at every run.
#pragma once

#include <array>

#include <stlm/core/backend.hpp>

namespace stlm {

using RecordedShape = std::array<Index, 6>;

/// Backends without graphs call the work at every run.
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
