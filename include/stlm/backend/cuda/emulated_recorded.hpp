// Recorded work where the CPU stands in for the device: every run calls the work, and checks that a graph could replay it.
#pragma once

#include <stlm/backend/cuda/emulated_context.hpp>
#include <stlm/backend/cuda/first_runs.hpp>
#include <stlm/core/recorded.hpp>

namespace stlm {

/// The second run is recorded. It and all later runs may read nothing back, and must launch the same kernels with the same
/// arguments.
template <>
class Recorded<EmulatedCudaBackend> {
 public:
  static constexpr bool replays = true;

  template <class Work>
  void run(Context<EmulatedCudaBackend>& ctx, const RecordedShape& shape, const Work& work) {
    if (first_runs_.done(shape, work)) {
      trace_ = {};
      return;
    }
    trace_.begin();
    const Recording recording{ctx, trace_};
    work();
    trace_.end();
  }

 private:
  struct Recording {
    Context<EmulatedCudaBackend>& ctx;
    Recording(Context<EmulatedCudaBackend>& context, gpu::LaunchTrace& trace) : ctx(context) { ctx.record(&trace); }
    ~Recording() { ctx.record(nullptr); }
  };
  gpu::FirstRuns<EmulatedSpace> first_runs_;
  gpu::LaunchTrace trace_;
};

}  // namespace stlm
