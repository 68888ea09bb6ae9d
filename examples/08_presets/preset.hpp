// The model that STLM_PRESET names.
#pragma once

#include <stlm/stlm.hpp>

using Model = stlm::presets::STLM_PRESET;
