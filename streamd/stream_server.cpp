// SPDX-License-Identifier: MIT
#include "streamd/stream_server.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "common/access/tls_certificate.h"
#include "common/base/log.h"
#include "common/base/steady_wall_clock.h"
#include "common/daemon/realtime.h"
#include "common/metrics/metrics_segment.h"
#include "streamd/control/conductor.h"
#include "streamd/control/conductor_proxy.h"
#include "streamd/control/worker.h"
#include "streamd/control/worker_proxy.h"
#include "streamd/delivery/sent_meter.h"
#include "streamd/encode/encoding_capacity.h"
#include "streamd/encode/encoding_pool.h"
#include "streamd/net/acceptor.h"
#include "streamd/net/descriptor_limit.h"
#include "streamd/net/listening_socket.h"
#include "streamd/net/websocket_server.h"

namespace auralis {
namespace {

// More threads would contend for the network card's queues, and each adds a shard of metrics to every scrape.
constexpr std::size_t kMostThreadsByDefault = 8;
// While draining, how often to close the listeners whose time to go has come.
constexpr auto kDrainStep = std::chrono::milliseconds(20);
constexpr auto kWorkerTimeout = std::chrono::seconds(1);  // until a hanging worker is no longer waited for
// After the drain, for the close frames of the last listeners.
constexpr std::int64_t kCloseFramesNs = 2 * kNsPerSecond;

std::size_t threads_of(const Config& config) {
  if (config.streamd.threads > 0) return static_cast<std::size_t>(config.streamd.threads);
  // synthd and the kernel's part of sending take a core: with as many threads as cores they would preempt one
  // another, and a byte would cost more.
  const std::size_t cores = std::thread::hardware_concurrency();
  return std::clamp<std::size_t>(cores, 2, kMostThreadsByDefault + 1) - 1;
}

// Reads twice the bytes that the allowed messages may have, and enough for control frames if they are small.
ServerLimits server_limits(const Config& config) {
  ServerLimits limits;
  limits.handshake_timeout_ms = config.streamd.handshake_timeout_ms;
  limits.message_bytes = static_cast<std::size_t>(config.streamd.max_message_bytes);
  limits.header_bytes = static_cast<std::size_t>(config.streamd.max_header_bytes);
  const auto messages = static_cast<std::size_t>(config.streamd.messages_per_second);
  limits.read_at_once = std::max(limits.read_at_once, 2 * limits.message_bytes * messages / 10);
  return limits;
}

std::shared_ptr<TlsCertificate> certificate_of(const Config& config) {
  if (config.streamd.tls_certificate.empty()) return nullptr;
  return std::make_shared<TlsCertificate>(config.streamd.tls_certificate, config.streamd.tls_key);
}

// The path of auralis-render, which may be installed later. Throws std::runtime_error if the configured one
// cannot be run.
std::string render_program_of(const Config& config) {
  const std::string& configured = config.streamd.render_program;
  std::error_code unknown;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", unknown);
  const std::string path = configured.empty() ? (own.parent_path() / "auralis-render").string() : configured;
  if (::access(path.c_str(), X_OK) == 0) return path;
  if (!configured.empty())
    throw std::runtime_error("streamd.render_program: " + path + " cannot be run: " + std::strerror(errno));
  if (config.streamd.max_downloads > 0) log_info("no downloads are offered", {{"missing", path}});
  return path;
}

}  // namespace

struct StreamServer::Impl {
  const Config& config;
  SteadyWallClock clock;
  std::size_t threads;
  AccessPolicy access;
  std::shared_ptr<TlsCertificate> certificate;
  ListeningSocket listening;  // after the files that may be wrong, before the first thread
  ConnectionLimiter limiter;
  ConnectionLimiter personal;
  ConnectionLimiter encoders;
  ConnectionLimiter downloads;
  std::string render_program;
  GroupedLog grouped_log;
  WorkerContext context;
  MetricsWriter segment;
  // A shard for each thread: the workers', the acceptor's, the housekeeping thread's.
  std::deque<StreamMetrics> metrics;
  std::deque<WebSocketServer> networks;
  EncodingPool encoding;
  SentMeter meter;
  Conductor conductor;
  ConductorProxy conductor_proxy;  // on the first worker's thread
  std::deque<Worker> workers;
  std::vector<WorkerProxy> worker_proxies;
  Acceptor acceptor;
  std::vector<std::thread> running;

