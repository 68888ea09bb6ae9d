// ReferenceBackend: plain loops for any scalar, one thread. The oracle of every other backend; nothing here is tuned.
#pragma once

#include <stlm/backend/reference/attention.hpp>
#include <stlm/backend/reference/attention_pool.hpp>
#include <stlm/backend/reference/context.hpp>
#include <stlm/backend/reference/cross_entropy.hpp>
#include <stlm/backend/reference/elementwise.hpp>
#include <stlm/backend/reference/embedding.hpp>
#include <stlm/backend/reference/gemm.hpp>
#include <stlm/backend/host_patches.hpp>
#include <stlm/backend/reference/group_gate.hpp>
#include <stlm/backend/reference/learned_activation.hpp>
#include <stlm/backend/reference/norm.hpp>
#include <stlm/backend/reference/optimizer.hpp>
#include <stlm/backend/reference/quantized.hpp>
#include <stlm/backend/reference/rope.hpp>
#include <stlm/backend/reference/routing.hpp>
#include <stlm/backend/reference/segments.hpp>
