// Path, ParameterSpec: the name, role and initial values that a module declares for a tensor when it lists its parameters
// (core/parameter.hpp).
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include <stlm/core/config.hpp>

namespace stlm {

/// The name of a tensor during a visit: a chain of nodes on the stack; no string is built until `str()` is called.
struct Path {
  const Path* parent = nullptr;
  std::string_view name = {};
  Index number = -1;

  constexpr Path operator/(std::string_view child) const { return {this, child, -1}; }
  constexpr Path operator/(Index child) const { return {this, {}, child}; }

  std::string str() const {
    if (!parent) return {};
    const std::string self = number >= 0 ? std::to_string(number) : std::string(name);
    const std::string prefix = parent->str();
    return prefix.empty() ? self : prefix + "." + self;
  }
};

/// The role of a tensor. Muon orthogonalises kMatrix; weight decay depends on the rank alone.
enum class Role { kMatrix, kTable, kVector };

/// The initial values of a tensor: zeros, ones, U(-scale, scale), N(0, scale^2), or `value(i)` for element i.
struct Init {
  enum class Kind { kZeros, kOnes, kUniform, kNormal, kGiven } kind = Kind::kZeros;
  double scale = 0;
  double (*value)(Index) = nullptr;
};

/// What a module declares for one tensor. `matrix` and `bias` are those of a linear layer. They start as in PyTorch,
/// U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
struct ParameterSpec {
  Role role = Role::kVector;
  Init init = {};
  Index fan_in = 1;
  bool rows_are_outputs = false;  ///< one row for each output of its layer, in order; false for a low-rank A and for gates
  bool per_layer = false;  ///< each layer has its own, even if the rest of its module is shared (LoRA factors)
  std::array<Index, 3> row_parts = {};  ///< row counts of the matrices stacked in this one, as Q, K, V; zeros: one matrix
  double factor = 1;  ///< for a LoRA factor: the scale of the low-rank product

  static constexpr ParameterSpec matrix(Index fan_in) { return {Role::kMatrix, {Init::Kind::kUniform, -1}, fan_in, true}; }
  static constexpr ParameterSpec table(double std) { return {Role::kTable, {Init::Kind::kNormal, std}}; }
  static constexpr ParameterSpec ones() { return {Role::kVector, {Init::Kind::kOnes}}; }
  static constexpr ParameterSpec zeros(Role role = Role::kVector) {
    return {role, {Init::Kind::kZeros}, 1, role == Role::kMatrix};
  }
  static constexpr ParameterSpec given(Role role, double (*value)(Index)) { return {role, {Init::Kind::kGiven, 0, value}}; }
  static constexpr ParameterSpec bias(Index fan_in) { return {Role::kVector, {Init::Kind::kUniform, -1}, fan_in, true}; }
  /// The same for a tensor inside a layer, whose rows are not the layer's outputs.
  constexpr ParameterSpec inner() const {
    ParameterSpec spec = *this;
    spec.rows_are_outputs = false;
    return spec;
  }

  /// The scale of the initial distribution; a negative `init.scale` stands for 1/sqrt(fan_in).
  double scale() const { return init.scale < 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : init.scale; }
};

}  // namespace stlm
