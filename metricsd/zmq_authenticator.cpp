// SPDX-License-Identifier: MIT
#include "metricsd/zmq_authenticator.h"

#include <array>
#include <iterator>
#include <string_view>

#include <zmq_addon.hpp>

#include "common/base/log.h"

namespace auralis {
namespace {

constexpr std::string_view kVersion = "1.0";

// The frames of a request, in which the credentials of CURVE are the client's public key.
enum Frame : std::size_t {
  kVersionFrame,
  kIdFrame,
  kDomainFrame,
  kAddressFrame,
  kIdentityFrame,
  kMechanism,
  kPublicKey
};
constexpr std::size_t kFrames = kPublicKey + 1;

}  // namespace

ZmqAuthenticator::ZmqAuthenticator(zmq::context_t& context, const std::vector<std::string>& clients)
    : context_(context), requests_(context, zmq::socket_type::rep), clients_(clients.begin(), clients.end()) {
  requests_.set(zmq::sockopt::linger, 0);
  requests_.bind("inproc://zeromq.zap.01");
  thread_ = std::thread(&ZmqAuthenticator::serve, this);
}

ZmqAuthenticator::~ZmqAuthenticator() {
  context_.shutdown();  // ends the thread's wait
  thread_.join();
}

void ZmqAuthenticator::serve() {
  for (;;) {
    std::vector<zmq::message_t> request;
    try {
      if (zmq::recv_multipart(requests_, std::back_inserter(request))) answer(request);
    } catch (const zmq::error_t& error) {
      if (error.num() == ETERM) return;
    }
  }
}

void ZmqAuthenticator::answer(const std::vector<zmq::message_t>& request) {
  const bool admitted = request.size() == kFrames && request[kMechanism].to_string_view() == "CURVE" &&
                        admits(request[kPublicKey]);
  if (!admitted) note_refusal();
  const std::string id = request.size() > kIdFrame ? request[kIdFrame].to_string() : std::string();
  const std::array<zmq::const_buffer, 6> response{
      zmq::buffer(kVersion),
      zmq::buffer(id),
      zmq::buffer(std::string_view(admitted ? "200" : "400")),
      zmq::buffer(std::string_view(admitted ? "OK" : "key not admitted")),
      zmq::const_buffer(),
      zmq::const_buffer()};
  zmq::send_multipart(requests_, response);
}

// ZeroMQ's clients try again several times a second.
void ZmqAuthenticator::note_refusal() {
  constexpr std::chrono::minutes kPause{1};
  ++refusals_;
  const auto now = std::chrono::steady_clock::now();
  if (logged_ && now - *logged_ < kPause) return;
  log_warning("ZeroMQ subscribers refused: their keys are not in zmq_client_keys_file",
              {{"attempts", refusals_}});
  logged_ = now;
  refusals_ = 0;
}

bool ZmqAuthenticator::admits(const zmq::message_t& public_key) const {
  constexpr std::size_t kKeyBytes = 32;
  std::array<char, 41> text{};
  return public_key.size() == kKeyBytes &&
         zmq_z85_encode(text.data(), public_key.data<std::uint8_t>(), kKeyBytes) != nullptr &&
         clients_.count(text.data()) > 0;
}

}  // namespace auralis
