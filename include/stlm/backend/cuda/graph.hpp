// CUDA graphs: the work of a step recorded once, then launched as one.
//
//   const gpu::Graph graph = gpu::capture(stream, [&] { step(ctx); });   // nothing runs yet
//   const gpu::GraphExec exec(graph);
//   for (...) exec.launch(stream);
//
// Under capture nothing may allocate, wait, or use the default stream, and a library may do so when it is first called:
// run the step once before it is captured.
#pragma once

#include <stlm/backend/cuda/handles.hpp>

namespace stlm::gpu {

/// The recorded work of a stream.
using Graph = Owner<cudaGraph_t, cudaGraphDestroy>;

/// A graph instantiated for the device. It keeps what it needs: the Graph may be destroyed.
class GraphExec : public Owner<cudaGraphExec_t, cudaGraphExecDestroy> {
 public:
  GraphExec() = default;
  explicit GraphExec(const Graph& graph) : Owner(make(graph)) {}
  void launch(const Stream& stream) const { check(cudaGraphLaunch(get(), stream.get()), "cudaGraphLaunch"); }

 private:
  static cudaGraphExec_t make(const Graph& graph) {
    cudaGraphExec_t exec = nullptr;
    check(cudaGraphInstantiate(&exec, graph.get(), 0), "cudaGraphInstantiate");
    return exec;
  }
};

/// Captures a stream until `finish`. Without `finish`, as after an exception, the recording is dropped and the stream is as
/// before.
class Capture {
 public:
  explicit Capture(const Stream& stream) : stream_(stream.get()) {
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() {
    if (!stream_) return;
    cudaGraph_t dropped = nullptr;
    (void)cudaStreamEndCapture(stream_, &dropped);
    if (dropped) (void)cudaGraphDestroy(dropped);
    (void)cudaGetLastError();  // clears the error of the dropped capture
  }

  Graph finish() {
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(std::exchange(stream_, nullptr), &graph), "cudaStreamEndCapture");
    return Graph(graph);
  }

 private:
  cudaStream_t stream_;
};

/// Records what `work()` submits to the stream; nothing runs.
template <class Work>
Graph capture(const Stream& stream, const Work& work) {
  Capture recording(stream);
  work();
  return recording.finish();
}

}  // namespace stlm::gpu
