// SPDX-License-Identifier: MIT
// The conductor and two workers without threads and sockets: posted work runs when the test says so, and time
// passes when the test says so.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/metrics/metrics_segment.h"
#include "common/segments/control_segment.h"
#include "streamd/control/conductor.h"
#include "streamd/control/conductor_proxy.h"
#include "streamd/control/worker.h"
#include "streamd/control/worker_proxy.h"
#include "tests/unit/streamd/support.h"

namespace auralis::test {

// Keeps posted work until the test runs it.
class ManualExecutor final : public Executor {
 public:
  void post(std::function<void()> work) override { waiting.push_back(std::move(work)); }

  // Runs the work that waits now; false if there was none.
  bool run() {
    const auto work = std::exchange(waiting, {});
    for (const auto& one : work) one();
    return !work.empty();
  }

  std::deque<std::function<void()>> waiting;
};

// A worker's network. What is sent is taken at once, and kept.
class FakeNetwork final : public WorkerNetwork {
 public:
  explicit FakeNetwork(const Clock& clock) : process(clock, kNsPerSecond) {
    transport.answer = SendResult::kTaken;
  }

  void post(std::function<void()> work) override { executor.post(std::move(work)); }
  const ProcessTime& process_time() const override { return process; }
  void respond(ConnectionId connection, const HttpResponse& response) override {
    responses[connection] = response;
  }
  std::unique_ptr<ChildOutput> run_child(ChildCommand command) override {
    if (!can_start) throw std::system_error(ENOENT, std::generic_category(), command.words.front());
    children.push_back(std::move(command));
    return std::make_unique<Child>(*this);
  }
  void ping(ConnectionId connection) override { transport.ping(connection); }
  void close(ConnectionId connection, std::uint16_t code, std::string_view reason) override {
    transport.close(connection, code, reason);
  }

  ProcessTime process;
  std::vector<ChildCommand> children;  // all that were started
  bool can_start = true;
  int pieces_asked = 0;    // of children, after their first
  int children_ended = 0;  // by the worker
  ManualExecutor executor;
  RecordingTransport transport;
  std::map<ConnectionId, HttpResponse> responses;

 private:
  struct Child final : ChildOutput {
    explicit Child(FakeNetwork& n) : network(n) {}
    ~Child() override { ++network.children_ended; }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    void read_on() override { ++network.pieces_asked; }
    FakeNetwork& network;
  };
};

inline HttpRequest http_request(std::string_view method, std::string_view path, std::string_view query = {},
                                std::string_view body = {}) {
  HttpRequest request;
  request.method = method;
  request.path = path;
  request.query = QueryFields(query);
  request.body = body;
  request.peer = parse_ip_address("192.0.2.7").value();
  return request;
}

// Connections with even numbers are the first worker's, which shares its thread with the conductor.
class ControlFixture {
  static bool none_exempt(const IpAddress&) { return false; }

 public:
  using Change = std::function<void(Config&)>;
  explicit ControlFixture(const Change& change = [](Config&) {}) : config(changed(change)) {
    for (std::size_t i = 0; i < networks.size(); ++i) {
      workers.emplace_back(i, context, to_conductor, networks[i], own[i].metrics);
      proxies.emplace_back(networks[i], workers[i]);
    }
    conductor.conduct(proxies, [this] { step_requested = true; });
  }

  Worker& worker(ConnectionId id) { return workers[id % 2]; }
  FakeNetwork& network(ConnectionId id) { return networks[id % 2]; }

  void start_synth() {
    synth.emplace(config.daemon_dir(Daemon::kSynthd), clock.now);
    StationState state = *synth->writer().state(0);
    state.open = 1;
    synth->writer().store_state(0, state);
    fill_rings();
  }
  // Opens the station that streamd asks for at `index`, as synthd does.
  StationId open_requested(std::size_t index) {
    control.refresh();
    const ControlRequest request = control.request(index).value();
    StationState state = named_state(request.station);
    state.personal = state.open = 1;
    state.seed = request.seed;
    state.applied_request = request.number;
    return synth->open(index, state);
  }
  std::optional<ControlRequest> requested(std::size_t index) {
    control.refresh();
    return control.request(index);
  }

  // Runs what was posted, and what that posts.
  void run() {
    for (bool more = true; more;) {
      more = networks[0].executor.run();
      more = networks[1].executor.run() || more;
    }
  }
  // Lets time pass as the threads would: from one due moment to the next.
  void advance(std::int64_t ns) {
    const std::int64_t end_ns = clock.now + ns;
    for (;;) {
      run();
      fill_rings();
      for (FakeNetwork& network : networks) network.process.step();
      step_requested = false;
      const std::int64_t wake_ns = conductor.step();
      run();
      if (step_requested) continue;
      if (clock.now >= end_ns) return;
      clock.now = std::clamp<std::int64_t>(wake_ns, clock.now + 1, end_ns);
    }
  }

