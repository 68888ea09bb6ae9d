// A model small enough for every test of training and inference, with grouped heads and a tied head.
#pragma once

#include <stlm/backend/eigen.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/models/program.hpp>

struct SmallConfig : stlm::ByteModelDefaults {
  static constexpr int dim = 16, layers = 2, heads = 4, kv_heads = 2, ffn_dim = 24;
};
using Small = stlm::ByteModel<SmallConfig>;
using Backend = stlm::EigenBackend;
using SmallParameters = stlm::Parameters<Small, Backend>;
