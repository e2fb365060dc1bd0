// SPDX-License-Identifier: MIT
// The samples of one chunk, immutable and shared: 16 bit, little-endian, interleaved, as they are in the ring
// and on the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace auralis {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "samples are sent as they are in memory");

// Copies share the bytes. Any thread, once made.
class Samples {
 public:
  Samples() = default;
  // `bytes` keeps 2 * `count` bytes alive, which nothing changes any more.
  Samples(std::shared_ptr<const char> bytes, std::size_t count) : bytes_(std::move(bytes)), count_(count) {}
  static Samples copy_of(const std::vector<std::int16_t>& samples) {
    auto copy = std::make_shared<std::string>(samples.size() * sizeof(std::int16_t), '\0');
    if (!samples.empty()) std::memcpy(copy->data(), samples.data(), copy->size());
    return {std::shared_ptr<const char>(copy, copy->data()), samples.size()};
  }

  std::size_t size() const { return count_; }
  std::int16_t operator[](std::size_t index) const {
    std::int16_t sample;
    std::memcpy(&sample, bytes_.get() + index * sizeof sample, sizeof sample);
    return sample;
  }
  // Valid as long as a copy of this lives.
  std::string_view bytes() const { return {bytes_.get(), count_ * sizeof(std::int16_t)}; }

 private:
  std::shared_ptr<const char> bytes_;
  std::size_t count_ = 0;
};

}  // namespace auralis
