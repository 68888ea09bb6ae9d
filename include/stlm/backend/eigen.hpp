// EigenBackend: the CPU, by Eigen's packets and arrays, on several threads. Computes in float and double; weights may also
// be Bfloat16 or int8.
//
// The order of each sum depends on the shape of the problem alone: results have the same bits for any number of threads. Ops
// allocate nothing; the Context has allocated all memory that they need.
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
