// SPDX-License-Identifier: MIT
#include "metricsd/http_negotiation.h"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <new>

#include "common/base/accept_choices.h"

namespace auralis {

bool prefers_openmetrics(std::string_view accept) {
  double openmetrics = 0;
  double text = 0;
  for (const AcceptChoice& choice : accept_choices(accept)) {
    const std::string& version = choice.version;
    if (choice.name == "application/openmetrics-text") {
      const bool written = version.empty() || version == "1.0.0" || version == "0.0.1";
      if (written) openmetrics = std::max(openmetrics, choice.quality);
    } else if (choice.name == "text/plain" && (version.empty() || version == "0.0.4")) {
      text = std::max(text, choice.quality);
    }
  }
  return openmetrics > 0 && openmetrics >= text;
}

std::string gzipped(std::string_view text) {
  constexpr int kGzip = 15 + 16;  // the largest window, and the header of gzip
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> end(&stream, deflateEnd);
  std::string compressed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  deflate(&stream, Z_FINISH);  // ends at once: there is room for all
  compressed.resize(stream.total_out);
  return compressed;
}

}  // namespace auralis
