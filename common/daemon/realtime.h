// SPDX-License-Identifier: MIT
// Keeps a daemon of the audio path in time on a machine that is short of processors or memory, where the
// limits of its unit allow it (LimitRTPRIO=, LimitMEMLOCK=).
#pragma once

namespace auralis {

// Locks the process's memory: pages stay in memory once they are touched, those of later allocations
// included. Only without a limit: an allocation beyond one would fail later. False where that is not allowed.
// Any thread.
bool lock_memory();

// The calling thread runs as soon as it wakes, before all threads that have no real-time priority (SCHED_RR,
// the lowest one). For a thread that works for a small part of the time: the others wait. Threads that it
// starts do not inherit it. False without RLIMIT_RTPRIO, also for root.
bool run_in_real_time();

// Logs once what of the two is not allowed, and which limit would allow it; nothing if both are.
void log_missing_protection(bool memory_locked, bool real_time);

}  // namespace auralis
