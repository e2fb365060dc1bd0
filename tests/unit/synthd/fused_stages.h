// SPDX-License-Identifier: MIT
// The stages of an engine with scalar fused multiply-adds, outside loops that the compiler vectorises: the
// reference that every vector instruction set must equal bit for bit. Requires a processor for which
// native_stages() has more than the baseline.
#pragma once

#include "synthd/engine/stages.h"

namespace auralis::test {

Stages<float> fused_stages();

}  // namespace auralis::test
