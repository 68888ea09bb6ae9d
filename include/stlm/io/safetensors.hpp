// safetensors: the file format of weights (https://github.com/huggingface/safetensors).
//
//   u64 little-endian N | N bytes of JSON, padded with spaces | data
//   {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
//
// Offsets count from the start of the data; the tensors cover the data without holes or overlaps. Names are unique, and
// metadata are strings. `SafetensorsWriter` writes such a file, `SafetensorsFile` reads one; <stlm/io/weights.hpp>
// saves and loads the weights of a model with them.
#pragma once

#include <stlm/io/safetensors_file.hpp>
#include <stlm/io/safetensors_writer.hpp>
