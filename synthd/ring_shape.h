// SPDX-License-Identifier: MIT
// How the configuration divides time: chunks, and rings of chunks. Pure functions; any thread.
#pragma once

#include <cstdint>

#include "common/config/config.h"
#include "common/music/timeline.h"

namespace auralis {

// The timeline that `config` asks for. A new audio segment gets its epoch, shortly after `now_ns`
// (CLOCK_MONOTONIC), so that the first chunk can be rendered before it is due; an existing segment keeps its
// own.
Timeline make_timeline(const Config& config, std::int64_t now_ns);

// Chunks that a station's ring holds.
std::uint32_t ring_slots(const Config& config);

}  // namespace auralis
