// SPDX-License-Identifier: MIT
#include "metricsd/http_server.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/token_bucket.h"
#include "metricsd/http_connection.h"
#include "metricsd/http_rules.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace auralis {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{100};
// Certificates are looked at once a second.
constexpr std::uint64_t kRefreshTicks = std::chrono::seconds(1) / HttpConnection::kTick;

}  // namespace

struct HttpServer::Impl {
  HttpShared shared;
  TokenBucket tls_handshakes;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  asio::steady_timer ticking{context};
  asio::steady_timer pause{context};
  std::uint64_t ticks = 0;
  std::vector<std::shared_ptr<HttpConnection>> connections;
  std::thread thread;

  Impl(const HttpEndpoint& endpoint, HttpPages pages, const HttpStreams& streams, const HttpLimits& limits)
      : tls_handshakes(limits.tls_handshakes_per_second, limits.tls_handshakes_at_once) {
    shared.pages = std::move(pages);
    for (const auto& path : streams) shared.newest_events[path];
    shared.limits = limits;
    if (!endpoint.tls_certificate.empty())
      shared.certificate = std::make_unique<TlsCertificate>(endpoint.tls_certificate, endpoint.tls_key);
    if (!endpoint.password_file.empty()) {
      shared.credentials.emplace(
          Secret::basic_credentials(kHttpUser, Secret::from_file(endpoint.password_file)));
    }
  }

  void listen(const tcp::endpoint& endpoint) {
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen();
  }

  void accept() {
    acceptor.async_accept([this](ErrorCode error, tcp::socket socket) {
      if (error) return recover();
      accept();  // first: continue accepting, whatever happens to this connection
      if (shared.certificate && !tls_handshakes.take(SystemClock().now_ns())) return;  // closes the socket
      forget_closed();
      if (connections.size() >= shared.limits.connections) make_room();
      connections.push_back(std::make_shared<HttpConnection>(std::move(socket), shared));
      connections.back()->start();
    });
  }

  // Called after a failed accept, for lack of descriptors or memory: the client is still waiting, so retrying
  // at once would keep a core busy unless resources have been freed.
  void recover() {
    if (make_room()) return accept();
    pause.expires_after(kAcceptPause);
    pause.async_wait([this](ErrorCode error) {
      if (!error) accept();
    });
  }

  // Closes the connection that has been idle longest or, if none is idle, slow longest; subscribers last.
  // False if there is none.
  bool make_room() {
    const auto oldest = std::min_element(connections.begin(), connections.end(),
                                         [](const auto& a, const auto& b) { return a->age() < b->age(); });
    if (oldest == connections.end()) return false;
    (*oldest)->close();
    connections.erase(oldest);
    return true;
  }

  void forget_closed() {
    connections.erase(std::remove_if(connections.begin(), connections.end(),
                                     [](const auto& connection) { return !connection->open(); }),
                      connections.end());
  }

  // A late tick, after this process was stopped, counts as one.
  void tick() {
    ticking.expires_after(HttpConnection::kTick);
    ticking.async_wait([this](ErrorCode error) {
      if (error) return;
      tick();
      for (const auto& connection : connections) connection->tick();
      forget_closed();
      if (shared.certificate && ++ticks % kRefreshTicks == 0) shared.certificate->refresh();
    });
  }

  void publish(std::string_view path, const HttpEvent& event) {
    const auto newest = shared.newest_events.find(path);
    newest->second = event;
    for (const auto& connection : connections) connection->push(newest->first, event);
  }

  void run() {
    for (;;) {
      try {
        context.run();
        return;
      } catch (const std::exception& error) {
        log_error("request failed", {{"error", std::string(error.what())}});
      }
    }
  }
};

HttpServer::HttpServer(const HttpEndpoint& endpoint, HttpPages pages, const HttpStreams& streams,
                       const HttpLimits& limits)
    : impl_(std::make_unique<Impl>(endpoint, std::move(pages), streams, limits)) {
  impl_->listen({asio::ip::make_address(endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host),
                 static_cast<std::uint16_t>(endpoint.port)});
  impl_->accept();
  impl_->tick();
  impl_->thread = std::thread(&Impl::run, impl_.get());
}

HttpServer::~HttpServer() {
  impl_->context.stop();
  impl_->thread.join();
}

void HttpServer::publish(std::string_view path, std::string_view data) {
  assert(impl_->shared.newest_events.find(path) != impl_->shared.newest_events.end());
  asio::post(impl_->context, [impl = impl_.get(), to = std::string(path),
                              event = std::make_shared<const std::string>(event_message(data))] {
    impl->publish(to, event);
  });
}

int HttpServer::port() const { return impl_->acceptor.local_endpoint().port(); }

}  // namespace auralis
