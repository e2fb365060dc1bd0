// SPDX-License-Identifier: MIT
// Preloaded into a daemon: the wall clock alone is ahead by the seconds that the file named by
// WALL_CLOCK_AHEAD holds as a binary 64-bit integer, which a test changes while the daemon runs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int (*real_clock)(clockid_t, struct timespec*);
static const volatile int64_t* ahead;

__attribute__((constructor)) static void begin(void) {
  real_clock = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  const char* name = getenv("WALL_CLOCK_AHEAD");
  const int file = name ? open(name, O_RDONLY) : -1;
  if (file < 0) return;
  void* mapped = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) ahead = mapped;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  const int result = real_clock(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME && ahead) time->tv_sec += *ahead;
  return result;
}
