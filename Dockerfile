# SPDX-License-Identifier: MIT
# One image with all three daemons; docker-compose.yml runs each in a container of its own.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
COPY scripts/bootstrap scripts/bootstrap
RUN scripts/bootstrap
COPY . .
# Shown by auralis_build_info: the image's sources are no git clone.
ARG COMMIT=unknown
RUN cmake --preset release -DBUILD_TESTING=OFF -DBUILD_COMMIT="$COMMIT" \
    && cmake --build --preset release \
    && DESTDIR=/stage cmake --install build/release --prefix /usr --strip
# The packages of the linked libraries: their names differ between Debian releases.
RUN ldd /stage/usr/bin/* | awk '$2 == "=>" && $3 ~ "^/" { print $3 }' | sort -u | xargs realpath \
    | awk -F/ '{ print "*/" $(NF - 1) "/" $NF }' | xargs dpkg-query -S | cut -d: -f1 | sort -u > /runtime-packages

FROM ${BASE}
COPY --from=build /runtime-packages /usr/share/auralis/runtime-packages
# OpenCL drivers: none, since NVIDIA's comes with its container runtime, and the native engine needs none.
ARG OPENCL_DRIVERS=
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
       $(cat /usr/share/auralis/runtime-packages) ca-certificates ${OPENCL_DRIVERS} \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*
# NVIDIA's container runtime provides its OpenCL library, but not the file that the OpenCL loader finds it by.
RUN mkdir -p /etc/OpenCL/vendors && echo libnvidia-opencl.so.1 > /etc/OpenCL/vendors/nvidia.icd
# Fixed ids, also used in docker-compose.yml for the owner of the shared memory.
RUN groupadd --system --gid 10001 auralis \
    && useradd --system --uid 10001 --gid auralis --home-dir /nonexistent --no-create-home \
       --shell /usr/sbin/nologin auralis \
    && install -d -o auralis -g auralis -m 0750 /run/auralis /var/cache/auralis
COPY --from=build /stage/ /
ENV AURALIS_RUNTIME_DIR=/run/auralis \
    POCL_CACHE_DIR=/var/cache/auralis/pocl \
    CUDA_CACHE_PATH=/var/cache/auralis/cuda \
    XDG_CACHE_HOME=/var/cache/auralis
ARG COMMIT=unknown
ARG VERSION=unknown
LABEL org.opencontainers.image.title="Auralis" \
      org.opencontainers.image.description="Endless ambient music: synthd, streamd, metricsd and their tools" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
USER auralis
CMD ["synthd"]
