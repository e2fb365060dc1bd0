// SPDX-License-Identifier: MIT
#include "streamd/net/websocket_server.h"

#include <utility>

#include "streamd/net/websocket_server_of.h"

namespace auralis {
namespace {

std::unique_ptr<WebSocketServer::Impl> make_server(const ServerLimits& limits,
                                                   std::shared_ptr<const TlsCertificate> certificate,
                                                   const Clock& clock) {
  if (certificate)
    return std::make_unique<WebSocketServerOf<TlsConfig>>(limits, std::move(certificate), clock);
  return std::make_unique<WebSocketServerOf<PlainConfig>>(limits, nullptr, clock);
}

}  // namespace

WebSocketServer::WebSocketServer(const ServerLimits& limits,
                                 std::shared_ptr<const TlsCertificate> certificate, const Clock& clock)
    : impl_(make_server(limits, std::move(certificate), clock)) {}
WebSocketServer::~WebSocketServer() = default;

const ProcessTime& WebSocketServer::process_time() const { return impl_->process_time(); }

void WebSocketServer::every_step(std::function<std::int64_t()> step) {
  impl_->set_step(std::move(step));
  impl_->arm(0);
}
void WebSocketServer::step_now() { impl_->arm(0); }
void WebSocketServer::run(ConnectionEvents& events) { impl_->run(events); }
void WebSocketServer::finish() { impl_->io().stop(); }
void WebSocketServer::post(std::function<void()> work) { asio::post(impl_->io(), std::move(work)); }
void WebSocketServer::add_connection(int socket, const IpAddress& peer, std::shared_ptr<void> place) {
  asio::post(impl_->io(), [impl = impl_.get(), socket, peer, place = std::move(place)] {
    impl->add_connection(socket, peer, place);
  });
}
void WebSocketServer::respond(ConnectionId connection, const HttpResponse& response) {
  impl_->respond(connection, response);
}
void WebSocketServer::ping(ConnectionId connection) { impl_->ping(connection); }
void WebSocketServer::close(ConnectionId connection, std::uint16_t code, std::string_view reason) {
  impl_->close(connection, code, reason);
}

}  // namespace auralis
