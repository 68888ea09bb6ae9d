// probe: whether this program can compute on a GPU here, and what is missing if not. Throws nothing, prints nothing.
//
//   const gpu::Probe found = gpu::probe();
//   if (!found) { std::puts(found.str().c_str()); return 0; }
#pragma once

#include <string>

#include <stlm/backend/cuda/error.hpp>

namespace stlm::gpu {

enum class Availability {
  kUsable,
  kNoDriver,  ///< no driver, or one older than the CUDA this program was built with
  kNoDevice,  ///< no GPU is visible, or it reports an error
  kTooOld,    ///< compute capability below 8.0: no Bfloat16 in its tensor cores
  kNotBuilt   ///< the program has no code for this GPU
};

/// What `probe` found: a sentence, and what to do about it.
struct Probe {
  Availability availability = Availability::kUsable;
  std::string sentence;  ///< "no NVIDIA driver is installed", or the name of a usable GPU
  std::string hint;      ///< empty when usable

  explicit operator bool() const { return availability == Availability::kUsable; }
  std::string str() const { return hint.empty() ? sentence + "." : sentence + "; " + hint + "."; }
};

namespace detail {

/// Does nothing; `probe` checks that the program has its code for the device. A template, so that all files of a program share
/// it.
template <class = void>
__global__ void probe_kernel() {}

inline std::string cuda_version(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

inline Probe refused(Availability availability, std::string sentence, cudaError_t code) {
  (void)cudaGetLastError();  // hides the error from the next check
  return {availability, std::move(sentence), detail::hint(code)};
}

/// The result when cudaGetDeviceCount fails or finds none.
inline Probe without_devices(cudaError_t code) {
  int driver = 0;
  if (code == cudaErrorNoDevice || code == cudaSuccess)
    return refused(Availability::kNoDevice, "an NVIDIA driver is installed, but no GPU is to be seen",
                   cudaErrorNoDevice);
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
    return refused(Availability::kNoDriver, "no NVIDIA driver is installed", cudaErrorInsufficientDriver);
  if (code == cudaErrorInsufficientDriver)
    return refused(Availability::kNoDriver,
                   "the NVIDIA driver serves CUDA " + cuda_version(driver) + ", this program was built with CUDA " +
                       cuda_version(CUDART_VERSION),
                   code);
  return refused(Availability::kNoDevice, std::string("the NVIDIA driver reports ") + cudaGetErrorName(code), code);
}

}  // namespace detail

/// Probes the device of the calling thread: the one given to cudaSetDevice, else the first.
inline Probe probe() {
  int count = 0, device = 0, major = 0, minor = 0;
  if (const cudaError_t code = cudaGetDeviceCount(&count); code != cudaSuccess || count == 0)
    return detail::without_devices(code);

  cudaDeviceProp properties{};
  cudaError_t code = cudaGetDevice(&device);
  if (code == cudaSuccess) code = cudaGetDeviceProperties(&properties, device);
  if (code != cudaSuccess)
    return detail::refused(Availability::kNoDevice, std::string("the GPU refuses with ") + cudaGetErrorName(code),
                           code);

  major = properties.major, minor = properties.minor;
  const std::string name = std::string(properties.name) + " (compute capability " + std::to_string(major) + "." +
                           std::to_string(minor) + ")";
  if (major < 8)
    return {Availability::kTooOld, name + " is older than 8.0, the least that stlm computes on",
            "use a newer GPU, or another backend"};

  cudaFuncAttributes attributes{};
  code = cudaFuncGetAttributes(&attributes, detail::probe_kernel<>);
  switch (code) {
    case cudaSuccess:
      return {Availability::kUsable, name, ""};
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorInvalidKernelImage:
      return detail::refused(Availability::kNotBuilt, "this program has no code for the " + name, code);
    default:
      return detail::refused(Availability::kNoDevice, "the " + name + " refuses with " + cudaGetErrorName(code), code);
  }
}

}  // namespace stlm::gpu
