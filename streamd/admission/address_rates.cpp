// SPDX-License-Identifier: MIT
#include "streamd/admission/address_rates.h"

#include <iterator>

#include "streamd/admission/client_address.h"

namespace auralis {

AddressRates::AddressRates(std::int64_t per_second, std::int64_t burst, std::size_t most_clients)
    : full_(per_second, burst), most_clients_(most_clients) {}

bool AddressRates::take(const IpAddress& client, std::int64_t now_ns) {
  const IpAddress network = client_network(client);
  auto bucket = buckets_.find(network);
  if (bucket == buckets_.end()) {
    if (buckets_.size() >= most_clients_) forget_idle(now_ns);
    if (buckets_.size() >= most_clients_) return false;
    bucket = buckets_.emplace(network, full_).first;
  }
  return bucket->second.take(now_ns);
}

// A full bucket equals a new one.
void AddressRates::forget_idle(std::int64_t now_ns) {
  for (auto bucket = buckets_.begin(); bucket != buckets_.end();)
    bucket = bucket->second.is_full(now_ns) ? buckets_.erase(bucket) : std::next(bucket);
}

}  // namespace auralis
