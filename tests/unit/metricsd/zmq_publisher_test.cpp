// SPDX-License-Identifier: MIT
#include "metricsd/zmq_publisher.h"

#include <stdexcept>

#include "tests/unit/metricsd/subscriber.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>

namespace auralis::zmq_publisher_test {
namespace {

using namespace test;

std::string refusal(const std::string& endpoint) {
  try {
    const ZmqPublisher publisher(endpoint);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("ZmqPublisher: a subscriber gets topic and body as two frames") {
  for (const std::string endpoint : {"tcp://127.0.0.1:*", "ipc"}) {
    const TempDir folder;
    ZmqPublisher publisher(endpoint == "ipc" ? "ipc://" + (folder.path() / "socket").string() : endpoint);
    Subscriber subscriber(publisher.endpoint(), "topic");
    const auto frames = subscriber.first([&] { publisher.publish("topic", "{\"body\": 1}"); });
    REQUIRE(frames.size() == 2);
    CHECK(frames[0] == "topic");
    CHECK(frames[1] == "{\"body\": 1}");
  }
}

TEST_CASE("ZmqPublisher: publishing without a subscriber, or to one that reads nothing, does not wait") {
  ZmqPublisher publisher("tcp://127.0.0.1:*");
  Subscriber idle(publisher.endpoint(), "");
  CHECK_FALSE(idle.first([&] { publisher.publish("t", "b"); }).empty());
  const std::string body(100'000, 'x');
  for (int message = 0; message < 1'000; ++message) publisher.publish("t", body);
}

TEST_CASE("ZmqPublisher: an endpoint that is taken or malformed is one clear error that names it") {
  const TempDir folder;
  for (const std::string& wanted :
       {std::string("tcp://127.0.0.1:*"), "ipc://" + (folder.path() / "socket").string()}) {
    ZmqPublisher first(wanted);
    Subscriber subscriber(first.endpoint(), "");
    const std::string error = refusal(first.endpoint());
    CHECK_MESSAGE(contains(error, "'" + first.endpoint() + "'"), error);
    CHECK_MESSAGE(!contains(error, "\n"), error);
    // And the one who has it keeps it.
    CHECK_FALSE(subscriber.first([&] { first.publish("t", "b"); }).empty());
  }
  for (const std::string malformed :
       {"", "nonsense", "tcp://", "tcp://127.0.0.1:99999", "udp://127.0.0.1:1", "ipc://"}) {
    CHECK_MESSAGE(contains(refusal(malformed), std::string("'") + malformed + "'"), malformed);
  }
}

TEST_CASE("ZmqPublisher: the socket that a dead process left behind is taken over") {
  const TempDir folder;
  const std::string path = (folder.path() / "socket").string();
  {
    const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(dead);
  }
  REQUIRE(std::filesystem::exists(path));
  CHECK(refusal("ipc://" + path).empty());
}

}  // namespace auralis::zmq_publisher_test
