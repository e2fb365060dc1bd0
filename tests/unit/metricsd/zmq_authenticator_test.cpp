// SPDX-License-Identifier: MIT
// Subscribers with and without keys, of real processes, are in tests/integration/metrics_zmq_keys_test.py.
#include "metricsd/zmq_authenticator.h"

#include <array>
#include <iterator>

#include <zmq_addon.hpp>

#include <doctest/doctest.h>

namespace auralis::zmq_authenticator_test {
namespace {

struct KeyPair {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  KeyPair() { REQUIRE(zmq_curve_keypair(public_key.data(), secret_key.data()) == 0); }

  std::string bytes() const {
    std::array<std::uint8_t, 32> decoded{};
    zmq_z85_decode(decoded.data(), public_key.data());
    return {decoded.begin(), decoded.end()};
  }
};

// The status of the answer to a request.
std::string status(zmq::context_t& context, const std::vector<std::string>& request) {
  zmq::socket_t socket(context, zmq::socket_type::req);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::rcvtimeo, 20'000);
  socket.connect("inproc://zeromq.zap.01");
  std::vector<zmq::const_buffer> frames;
  for (const auto& frame : request) frames.push_back(zmq::buffer(frame));
  zmq::send_multipart(socket, frames);
  std::vector<zmq::message_t> answer;
  REQUIRE(zmq::recv_multipart(socket, std::back_inserter(answer)));
  REQUIRE(answer.size() == 6);
  CHECK(answer[0].to_string() == "1.0");
  CHECK(answer[1].to_string() == request.at(1));
  return answer[2].to_string();
}

}  // namespace

TEST_CASE("ZmqAuthenticator: admits the keys that it knows, and nothing else") {
  zmq::context_t context;
  const KeyPair known;
  const KeyPair other;
  const ZmqAuthenticator authenticator(context, {known.public_key.data()});
  const auto with = [&](const std::string& mechanism, const std::string& credentials) {
    return status(context, {"1.0", "17", "auralis", "127.0.0.1", "", mechanism, credentials});
  };
  CHECK(with("CURVE", known.bytes()) == "200");
  CHECK(with("CURVE", other.bytes()) == "400");
  CHECK(with("CURVE", known.bytes().substr(1)) == "400");
  CHECK(with("PLAIN", known.bytes()) == "400");
  CHECK(status(context, {"1.0", "18", "auralis", "127.0.0.1", "", "NULL"}) == "400");
}

}  // namespace auralis::zmq_authenticator_test
