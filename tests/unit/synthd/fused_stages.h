// SPDX-License-Identifier: MIT
// The stages of an engine with fused multiply-add, each of one number at a time and in no loop that the
// compiler vectorises: what a set of instructions with vectors must equal bit for bit. For a processor whose
// native_stages() have more than the baseline.
#pragma once

#include "synthd/engine/stages.h"

namespace auralis::test {

Stages<float> fused_stages();

}  // namespace auralis::test