  // A WebSocket handshake; opens the session if it is admitted.
  Admission connect(ConnectionId id, std::string_view query = {},
                    const std::vector<std::string>& offered = {"auralis.pcm.v1"}) {
    HttpRequest request = http_request("GET", "/ws/stream", query);
    request.websocket_version = "13";
    Admission admission = worker(id).admit(id, request, offered);
    if (admission.status == 101) worker(id).opened(id, network(id).transport.sink(id));
    return admission;
  }
  void say(ConnectionId id, std::string_view text) { worker(id).text(id, text); }
  // The response to an HTTP request, once it came.
  HttpResponse ask(ConnectionId id, const HttpRequest& request) {
    if (auto response = worker(id).http(id, request)) return *response;
    run();
    return network(id).responses.at(id);
  }

  // The JSON messages that were sent to a listener, in order.
  std::vector<nlohmann::json> messages(ConnectionId id) {
    std::vector<nlohmann::json> result;
    for (const auto& message : network(id).transport.sent[id]) {
      const auto payload = payload_of(*message);
      if (payload.substr(0, 1) == "{") result.push_back(nlohmann::json::parse(payload));
    }
    return result;
  }
  // Of these, the types and, of errors, their codes; from message `first` on.
  std::vector<std::string> answers(ConnectionId id, std::size_t first = 0) {
    std::vector<std::string> result;
    for (const auto& message : messages(id)) {
      const std::string type = message.at("type");
      result.push_back(type == "error" ? message.at("code").get<std::string>() : type);
    }
    result.erase(result.begin(),
                 result.begin() + static_cast<std::ptrdiff_t>(std::min(first, result.size())));
    return result;
  }
  // Numbers of the chunks that a listener of a binary format was sent.
  std::vector<int> chunks(ConnectionId id) {
    std::vector<int> result;
    for (const auto& message : network(id).transport.sent[id]) {
      const std::string_view payload = payload_of(*message);
      if (payload.substr(0, 4) == "AUR1") result.push_back(static_cast<unsigned char>(payload[8]));
    }
    return result;
  }
  std::uint16_t close_code(ConnectionId id) { return network(id).transport.closed[id]; }
  double value(const std::string& name, const std::string& label = {}) const {
    return own[0].sample(name, label).value + own[1].sample(name, label).value;
  }

  std::array<OwnMetrics, 2> own;
  TempDir folder;
  ManualClock clock;
  Config config;
  AccessPolicy access{config};
  ConnectionLimiter limiter{{4, 3}, none_exempt};
  ConnectionLimiter personal{{8, 8}, none_exempt};
  ConnectionLimiter encoders{{1, 1}, none_exempt};
  GroupedLog grouped_log{access};
  ConnectionLimiter downloads{{2, 1}, none_exempt};
  std::string render_program = "/bin/true";
  WorkerContext context{config,    clock,          clock,       access, limiter, personal, encoders,
                        downloads, render_program, grouped_log, {},     {},      {}};
  MetricsWriter segment{config.daemon_dir(Daemon::kStreamd), declared_metrics<StreamMetrics>(), 1, clock.now};
  HeldExecutor encoding;
  std::deque<FakeNetwork> networks = two_networks();
  SentMeter meter{config.daemon_dir(Daemon::kSynthd)};
  Conductor conductor{context, segment, own[0].metrics, encoding, meter};
  ConductorProxy to_conductor{networks[0], conductor};
  std::deque<Worker> workers;
  std::vector<WorkerProxy> proxies;
  std::optional<FakeSynth> synth;
  ControlReader control{config.daemon_dir(Daemon::kStreamd)};
  bool step_requested = false;

 private:
  Config changed(const Change& change) {
    Config changed_config;
    changed_config.runtime.dir = folder.path().string();
    change(changed_config);
    return changed_config;
  }
  std::deque<FakeNetwork> two_networks() {
    std::deque<FakeNetwork> two;
    two.emplace_back(clock);
    two.emplace_back(clock);
    return two;
  }

  // As a synthd does that works: some chunks ahead, of each station that is there.
  void fill_rings() {
    if (!synth) return;
    AudioWriter& writer = synth->writer();
    writer.beat(clock.now);
    const std::int64_t ahead = writer.timeline().chunk_at(clock.now) + 10;
    for (std::size_t index = 0; index < FakeSynth::kCapacity; ++index) {
      if (!writer.state(index)) continue;
      synth->write(writer.newest(index).value_or(-1) + 1, ahead, index);
    }
  }
};

}  // namespace auralis::test
