// Reading: how a model reads and writes texts: byte by byte, or in patches.
#pragma once

#include <stlm/stlm.hpp>
#include <stlm/tokenizer/gpt2_files.hpp>

namespace example {

/// The bytes among the targets of a batch.
inline double count_bytes(const stlm::Batch& batch) {
  return static_cast<double>(std::ranges::count_if(batch.targets, [](stlm::Token id) { return id >= 0 && id < 256; }));
}

/// Whether a model's patches are GPT-2's tokens.
template <class Model>
inline constexpr bool reads_gpt2 = requires { requires std::is_same_v<typename Model::Boundary, stlm::TokenBoundary>; };

template <class Model, class BackendOf>
struct Reading {
  using Backend = BackendOf;
  using Loader = stlm::ByteLoader<Model>;
  using Generator = stlm::Generator<Model, Backend>;
  static constexpr const char* unit = "bytes";  // of a context's length
  static constexpr const char* caveat = "";     // printed after bits per byte

  stlm::BatchShape shape;

  Loader loader(const stlm::ByteText& text, std::uint64_t seed) const { return {text, shape, seed}; }
  Generator generator(stlm::Context<Backend>& ctx) const { return {ctx, shape.tokens}; }
  stlm::Evaluation evaluate(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params,
                            const stlm::ByteText& text) const {
    stlm::Activations<Model, Backend> acts(ctx, shape);
    return stlm::evaluate(ctx, params, acts, text);
  }
  /// A text as `evaluate` takes it.
  static const stlm::ByteText& cut(const stlm::ByteText& text) { return text; }
  static double bytes(const stlm::Batch& batch) { return count_bytes(batch); }
  /// FLOPs a byte of a training step, forward and backward.
  double flops_per_byte(const stlm::ByteText&) const { return stlm::num_flops_per_token<Model>(shape.tokens); }
};

/// `shape.bytes` limits a training batch. Evaluation reads fewer sequences at once, so that even full patches have room.
template <class Model, class BackendOf>
  requires requires { Model::window; }
struct Reading<Model, BackendOf> {
  using Backend = BackendOf;
  using Loader = stlm::PatchLoader<Model>;
  using Generator = stlm::PatchGenerator<Model, Backend>;
  using Boundary = typename Model::Boundary;
  static constexpr const char* unit = "patches";
  /// A model with ReferenceQuirks reads the reference's patches, whose bytes are not exactly those of the text.
  static constexpr bool reference = reads_gpt2<Model> && !Model::Pool::packs;
  static constexpr const char* caveat =
      reference ? "; no likelihood of the text: the reference cuts long patches, and its loss counts empty slots" : "";

  stlm::BatchShape shape;
  Boundary boundary = {};

  stlm::PatchText cut(const stlm::ByteText& text) const {
    if constexpr (reference)
      return stlm::reference_patches(text, boundary, Model::window);
    else
      return {text, boundary, Model::window};
  }
  Loader loader(const stlm::ByteText& text, std::uint64_t seed) const { return {cut(text), shape, seed}; }
  Generator generator(stlm::Context<Backend>& ctx) const { return {ctx, shape.tokens, boundary}; }
  stlm::Evaluation evaluate(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params,
                            const stlm::ByteText& text) const {
    const stlm::Index batch = std::max<stlm::Index>(1, shape.bytes / (shape.tokens * Model::window));
    stlm::Activations<Model, Backend> acts(ctx, {batch, shape.tokens});
    return stlm::evaluate(ctx, params, acts, cut(text));
  }
  static double bytes(const stlm::Batch& batch) { return count_bytes(batch); }
  double flops_per_byte(const stlm::ByteText& text) const {
    const stlm::PatchText all = cut(text);
    return 3 * Model::flops_per_byte(shape.tokens, static_cast<double>(all.num_bytes()) / static_cast<double>(all.size()));
  }
};

}  // namespace example
