// SPDX-License-Identifier: MIT
// How often something may happen for one client, of many. Pure: the time is passed in. Not for several
// threads at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "common/access/ip_address.h"
#include "streamd/admission/token_bucket.h"

namespace auralis {

class AddressRates {
 public:
  // For each client so many a second, and a burst of so many at once; both at least 1. Clients that have used
  // some of that lately are remembered, at most `most_clients`.
  AddressRates(std::int64_t per_second, std::int64_t burst, std::size_t most_clients);

  // True, and one fewer for that client, if it had one. What counts as one client says client_network(). One
  // that is not known has none while all are remembered that can be.
  bool take(const IpAddress& client, std::int64_t now_ns);

  // Clients remembered.
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
