// SPDX-License-Identifier: MIT
// Keys of CURVE, ZeroMQ's encryption, as configured: one line of Z85 each, 40 characters.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/access/secret_file.h"
#include "common/config/config.h"

namespace auralis {

struct ZmqKeys {
  Secret secret_key;
  std::string public_key;                           // of secret_key: what subscribers must know
  std::optional<std::vector<std::string>> clients;  // public keys that may subscribe; none: any
};

// Reads metricsd.zmq_key_file and zmq_client_keys_file; nothing if there is no zmq_key_file. Throws
// std::runtime_error: which key of the configuration, which file, and what is wrong with it.
std::optional<ZmqKeys> read_zmq_keys(const Config& config);

}  // namespace auralis
