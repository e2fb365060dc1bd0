// SPDX-License-Identifier: MIT
// Rate limits per client address. Pure: the time is passed in. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "common/access/ip_address.h"
#include "common/base/token_bucket.h"

namespace auralis {

class AddressRates {
 public:
  // A token bucket per client: `per_second` tokens and bursts of `burst`, both at least 1. Remembers clients
  // whose bucket is not full, at most `most_clients`.
  AddressRates(std::int64_t per_second, std::int64_t burst, std::size_t most_clients);

  // Takes a token of the client, as client_network() identifies it; false if it has none, or if it is unknown
  // and `most_clients` are remembered.
  bool take(const IpAddress& client, std::int64_t now_ns);

  // Number of remembered clients.
  std::size_t size() const { return buckets_.size(); }

 private:
  struct InOrder {
    bool operator()(const IpAddress& a, const IpAddress& b) const { return a.bytes < b.bytes; }
  };
  void forget_idle(std::int64_t now_ns);

  TokenBucket full_;
  std::size_t most_clients_;
  std::map<IpAddress, TokenBucket, InOrder> buckets_;
};

}  // namespace auralis
