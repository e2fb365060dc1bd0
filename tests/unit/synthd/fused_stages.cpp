// SPDX-License-Identifier: MIT
#include "tests/unit/synthd/fused_stages.h"

#define DSP_SET fused
#define DSP_ONE_BY_ONE
#include "synthd/engine/dsp/chunk.h"

namespace auralis::test {

Stages<float> fused_stages() { return fused::stages("fused"); }

}  // namespace auralis::test
