// Every op family of the GPU, for both of its backends.
#pragma once

#include <stlm/backend/cuda/activation.hpp>
#include <stlm/backend/cuda/attention.hpp>
#include <stlm/backend/cuda/attention_pool.hpp>
#include <stlm/backend/cuda/cross_entropy.hpp>
#include <stlm/backend/cuda/elementwise.hpp>
#include <stlm/backend/cuda/embedding.hpp>
#include <stlm/backend/cuda/gemm.hpp>
#include <stlm/backend/cuda/group_gate.hpp>
#include <stlm/backend/cuda/learned_activation.hpp>
#include <stlm/backend/cuda/norm.hpp>
#include <stlm/backend/cuda/optimizer.hpp>
#include <stlm/backend/cuda/patches.hpp>
#include <stlm/backend/cuda/quantized.hpp>
#include <stlm/backend/cuda/rope.hpp>
#include <stlm/backend/cuda/routing.hpp>
#include <stlm/backend/cuda/sampling.hpp>
#include <stlm/backend/cuda/segments.hpp>
