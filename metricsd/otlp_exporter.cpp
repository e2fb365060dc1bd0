// SPDX-License-Identifier: MIT
#include "metricsd/otlp_exporter.h"

#include <utility>

#include "common/base/log.h"

namespace auralis {
namespace {

constexpr std::chrono::seconds kPause{5};  // after a failure

bool is_taken(int status) { return 200 <= status && status < 300; }

// Whether the same request may be taken later; 0: there was no answer.
bool is_for_later(int status) {
  return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

OtlpExporter::OtlpExporter(const std::string& url)
    : OtlpExporter([url](const std::string& json) { return http_post(url, json, HttpPeer::kTrusted); },
                   kPause) {}

OtlpExporter::OtlpExporter(Post post, std::chrono::milliseconds pause)
    : post_(std::move(post)), pause_(pause), thread_(&OtlpExporter::run, this) {}

OtlpExporter::~OtlpExporter() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void OtlpExporter::send(std::string json) {
  {
    const MutexLock lock(mutex_);
    waiting_.push_back(std::move(json));
    if (waiting_.size() > kKept) waiting_.pop_front();
  }
  changed_.notify_all();
}

void OtlpExporter::run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (waiting_.empty()) {
      lock.wait(changed_);
      continue;
    }
    std::string json = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    const HttpAnswer answer = post_(json);
    report(answer);
    lock.lock();
    if (!is_for_later(answer.status)) continue;
    if (waiting_.size() < kKept) waiting_.push_front(std::move(json));
    const auto until = std::chrono::steady_clock::now() + pause_;
    while (!stopping_ && lock.wait_until(changed_, until)) continue;
  }
}

// Once when it fails, and once when it works again.
void OtlpExporter::report(const HttpAnswer& answer) {
  const bool fails = !is_taken(answer.status);
  if (fails && !failed_) log_warning("spans not exported", {{"error", answer.problem}});
  if (!fails && failed_) log_info("spans are exported again");
  failed_ = fails;
}

}  // namespace auralis
