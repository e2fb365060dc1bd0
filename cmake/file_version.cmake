# SPDX-License-Identifier: MIT
# version_of(<file> <out>): what names the file's bytes, in the address by which a browser keeps it and in WebFile::version.
function(version_of file out)
  file(SHA256 ${file} hash)
  string(SUBSTRING ${hash} 0 16 version)
  set(${out} ${version} PARENT_SCOPE)
endfunction()
