// SPDX-License-Identifier: MIT
#include "streamd/net/websocket_server.h"

#include <utility>

#include "streamd/net/child_process.h"
#include "streamd/net/websocket_server_of.h"

namespace auralis {
namespace {

std::unique_ptr<ServerLoop> make_server(const ServerLimits& limits,
                                        std::shared_ptr<const TlsCertificate> certificate,
                                        const Clock& clock) {
  if (certificate)
    return std::make_unique<WebSocketServerOf<TlsConfig>>(limits, std::move(certificate), clock);
  return std::make_unique<WebSocketServerOf<PlainConfig>>(limits, nullptr, clock);
}

}  // namespace

WebSocketServer::WebSocketServer(const ServerLimits& limits,
                                 std::shared_ptr<const TlsCertificate> certificate, const Clock& clock)
    : loop_(make_server(limits, std::move(certificate), clock)) {}
WebSocketServer::~WebSocketServer() = default;

const ProcessTime& WebSocketServer::process_time() const { return loop_->process_time(); }
std::int64_t WebSocketServer::last_beat_ns() const { return loop_->last_beat_ns(); }

void WebSocketServer::every_step(std::function<std::int64_t()> step) {
  loop_->set_step(std::move(step));
  loop_->arm(0);
}
void WebSocketServer::step_now() { loop_->arm(0); }
void WebSocketServer::run(ConnectionEvents& events) { loop_->run(events); }
void WebSocketServer::finish() { loop_->io().stop(); }
void WebSocketServer::post(std::function<void()> work) { asio::post(loop_->io(), std::move(work)); }
void WebSocketServer::add_connection(FileDescriptor socket, const IpAddress& peer,
                                     std::shared_ptr<void> hold) {
  asio::post(loop_->io(),
             [loop = loop_.get(), socket = std::move(socket), peer, hold = std::move(hold)]() mutable {
               loop->add_connection(std::move(socket), peer, std::move(hold));
             });
}
void WebSocketServer::respond(ConnectionId connection, const HttpResponse& response) {
  loop_->respond(connection, response);
}
std::unique_ptr<ChildOutput> WebSocketServer::run_child(ChildCommand command) {
  return auralis::run_child(loop_->io(), std::move(command));
}
void WebSocketServer::ping(ConnectionId connection) { loop_->ping(connection); }
void WebSocketServer::close(ConnectionId connection, std::uint16_t code, std::string_view reason) {
  loop_->close(connection, code, reason);
}

}  // namespace auralis
