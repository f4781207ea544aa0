# One image with all of ctibus, and one with the balancer; see docs/containers.md. Builds with the classic
# builder and with BuildKit. The packages of all stages are listed in packages.txt.

FROM debian:bookworm-slim AS lb
COPY packages.txt /tmp/ctibus/
COPY scripts/packages /tmp/ctibus/scripts/
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(/tmp/ctibus/scripts/packages balancer) \
    && rm -rf /var/lib/apt/lists/* /tmp/ctibus
COPY deploy/containers/haproxy.cfg /etc/haproxy/haproxy.cfg
RUN haproxy -c -q -f /etc/haproxy/haproxy.cfg
USER haproxy:haproxy
CMD ["haproxy", "-db", "-f", "/etc/haproxy/haproxy.cfg"]

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
COPY web web
COPY config/ctibus.json config/
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
    && for at in /var/lib/ctibus /run/ctibus/keys /run/ctibus/tls /keys /keys/state /keys/ami-gw /keys/fagi-gw /keys/cti-gw /keys/http-gw /keys/federation \
        /keys/monitor /keys/tls; do install -d -m 0700 -o 10001 -g 10001 "$at"; done
COPY --from=build /out/usr/local /usr/local
COPY deploy/containers/make-keys /usr/local/bin/ctibus-make-keys
COPY config /etc/ctibus
# recordings for ctibus-asterisk-sim --capture, which the tests of the containers use
COPY tests/data/ami/20/01-login-listing.* tests/data/ami/20/02-call-answered.* /usr/local/share/ctibus/captures/20/
COPY tests/data/ami/1.8/01-login-listing.* tests/data/ami/1.8/02-call-answered.* /usr/local/share/ctibus/captures/1.8/
COPY LICENSE /usr/local/share/doc/ctibus/
ENV CTIBUS_CONFIG=/etc/ctibus/ctibus.json
USER 10001:10001
WORKDIR /var/lib/ctibus
CMD ["ctibus-state"]
