// SPDX-License-Identifier: MIT
#include "streamd/admission/gate.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace auralis {
namespace {

IpAddress address(std::string_view text) { return parse_ip_address(text).value(); }

bool nobody(const IpAddress&) { return false; }

std::optional<Gate::Pass> enter(Gate& gate, std::string_view client) {
  auto outcome = gate.enter(address(client));
  auto* pass = std::get_if<Gate::Pass>(&outcome);
  return pass != nullptr ? std::optional(std::move(*pass)) : std::nullopt;
}

std::optional<Gate::Refusal> refusal(Gate& gate, std::string_view client) {
  const auto outcome = gate.enter(address(client));
  const auto* reason = std::get_if<Gate::Refusal>(&outcome);
  return reason != nullptr ? std::optional(*reason) : std::nullopt;
}

TEST_CASE("so many listeners are let in as there are places, and the next one once a place is free") {
  Gate gate({2, 2}, nobody);
  auto first = enter(gate, "192.0.2.1");
  auto second = enter(gate, "192.0.2.2");
  CHECK(first);
  CHECK(second);
  CHECK(gate.taken() == 2);
  CHECK(refusal(gate, "192.0.2.3") == Gate::Refusal::kFull);
  CHECK(gate.taken() == 2);
  first.reset();
  CHECK(gate.taken() == 1);
  CHECK(enter(gate, "192.0.2.3"));
}

TEST_CASE("an address has its own limit, which others do not feel") {
  Gate gate({10, 2}, nobody);
  auto first = enter(gate, "192.0.2.1");
  const auto second = enter(gate, "::ffff:192.0.2.1");
  CHECK(refusal(gate, "192.0.2.1") == Gate::Refusal::kAddress);
  CHECK(gate.taken_at(address("192.0.2.1")) == 2);
  CHECK(gate.taken_at(address("192.0.2.2")) == 0);
  CHECK(enter(gate, "192.0.2.2"));
  first.reset();
  CHECK(gate.taken_at(address("192.0.2.1")) == 1);
  CHECK(enter(gate, "192.0.2.1"));
}

TEST_CASE("where all places are taken that is the reason, whoever asks") {
  Gate gate({1, 1}, nobody);
  const auto only = enter(gate, "192.0.2.1");
  CHECK(refusal(gate, "192.0.2.1") == Gate::Refusal::kFull);
}

TEST_CASE("a /64 of IPv6 counts as one address, a /64 of mapped IPv4 does not") {
  Gate gate({10, 1}, nobody);
  const auto first = enter(gate, "2001:db8:0:1::1");
  CHECK(refusal(gate, "2001:db8:0:1:ffff::2") == Gate::Refusal::kAddress);
  CHECK(gate.taken_at(address("2001:db8:0:1::9")) == 1);
  CHECK(enter(gate, "2001:db8:0:2::1"));
  const auto v4 = enter(gate, "192.0.2.1");
  CHECK(enter(gate, "192.0.2.2"));
  CHECK(enter(gate, "198.51.100.1"));
}

TEST_CASE("who is exempt has no limit of its own, but takes places") {
  Gate gate({3, 1}, [](const IpAddress& client) { return client.is_loopback(); });
  std::vector<Gate::Pass> passes;
  passes.reserve(3);
  for (int i = 0; i < 3; ++i) passes.push_back(enter(gate, "127.0.0.1").value());
  CHECK(refusal(gate, "127.0.0.1") == Gate::Refusal::kFull);
  CHECK(refusal(gate, "192.0.2.1") == Gate::Refusal::kFull);
  passes.clear();
  CHECK(gate.taken() == 0);
}

TEST_CASE("a pass that is handed on frees its place once, and what it is given for first") {
  Gate gate({4, 4}, nobody);
  std::optional first = enter(gate, "192.0.2.1");
  Gate::Pass moved = std::move(*first);
  first.reset();
  CHECK(gate.taken_at(address("192.0.2.1")) == 1);
  Gate::Pass other = enter(gate, "192.0.2.2").value();
  CHECK(gate.taken() == 2);
  moved = std::move(other);
  CHECK(gate.taken() == 1);
  CHECK(gate.taken_at(address("192.0.2.1")) == 0);
  CHECK(gate.taken_at(address("192.0.2.2")) == 1);
}

TEST_CASE("a pass may outlive the gate") {
  auto gate = std::make_unique<Gate>(Gate::Limits{1, 1}, nobody);
  auto pass = enter(*gate, "192.0.2.1");
  gate.reset();
  pass.reset();
  CHECK_FALSE(pass);
}

}  // namespace
}  // namespace auralis
