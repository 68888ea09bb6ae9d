// The published configurations, by name: `stlm::presets::Baseline50M`. Types only; a model is compiled where it is used.
#pragma once

#include <stlm/models/presets/baselines.hpp>
#include <stlm/models/presets/byte_level.hpp>
#include <stlm/models/presets/next_thought.hpp>
#include <stlm/models/presets/weight_sharing.hpp>
