// SPDX-License-Identifier: MIT
// A text as a QR code: a script of its own, which is loaded only when the first one is to be shown.
/*! qrcode-generator, copyright (c) 2009 Kazuhiko Arase, MIT license */
import qrcode from "qrcode-generator";

const MARGIN = 4;                      // modules of light around it, as ISO/IEC 18004 asks for
const SMALLEST = 0;                    // version: the smallest that holds the text

// Returns the side in modules, with the margin, and the dark modules as the data of an SVG path; a text over 2953 bytes throws.
export function qr_code(text) {
  const code = qrcode(SMALLEST, "L");
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  let path = "";
  for (let row = 0; row < count; ++row) {
    for (let column = 0; column < count; ++column) {
      if (code.isDark(row, column)) path += `M${column + MARGIN} ${row + MARGIN}h1v1h-1z`;
    }
  }
  return { side: count + 2 * MARGIN, path };
}
