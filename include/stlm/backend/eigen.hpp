// EigenBackend: the CPU, on Eigen's packets and arrays, in threads. Computes in float and double;
// weights may be Bfloat16 or int8 too.
//
// Work is split by the shape of the problem and sums run in a fixed order: results are the same bits for any number of
// threads. Nothing is allocated after the Context.
#pragma once

#include <stlm/backend/eigen/activation.hpp>
#include <stlm/backend/eigen/attention.hpp>
#include <stlm/backend/eigen/attention_pool.hpp>
#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/cross_entropy.hpp>
#include <stlm/backend/eigen/elementwise.hpp>
#include <stlm/backend/eigen/embedding.hpp>
#include <stlm/backend/eigen/gemm.hpp>
#include <stlm/backend/eigen/group_gate.hpp>
#include <stlm/backend/eigen/learned_activation.hpp>
#include <stlm/backend/eigen/norm.hpp>
#include <stlm/backend/eigen/optimizer.hpp>
#include <stlm/backend/eigen/quantized.hpp>
#include <stlm/backend/eigen/rope.hpp>
#include <stlm/backend/eigen/routing.hpp>
#include <stlm/backend/eigen/segments.hpp>
#include <stlm/backend/host_patches.hpp>
