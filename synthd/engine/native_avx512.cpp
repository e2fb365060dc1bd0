// SPDX-License-Identifier: MIT
#define DSP_SET native_avx512
#include "synthd/engine/dsp/chunk.h"

namespace auralis {
Stages<float> native_avx512_stages() { return native_avx512::stages("AVX-512"); }
}  // namespace auralis
