// SPDX-License-Identifier: MIT
#include "tests/unit/synthd/fused_stages.h"

#define DSP_SET fused
#include "synthd/engine/dsp/chunk.h"

namespace auralis::test {

Stages<float> fused_stages() { return fused::stages("fused"); }

}  // namespace auralis::test
