// Goldens: numbers that PyTorch computed in float64 (make_goldens.py), read by stlm's own safetensors reader.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>
#include <stlm/io/weights.hpp>

#include "support/catch.hpp"

namespace golden {

using stlm::Index;

/// A backend, its scalar, and the error that rounding may make, relative to the largest number of a tensor; that of losses
/// after steps of AdamW, which divides gradients that are rounding alone by their own size: in floats the plain loops of
/// ReferenceBackend are as far off there, 7e-6 for a model over patches.
struct ReferenceDouble {
  using Backend = stlm::ReferenceBackend;
  using T = double;
  static constexpr double tolerance = 1e-12, after_steps = tolerance;
};
struct EigenDouble {
  using Backend = stlm::EigenBackend;
  using T = double;
  static constexpr double tolerance = 1e-12, after_steps = tolerance;
};
struct EigenFloat {
  using Backend = stlm::EigenBackend;
  using T = float;
  static constexpr double tolerance = 1e-5, after_steps = 5e-5;
};

class File {
 public:
  explicit File(const std::string& name) : file_(std::string(STLM_GOLDEN_DIR) + "/" + name) {}

  const stlm::SafetensorsFile& file() const { return file_; }

  template <class T = double>
  std::vector<T> values(const std::string& name) const {
    const stlm::TensorEntry& entry = file_.tensor(name);
    REQUIRE(entry.bytes.size() % sizeof(T) == 0);
    std::vector<T> out(entry.bytes.size() / sizeof(T));
    std::memcpy(out.data(), entry.bytes.data(), entry.bytes.size());
    return out;
  }

  /// Fills `params` from the tensors `prefix` + name. Names and shapes must be those of the model.
  template <class Model, class B, class T>
  void load(stlm::Parameters<Model, B, T>& params, const std::string& prefix) const {
    stlm::Context<stlm::ReferenceBackend> ctx;
    stlm::Parameters<Model, stlm::ReferenceBackend, double> exact(ctx);
    stlm::load(exact, file_, prefix);
    std::ranges::transform(exact.flat(), params.flat().begin(), [](double value) { return static_cast<T>(value); });
  }

  /// Every tensor of `params` against the one named `prefix` + its name.
  template <class Model, class B, class T>
  void check(const stlm::Parameters<Model, B, T>& params, const std::string& prefix, double tolerance) const {
    params.for_each([&](const stlm::Path& path, const auto& view, const stlm::ParameterSpec&) {
      compare(prefix + path.str(), view, values(prefix + path.str()), tolerance);
    });
  }

  /// The numbers of a view, or any other range of them, as double.
  template <class Numbers>
  static void compare(const std::string& name, const Numbers& found, const std::vector<double>& expected, double tolerance) {
    compare(name, std::vector<double>(found.begin(), found.end()), expected, tolerance);
  }
  static void compare(const std::string& name, const std::vector<double>& found, const std::vector<double>& expected,
                      double tolerance) {
    INFO(name);
    REQUIRE(found.size() == expected.size());
    double largest = 0, error = 0;
    std::size_t worst = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double off = std::abs(found[i] - expected[i]);
      largest = std::max(largest, std::abs(expected[i]));
      if (off > error || std::isnan(off)) error = off, worst = i;  // once NaN, it stays
    }
    CAPTURE(worst, found[worst], expected[worst]);
    CHECK(error <= tolerance * largest);
  }

 private:
  stlm::SafetensorsFile file_;
};

}  // namespace golden
