# All of ctibus in one image; docs/containers.md. Builds with the classic builder and with BuildKit.
# The packages of both stages are those of packages.txt.

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY packages.txt ./
COPY scripts/packages scripts/
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(scripts/packages build) \
    && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt ./
COPY common common
COPY services services
COPY tools tools
RUN cmake -G Ninja -B /build -D CMAKE_BUILD_TYPE=Release -D BUILD_TESTING=OFF -D CMAKE_INSTALL_PREFIX=/usr/local \
    && cmake --build /build -- --quiet \
    && DESTDIR=/out cmake --install /build --strip

FROM debian:bookworm-slim AS runtime
COPY packages.txt /tmp/ctibus/
COPY scripts/packages /tmp/ctibus/scripts/
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(/tmp/ctibus/scripts/packages runtime) \
    && rm -rf /var/lib/apt/lists/* /tmp/ctibus \
    && groupadd --gid 10001 ctibus \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/ctibus --shell /usr/sbin/nologin ctibus \
    && install -d -o 10001 -g 10001 /var/lib/ctibus
COPY --from=build /out/usr/local /usr/local
COPY config /etc/ctibus
# what ctibus-asterisk-sim plays in docker-compose.yml
COPY tests/data/ami/20/01-login-listing.* tests/data/ami/20/02-call-answered.* /usr/local/share/ctibus/captures/20/
COPY tests/data/ami/1.8/01-login-listing.* tests/data/ami/1.8/02-call-answered.* /usr/local/share/ctibus/captures/1.8/
COPY LICENSE /usr/local/share/doc/ctibus/
ENV CTIBUS_CONFIG=/etc/ctibus/ctibus.json
USER 10001:10001
WORKDIR /var/lib/ctibus
CMD ["ctibus-state"]
