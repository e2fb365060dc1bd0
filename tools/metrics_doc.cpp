// SPDX-License-Identifier: MIT
// Prints docs/metrics.md.
#include <iostream>

#include "tools/metrics_page.h"

int main() {
  std::cout << auralis::metrics_page() << std::flush;
  return std::cout ? 0 : 1;
}
