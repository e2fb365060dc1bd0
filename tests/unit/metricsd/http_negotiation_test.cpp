// SPDX-License-Identifier: MIT
#include "metricsd/http_negotiation.h"

#include <zlib.h>

#include <doctest/doctest.h>

#include <string>

namespace auralis::http_negotiation_test {
namespace {

std::string decompressed(const std::string& compressed, std::size_t most) {
  std::string text(most, '\0');
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  CHECK(stream.avail_in == 0);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

}  // namespace

TEST_CASE("prefers_openmetrics: where the client names it and plain text is no better") {
  for (const char* yes :
       {"application/openmetrics-text", "Application/OpenMetrics-Text; version=1.0.0; charset=utf-8",
        // Prometheus 2.42 and 2.50.
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=1.0.0;q=0.9",
        "text/plain;q=0.5, application/openmetrics-text;q=0.5"}) {
    CHECK_MESSAGE(prefers_openmetrics(yes), yes);
  }
  for (const char* no : {"", "*/*", "text/plain", "application/*", "text/html, */*;q=0.8",
                         "text/plain;version=0.0.4;q=0.9, application/openmetrics-text;version=1.0.0;q=0.8",
                         "application/openmetrics-text;q=0", "application/openmetrics-text;version=2.0.0",
                         "application/openmetrics-text;q=x"}) {
    CHECK_FALSE_MESSAGE(prefers_openmetrics(no), no);
  }
}

TEST_CASE("gzipped: is the same text, smaller where it repeats itself") {
  std::string text;
  for (int line = 0; line < 2'000; ++line)
    text += "auralis_chunks_total{n=\"" + std::to_string(line) + "\"} 1\n";
  const std::string compressed = gzipped(text);
  CHECK(compressed.size() < text.size() / 4);
  CHECK(decompressed(compressed, text.size() + 1) == text);
  CHECK(decompressed(gzipped(""), 1).empty());
}

}  // namespace auralis::http_negotiation_test
