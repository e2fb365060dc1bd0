// SPDX-License-Identifier: MIT
#define DSP_SET native_baseline
#include "synthd/engine/dsp/chunk.h"

namespace auralis {
Stages<float> native_baseline_stages() { return native_baseline::stages("baseline"); }
}  // namespace auralis
