// SPDX-License-Identifier: MIT
#include "streamd/stream_server.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/log.h"
#include "common/base/mutex.h"
#include "common/base/steady_wall_clock.h"
#include "common/metrics/metrics_segment.h"
#include "streamd/control/conductor.h"
#include "streamd/control/worker.h"
#include "streamd/encode/encoding_capacity.h"
#include "streamd/net/acceptor.h"
#include "streamd/net/descriptor_limit.h"
#include "streamd/net/tls_certificate.h"

namespace auralis {
namespace {

// More would wait for one another at the network card's queues, and every one costs each scrape a worker of
// figures.
constexpr std::size_t kMostThreadsByDefault = 8;
// How often those are looked for whose time to go has come.
constexpr auto kDrainStep = std::chrono::milliseconds(20);
constexpr auto kWorkerAnswers = std::chrono::seconds(1);
// Beyond the time to drain: for the close frames of the last ones.
constexpr std::int64_t kLastWordsNs = 2 * kNsPerSecond;

std::size_t threads_of(const Config& config) {
  if (config.streamd.threads > 0) return static_cast<std::size_t>(config.streamd.threads);
  // synthd and the kernel's own part of sending take a core: with as many threads as cores they take turns,
  // and a byte costs more.
  const std::size_t cores = std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(cores, 2, kMostThreadsByDefault + 1) - 1;
}

std::shared_ptr<TlsCertificate> certificate_of(const Config& config) {
  if (config.streamd.tls_certificate.empty()) return nullptr;
  return std::make_shared<TlsCertificate>(config.streamd.tls_certificate, config.streamd.tls_key);
}

}  // namespace

struct StreamServer::Impl {
  const Config& config;
  SteadyWallClock clock;
  std::size_t threads;
  AccessPolicy access;
  std::shared_ptr<TlsCertificate> certificate;
  ConnectionLimiter limiter;
  ConnectionLimiter personal;
  ConnectionLimiter encoders;
  WorkerContext context;
  MetricsWriter segment;
  // A worker of figures for each thread: the network's, the acceptor's, the housekeeping's.
  std::deque<StreamMetrics> metrics;
  Conductor conductor;
  std::deque<Worker> workers;
  Acceptor acceptor;
  std::vector<std::thread> running;

  Impl(const Config& c, const Clock& k)
      : config(c),
        clock(k),
        threads(threads_of(c)),
        access(c),
        certificate(certificate_of(c)),
        limiter({c.streamd.max_listeners, c.streamd.max_listeners_per_address},
                [this](const IpAddress& address) { return access.is_exempt(address); }),
        personal({static_cast<std::int64_t>(kMostStations), c.streamd.max_personal_stations_per_address},
                 [this](const IpAddress& address) { return access.is_exempt(address); }),
        encoders({static_cast<std::int64_t>(encoder_places(c)), c.streamd.max_personal_stations_per_address},
                 [this](const IpAddress& address) { return access.is_exempt(address); }),
        context{c, clock, k, access, limiter, personal, encoders, certificate, {}, {}},
        segment(c.daemon_dir(Daemon::kStreamd), declared_metrics<StreamMetrics>(), threads + 2, k.now_ns()),
        metrics(metrics_of_shards()),
        conductor(context, segment, metrics.front()),
        acceptor(
            c.streamd.host, static_cast<std::uint16_t>(c.streamd.port),
            {{c.streamd.max_listeners + kPlainConnections,
              c.streamd.max_listeners_per_address + kPlainConnectionsPerAddress},
             c.streamd.handshakes_per_second,
             c.streamd.handshakes_per_second_per_address,
             c.streamd.tls_handshakes_per_second},
            [this](const IpAddress& peer) { return access.is_exempt_peer(peer); }, certificate != nullptr,
            clock, metrics.at(threads)) {
    std::vector<Worker*> all;
    for (std::size_t i = 0; i < threads; ++i)
      all.push_back(&workers.emplace_back(i, context, conductor, metrics.at(i)));
    conductor.conduct(std::move(all));
  }

  std::deque<StreamMetrics> metrics_of_shards() {
    std::deque<StreamMetrics> all;
    for (std::size_t worker = 0; worker < threads + 2; ++worker) all.emplace_back(segment.shard(worker));
    return all;
  }

  void serve(Worker& worker, const std::function<void(const std::string&)>& failed) {
    try {
      worker.network().run(worker);
    } catch (const std::exception& exception) {
      failed(exception.what());
    }
  }

  // Whether all listeners are gone from all workers, which each answers on its thread; false where one does
  // not.
  bool all_gone() {
    struct Answers {
      explicit Answers(std::size_t asked) : missing(asked) {}
      Mutex mutex;
      std::condition_variable came;
      std::size_t missing AURALIS_GUARDED_BY(mutex);
      bool gone AURALIS_GUARDED_BY(mutex) = true;
    };
    const auto answers = std::make_shared<Answers>(workers.size());
    for (Worker& worker : workers) {
      worker.network().post([answers, &worker] {
        worker.send_away();
        const MutexLock lock(answers->mutex);
        answers->gone = answers->gone && worker.empty();
        --answers->missing;
        answers->came.notify_one();
      });
    }
    const auto deadline = std::chrono::steady_clock::now() + kWorkerAnswers;
    MutexLock lock(answers->mutex);
    while (answers->missing > 0 && lock.wait_until(answers->came, deadline)) continue;
    return answers->missing == 0 && answers->gone;
  }
};

StreamServer::StreamServer(const Config& config, const Clock& clock)
    : impl_(std::make_unique<Impl>(config, clock)) {
  log_info("listening", {{"runtime_dir", config.runtime.dir},
                         {"host", config.streamd.host},
                         {"port", config.streamd.port},
                         {"tls", std::int64_t{impl_->certificate ? 1 : 0}},
                         {"threads", static_cast<std::int64_t>(impl_->threads)}});
}
StreamServer::~StreamServer() { stop(); }

void StreamServer::start(std::function<void(const std::string&)> failed) {
  std::vector<WebSocketServer*> networks;
  for (Worker& worker : impl_->workers) networks.push_back(&worker.network());
  networks.front()->every_step([impl = impl_.get()] { return impl->conductor.step(); });
  for (Worker& worker : impl_->workers)
    impl_->running.emplace_back([impl = impl_.get(), &worker, failed] { impl->serve(worker, failed); });
  impl_->acceptor.start(std::move(networks));
}

void StreamServer::stop() {
  if (impl_->running.empty()) return;
  impl_->context.stopping = true;
  const std::int64_t until_ns = impl_->clock.now_ns() + impl_->config.streamd.drain_ms * kNsPerMs;
  for (Worker& worker : impl_->workers)
    worker.network().post([&worker, until_ns] { worker.begin_drain(until_ns); });
  while (!impl_->all_gone() && impl_->clock.now_ns() < until_ns + kLastWordsNs)
    std::this_thread::sleep_for(kDrainStep);
  for (Worker& worker : impl_->workers) worker.network().finish();
  for (std::thread& thread : impl_->running) thread.join();
  impl_->running.clear();
}

void StreamServer::run_housekeeping() {
  impl_->metrics.back().process.sample();
  impl_->segment.run_housekeeping(impl_->clock.now_ns());
  if (impl_->certificate) impl_->certificate->refresh();
}

bool StreamServer::healthy() const {
  return impl_->clock.now_ns() - impl_->conductor.last_step_ns() < SegmentReader::kHungAfterNs;
}

}  // namespace auralis
