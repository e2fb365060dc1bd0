// SPDX-License-Identifier: MIT
// Sends spans to a collector of OpenTelemetry, which may be away or slow. What it cannot take now is sent
// again, what it refuses is dropped, as the protocol has it (OTLP/HTTP, "Failures"), but for Retry-After.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "common/base/mutex.h"
#include "metricsd/http_client.h"

namespace auralis {

class OtlpExporter {
 public:
  // Kept while the collector is away; beyond that the oldest are dropped.
  static constexpr std::size_t kKept = 100;

  // Posts `json`. May take seconds.
  using Post = std::function<HttpAnswer(const std::string& json)>;

  // To the collector at `url`, such as http://localhost:4318/v1/traces.
  explicit OtlpExporter(const std::string& url);
  // By `post`, which is called on a thread of this object; after a failure again after `pause`.
  OtlpExporter(Post post, std::chrono::milliseconds pause);

  // Waits for a request that is under way, up to several seconds; drops what has not been sent.
  ~OtlpExporter();
  OtlpExporter(const OtlpExporter&) = delete;
  OtlpExporter& operator=(const OtlpExporter&) = delete;

  // Queues a request, and never waits. Any thread.
  void send(std::string json);

 private:
  void run();
  void report(const HttpAnswer& answer);

  const Post post_;
  const std::chrono::milliseconds pause_;
  Mutex mutex_;
  std::deque<std::string> waiting_ AURALIS_GUARDED_BY(mutex_);
  bool stopping_ AURALIS_GUARDED_BY(mutex_) = false;
  std::condition_variable changed_;
  bool failed_ = false;  // of the thread
  std::thread thread_;   // last: uses the others
};

}  // namespace auralis
