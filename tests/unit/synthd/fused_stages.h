// SPDX-License-Identifier: MIT
// The stages of an engine with fused multiply-add and without vectors: what a set of instructions with wider
// ones must equal bit for bit. For a processor whose native_stages() have more than the baseline.
#pragma once

#include "synthd/engine/stages.h"

namespace auralis::test {

Stages<float> fused_stages();

}  // namespace auralis::test
