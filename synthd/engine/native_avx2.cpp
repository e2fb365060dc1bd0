// SPDX-License-Identifier: MIT
#define DSP_SET native_avx2
#include "synthd/engine/dsp/chunk.h"

namespace auralis {
Stages<float> native_avx2_stages() { return native_avx2::stages("AVX2"); }
}  // namespace auralis
