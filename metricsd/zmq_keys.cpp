// SPDX-License-Identifier: MIT
#include "metricsd/zmq_keys.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <zmq.h>

#include "common/base/text.h"

namespace auralis {
namespace {

constexpr std::size_t kKeyChars = 40;
constexpr std::size_t kKeyBytes = 32;

bool is_key(const std::string& text) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  return text.size() == kKeyChars && zmq_z85_decode(bytes.data(), text.c_str()) != nullptr;
}

[[noreturn]] void refuse(std::string_view key, const std::string& why) {
  throw std::runtime_error("metricsd." + std::string(key) + ": " + why);
}

Secret read_secret_key(const std::string& path) try {
  return Secret::from_file(path);
} catch (const SecretError& error) {
  refuse("zmq_key_file", error.what());
}

std::string public_key_of(const Secret& secret_key, const std::string& path) {
  std::string secret(secret_key.bytes());
  std::array<char, kKeyChars + 1> public_key{};
  if (!is_key(secret) || zmq_curve_public(public_key.data(), secret.c_str()) != 0)
    refuse("zmq_key_file", path + ": must hold a secret key of CURVE, 40 characters of Z85");
  return public_key.data();
}

// The file's lines, without blank ones and comments.
std::vector<std::string> read_clients(const std::string& path) {
  std::ifstream file(path);
  if (!file) refuse("zmq_client_keys_file", path + ": cannot be read: " + std::strerror(errno));
  std::vector<std::string> clients;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    const std::string key(trimmed(line));
    if (key.empty() || key.front() == '#') continue;  // in Z85 a key never begins with '#'
    if (!is_key(key)) {
      refuse("zmq_client_keys_file", path + ": line " + std::to_string(number) +
                                         " must be a public key of CURVE, 40 characters of Z85");
    }
    clients.push_back(key);
  }
  if (clients.empty()) refuse("zmq_client_keys_file", path + ": holds no key, so that none could subscribe");
  return clients;
}

}  // namespace

std::optional<ZmqKeys> read_zmq_keys(const Config& config) {
  const auto& metricsd = config.metricsd;
  if (metricsd.zmq_key_file.empty()) return std::nullopt;
  Secret secret_key = read_secret_key(metricsd.zmq_key_file);
  std::string public_key = public_key_of(secret_key, metricsd.zmq_key_file);
  std::optional<std::vector<std::string>> clients;
  if (!metricsd.zmq_client_keys_file.empty()) clients = read_clients(metricsd.zmq_client_keys_file);
  return ZmqKeys{std::move(secret_key), std::move(public_key), std::move(clients)};
}

}  // namespace auralis