  Impl(const Config& c, const Clock& k)
      : config(c),
        clock(k),
        threads(threads_of(c)),
        access(c),
        certificate(certificate_of(c)),
        listening(open_listening_socket(c.streamd.host, static_cast<std::uint16_t>(c.streamd.port))),
        limiter({c.streamd.max_listeners, c.streamd.max_listeners_per_address},
                [this](const IpAddress& address) { return access.is_exempt(address); }),
        personal({static_cast<std::int64_t>(kMostStations), c.streamd.max_personal_stations_per_address},
                 [this](const IpAddress& address) { return access.is_exempt(address); }),
        encoders(
            {static_cast<std::int64_t>(encoder_capacity(c)), c.streamd.max_personal_stations_per_address},
            [this](const IpAddress& address) { return access.is_exempt(address); }),
        downloads({c.streamd.max_downloads, 1},
                  [this](const IpAddress& address) { return access.is_exempt(address); }),
        render_program(render_program_of(c)),
        grouped_log(access),
        context{c,         clock,          k,           access, limiter, personal, encoders,
                downloads, render_program, grouped_log, {},     {},      {}},
        segment(c.daemon_dir(Daemon::kStreamd), declared_metrics<StreamMetrics>(), threads + 2, k.now_ns(),
                k.unix_ns()),
        metrics(metrics_of_shards()),
        networks(networks_of_threads()),
        encoding(encoding_threads(c)),
        meter(c.daemon_dir(Daemon::kSynthd)),
        conductor(context, segment, metrics.front(), encoding, meter),
        conductor_proxy(networks.front(), conductor),
        acceptor(
            listening.socket,
            {{c.streamd.max_listeners + kPlainConnections,
              c.streamd.max_listeners_per_address + kPlainConnectionsPerAddress},
             c.streamd.handshakes_per_second,
             c.streamd.handshakes_per_second_per_address,
             c.streamd.tls_handshakes_per_second},
            [this](const IpAddress& peer) { return access.is_exempt_peer(peer); }, certificate != nullptr,
            clock, metrics.at(threads), grouped_log) {
    for (std::size_t i = 0; i < threads; ++i) {
      Worker& worker = workers.emplace_back(i, context, conductor_proxy, networks[i], metrics[i]);
      worker_proxies.emplace_back(networks[i], worker);
    }
    look_for_program();
    set_build_labels(segment);
    segment.detach();
    metrics.back().process.begin();
    conductor.conduct(worker_proxies, [this] { networks.front().step_now(); });
  }

  // It may be installed, or removed, while streamd runs.
  void look_for_program() { context.can_render = ::access(render_program.c_str(), X_OK) == 0; }

  std::deque<StreamMetrics> metrics_of_shards() {
    std::deque<StreamMetrics> all;
    for (std::size_t shard = 0; shard < threads + 2; ++shard) all.emplace_back(segment.shard(shard));
    return all;
  }

  std::deque<WebSocketServer> networks_of_threads() {
    std::deque<WebSocketServer> all;
    for (std::size_t i = 0; i < threads; ++i) all.emplace_back(server_limits(config), certificate, clock);
    return all;
  }

  void serve(std::size_t worker, const std::function<void(const std::string&)>& failed) {
    const bool in_real_time = run_in_real_time();
    if (worker == 0) log_missing_protection(lock_memory(), in_real_time);
    try {
      networks[worker].run(workers[worker]);
    } catch (const std::exception& exception) {
      failed(exception.what());
    }
  }

  // Whether all listeners of all workers are gone, and counted; false if a worker does not answer.
  bool drained() {
    const auto until = std::chrono::steady_clock::now() + kWorkerTimeout;
    std::vector<std::future<bool>> workers_drained;
    for (WorkerProxy& worker : worker_proxies) workers_drained.push_back(worker.close_due_listeners());
    const auto is_true = [until](std::future<bool>& answer) {
      return answer.wait_until(until) == std::future_status::ready && answer.get();
    };
    if (!std::all_of(workers_drained.begin(), workers_drained.end(), is_true)) return false;
    std::future<bool> counted = conductor_proxy.empty();
    return is_true(counted);
  }
};

StreamServer::StreamServer(const Config& config, const Clock& clock)
    : impl_(std::make_unique<Impl>(config, clock)) {
  log_info("listening", {{"runtime_dir", config.runtime.dir},
                         {"address", impl_->listening.address},
                         {"of_systemd", std::int64_t{impl_->listening.of_systemd ? 1 : 0}},
                         {"tls", std::int64_t{impl_->certificate ? 1 : 0}},
                         {"threads", static_cast<std::int64_t>(impl_->threads)}});
}
StreamServer::~StreamServer() { stop(); }

void StreamServer::start(const std::function<void(const std::string&)>& failed) {
  std::vector<WebSocketServer*> networks;
  for (WebSocketServer& network : impl_->networks) networks.push_back(&network);
  networks.front()->every_step([impl = impl_.get()] { return impl->conductor.step(); });
  for (std::size_t worker = 0; worker < impl_->threads; ++worker)
    impl_->running.emplace_back([impl = impl_.get(), worker, failed] { impl->serve(worker, failed); });
  impl_->meter.start();
  impl_->acceptor.start(std::move(networks));
}

void StreamServer::stop() {
  if (impl_->running.empty()) return;
  if (impl_->listening.of_systemd) impl_->acceptor.stop();  // the next start takes the connections that come
  impl_->context.stopping = true;
  const std::int64_t until_ns = impl_->clock.now_ns() + impl_->config.streamd.drain_ms * kNsPerMs;
  for (WorkerProxy& worker : impl_->worker_proxies) worker.begin_drain(until_ns);
  while (!impl_->drained() && impl_->clock.now_ns() < until_ns + kCloseFramesNs)
    std::this_thread::sleep_for(kDrainStep);
  for (WebSocketServer& network : impl_->networks) network.finish();
  for (std::thread& thread : impl_->running) thread.join();
  impl_->running.clear();
}

void StreamServer::run_housekeeping() {
  impl_->look_for_program();
  impl_->metrics.back().process.sample();
  impl_->segment.run_housekeeping(impl_->clock.now_ns());
  impl_->grouped_log.flush();
  if (impl_->certificate) impl_->certificate->refresh();
}

void StreamServer::note_reload(bool successful) { impl_->metrics.back().process.note_reload(successful); }

bool StreamServer::healthy() const {
  const std::int64_t hung_ns = impl_->clock.now_ns() - SegmentReader::kHungAfterNs;
  return impl_->conductor.last_step_ns() > hung_ns &&
         std::all_of(impl_->networks.begin(), impl_->networks.end(),
                     [hung_ns](const WebSocketServer& network) { return network.last_beat_ns() > hung_ns; });
}

}  // namespace auralis
