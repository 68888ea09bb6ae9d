// A run that is stopped, saved and continued by another, beside one that never stopped: `train(steps)`, `save(path)`,
// `resume(path)`. Their checkpoints must be the same bytes; the latter's is left in the folder as "whole".
#pragma once

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

template <class Run>
void stopped_equals_whole(const TemporaryFolder& folder) {
  Run whole, first, second;
  whole.train(12);
  first.train(7);
  first.save(folder / "stopped");
  second.train(2);  // what it did before must not matter
  second.resume(folder / "stopped");
  second.train(5);
  whole.save(folder / "whole");
  second.save(folder / "continued");
  CHECK(read_text(folder / "whole") == read_text(folder / "continued"));
}
