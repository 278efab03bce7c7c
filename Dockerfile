# One image holds all programs of smsq (target "programs"), another brings a database to the
# newest migration (target "migrate"). docker-compose.yml runs both.
#
#     docker build --target programs -t smsq .
#     docker build --target migrate -t smsq-migrate .
#
# For builds that can be repeated, name the base by its digest: --build-arg DEBIAN=debian@sha256:…
ARG DEBIAN=debian:12-slim

FROM ${DEBIAN} AS build
COPY deploy/packages /src/deploy/packages
COPY deploy/docker/install.sh /src/deploy/docker/
RUN /src/deploy/docker/install.sh build
COPY CMakeLists.txt CMakePresets.json LICENSE /src/
COPY cli /src/cli
COPY common /src/common
COPY deploy /src/deploy
COPY docs /src/docs
COPY migrations /src/migrations
COPY producer /src/producer
COPY simulator /src/simulator
COPY webhook-receiver /src/webhook-receiver
COPY worker /src/worker
WORKDIR /src
RUN cmake --preset release -DSMSQ_TESTS=OFF \
    && cmake --build --preset release \
    && DESTDIR=/out cmake --install build/release --prefix /usr --strip

FROM ${DEBIAN} AS runtime
COPY deploy/packages /tmp/smsq/deploy/packages
COPY deploy/docker/install.sh /tmp/smsq/deploy/docker/
# 10001: no user of the host; files in volumes and Kubernetes' runAsNonRoot need the number.
RUN /tmp/smsq/deploy/docker/install.sh run \
    && rm -r /tmp/smsq \
    && groupadd --system --gid 10001 smsq \
    && useradd --system --uid 10001 --gid smsq --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin smsq \
    && install -d -o smsq -g smsq -m 0700 /run/smsq /var/lib/smsq

FROM runtime AS migrate
COPY deploy/packages /tmp/smsq/deploy/packages
COPY deploy/docker/install.sh /tmp/smsq/deploy/docker/
RUN /tmp/smsq/deploy/docker/install.sh migrate \
    && rm -r /tmp/smsq \
    && install -d -o smsq -g smsq /run/postgres
COPY --from=build /out/usr /usr
COPY deploy/docker/secrets.sh deploy/docker/migrate.sh deploy/docker/hello.sh /usr/lib/smsq/
USER 10001:10001
WORKDIR /usr/share/smsq/migrations
CMD ["/usr/lib/smsq/migrate.sh"]

# The last one is what a plain "docker build" makes.
FROM runtime AS programs
COPY --from=build /out/usr /usr
RUN ! ldd /usr/bin/smsq* | grep 'not found'
USER 10001:10001
CMD ["smsq", "--help"]
