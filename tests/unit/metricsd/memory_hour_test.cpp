// SPDX-License-Identifier: MIT
#include "metricsd/memory_hour.h"

#include "tests/unit/metricsd/history_support.h"

#include <doctest/doctest.h>

namespace auralis::memory_hour_test {

using namespace test;

TEST_CASE_FIXTURE(HistoryFixture,
                  "MemoryHour: the growth of a process's own memory, in percent of its mean") {
  MemoryHour memory;
  const auto step = [&](double own_mb, double shared_mb) {
    add({gauge_of("auralis_memory_mb", own_mb, {{"process", "streamd"}, {"kind", "anon"}}),
         gauge_of("auralis_memory_mb", shared_mb, {{"process", "streamd"}, {"kind", "shmem"}})});
    memory.note(history);
  };
  step(100, 0);
  CHECK(memory.growth().empty());
  // 100 MB to 112 MB in an hour.
  for (int second = 1; second < 600; ++second) step(100 + second / 300.0, second);
  CHECK(memory.growth().at("streamd").percent_an_hour == doctest::Approx(100 * 12 / 101.0).epsilon(0.01));
  CHECK_FALSE(memory.growth().at("streamd").whole);
  for (int second = 600; second < 3'600; ++second) step(100 + second / 300.0, second);
  CHECK(memory.growth().at("streamd").percent_an_hour == doctest::Approx(100 * 12 / 106.0).epsilon(0.01));
  CHECK(memory.growth().at("streamd").whole);
}

TEST_CASE_FIXTURE(HistoryFixture, "MemoryHour: a process that has been gone for an hour is forgotten") {
  MemoryHour memory;
  for (int second = 0; second < 60; ++second) {
    add({gauge_of("auralis_memory_mb", 100, {{"process", "streamd"}, {"kind", "anon"}})});
    memory.note(history);
  }
  CHECK(memory.growth().size() == 1);
  for (int second = 0; second < 3'600; ++second) {
    add({});
    memory.note(history);
  }
  CHECK(memory.growth().empty());
}

}  // namespace auralis::memory_hour_test
