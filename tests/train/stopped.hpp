// Compares a run that is stopped, saved and continued by another run with a run that never stops. A run has `train(steps)`,
// `save(path)` and `resume(path)`. Both must save the same bytes; the checkpoint of the latter stays in the folder as "whole".
#pragma once

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

template <class Run>
void stopped_equals_whole(const TemporaryFolder& folder) {
  Run whole, first, second;
  whole.train(12);
  first.train(7);
  first.save(folder / "stopped");
  second.train(2);  // steps before `resume` must not matter
  second.resume(folder / "stopped");
  second.train(5);
  whole.save(folder / "whole");
  second.save(folder / "continued");
  CHECK(read_text(folder / "whole") == read_text(folder / "continued"));
}
