// How a model reads texts and writes them: flat, byte by byte, or in patches.
#pragma once

#include <stlm/backend/eigen.hpp>
#include <stlm/stlm.hpp>

namespace example {

using Backend = stlm::EigenBackend;

/// The bytes among the targets of a batch.
inline double count_bytes(const stlm::Batch& batch) {
  return static_cast<double>(std::ranges::count_if(batch.targets, [](stlm::Token id) { return id >= 0 && id < 256; }));
}

template <class Model>
struct Reading {
  using Loader = stlm::ByteLoader<Model>;
  using Generator = stlm::Generator<Model, Backend>;
  static constexpr const char* unit = "bytes";  // of contexts

  stlm::BatchShape shape;

  Loader loader(const stlm::ByteText& text, std::uint64_t seed) const { return {text, shape, seed}; }
  Generator generator(stlm::Context<Backend>& ctx) const { return {ctx, shape.tokens}; }
  stlm::Evaluation evaluate(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params,
                            stlm::Activations<Model, Backend>& acts, const stlm::ByteText& text) const {
    return stlm::evaluate(ctx, params, acts, text);
  }
  static double bytes(const stlm::Batch& batch) { return count_bytes(batch); }
  /// Of a training step, forward and backward.
  double flops_per_byte() const { return stlm::num_flops_per_token<Model>(shape.tokens); }
};

/// `shape.bytes` bounds a batch; held-out texts are read in fewer sequences at once, so that all their bytes find room.
template <class Model>
  requires requires { Model::window; }
struct Reading<Model> {
  using Loader = stlm::PatchLoader<Model>;
  using Generator = stlm::PatchGenerator<Model, Backend>;
  using Boundary = typename Model::Boundary;
  static constexpr const char* unit = "patches";

  stlm::BatchShape shape;
  Boundary boundary = {};
  double bytes_per_patch = 5.5;  // about, in English

  stlm::PatchText patches(const stlm::ByteText& text) const { return {text, boundary, Model::window}; }
  Loader loader(const stlm::ByteText& text, std::uint64_t seed) const { return {patches(text), shape, seed}; }
  Generator generator(stlm::Context<Backend>& ctx) const { return {ctx, shape.tokens, boundary}; }
  stlm::Evaluation evaluate(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params,
                            stlm::Activations<Model, Backend>&, const stlm::ByteText& text) const {
    const stlm::Index batch = std::max<stlm::Index>(1, shape.bytes / (shape.tokens * Model::window));
    stlm::Activations<Model, Backend> acts(ctx, {batch, shape.tokens});
    return stlm::evaluate(ctx, params, acts, patches(text));
  }
  static double bytes(const stlm::Batch& batch) { return count_bytes(batch); }
  double flops_per_byte() const { return 3 * Model::flops_per_byte(shape.tokens, bytes_per_patch); }
};

}  // namespace example
