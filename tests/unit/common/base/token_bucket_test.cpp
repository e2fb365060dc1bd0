// SPDX-License-Identifier: MIT
#include "common/base/token_bucket.h"

#include <doctest/doctest.h>

namespace auralis::token_bucket_test {
namespace {

int taken(TokenBucket& bucket, std::int64_t now_ns, int attempts) {
  int count = 0;
  for (int i = 0; i < attempts; ++i) count += bucket.take(now_ns) ? 1 : 0;
  return count;
}

constexpr std::int64_t kStart = 1'000 * kNsPerSecond;

TEST_CASE("a full bucket holds the burst, and then gives at its rate") {
  TokenBucket bucket(10, 5);
  CHECK(taken(bucket, kStart, 100) == 5);
  CHECK_FALSE(bucket.take(kStart + 99 * kNsPerMs));
  CHECK(taken(bucket, kStart + 100 * kNsPerMs, 100) == 1);
  CHECK(taken(bucket, kStart + 400 * kNsPerMs, 100) == 3);
}

TEST_CASE("it is full again after a rest, and never fuller") {
  TokenBucket bucket(10, 5);
  CHECK(taken(bucket, kStart, 100) == 5);
  CHECK(taken(bucket, kStart + 500 * kNsPerMs, 100) == 5);
  CHECK(taken(bucket, kStart + 3'600 * kNsPerSecond, 100) == 5);
}

TEST_CASE("over any length of time no more than the burst and the rate are given") {
  TokenBucket bucket(100, 20);
  int count = 0;
  for (std::int64_t ms = 0; ms <= 10'000; ++ms) count += taken(bucket, kStart + ms * kNsPerMs, 3);
  CHECK(count == 20 + 1'000);
}

TEST_CASE("what is refused costs nothing") {
  TokenBucket bucket(1, 1);
  CHECK(bucket.take(kStart));
  CHECK(taken(bucket, kStart + 999 * kNsPerMs, 1'000) == 0);
  CHECK(bucket.take(kStart + kNsPerSecond));
}

TEST_CASE("a time before that of an earlier call gives nothing that was taken") {
  TokenBucket bucket(1, 2);
  CHECK(taken(bucket, kStart, 5) == 2);
  CHECK(taken(bucket, kStart - kNsPerMs, 5) == 0);
  CHECK(taken(bucket, kStart + kNsPerSecond, 5) == 1);
}

TEST_CASE("time may begin anywhere") {
  for (const std::int64_t now_ns : {std::int64_t{-5}, std::int64_t{0}, kStart}) {
    TokenBucket bucket(1'000, 3);
    CHECK(taken(bucket, now_ns, 10) == 3);
  }
}

}  // namespace
}  // namespace auralis::token_bucket_test
