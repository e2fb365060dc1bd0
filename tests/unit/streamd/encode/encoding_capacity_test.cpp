// SPDX-License-Identifier: MIT
#include "streamd/encode/encoding_capacity.h"

#include <doctest/doctest.h>

namespace auralis::encoding_capacity_test {
namespace {

TEST_CASE("configured numbers of threads and of encoders are taken as they are") {
  Config config;
  config.streamd.encoding_threads = 3;
  config.streamd.max_opus_stations = 7;
  CHECK(encoding_threads(config) == 3);
  CHECK(encoder_capacity(config) == 7);
}

TEST_CASE("every machine has a thread to encode on, and four at most") {
  CHECK(encoding_threads(Config()) >= 1);
  CHECK(encoding_threads(Config()) <= 4);
}

TEST_CASE("configured stations leave no encoder to personal ones if they need all") {
  Config config;
  config.streamd.encoding_threads = 1;
  config.stations.resize(4'096);
  CHECK(encoder_capacity(config) == 0);
}

TEST_CASE("each rate and chunk length has a measured capacity, which is 0 without a thread") {
  for (const std::uint32_t rate : {44'100U, 48'000U}) {
    for (const std::int64_t chunk_ms : {20, 200}) {
      CAPTURE(rate);
      CHECK(encodable_stations(64, rate, chunk_ms, 96'000) > 0);
    }
  }
  CHECK(encodable_stations(0, 48'000, 100, 96'000) == 0);
}

}  // namespace
}  // namespace auralis::encoding_capacity_test
