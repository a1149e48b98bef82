# The first stage compiles teleportd and teleport to programs that need no Deno. The second has these programs, and a shell
# with the usual tools, because jobs are programs of this image. Build: docker build -t teleport .
FROM denoland/deno:2.9.6 AS build
WORKDIR /src
COPY deno.json deno.lock ./
# This layer has the locked packages. It is rebuilt only when deno.json or the lock file changes.
RUN deno install --frozen
COPY server.ts cli.ts certs.ts mod.ts job_host.ts ./
COPY certs ./certs
COPY cli ./cli
COPY proto ./proto
COPY rpc ./rpc
COPY service ./service
COPY teleportd ./teleportd
COPY trust ./trust
COPY text ./text
COPY units ./units
COPY base ./base
COPY worker ./worker
RUN deno task compile

# Deno's programs need glibc. Jobs need a shell and the usual tools.
FROM debian:bookworm-slim
# The kernel gives orphans of jobs to PID 1, which must reap them. So PID 1 is tini, and not teleportd.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
# The numbers are fixed, so the files of a volume have the same owner in every build.
RUN groupadd --gid 50051 teleport \
  && useradd --uid 50051 --gid teleport --no-create-home --home-dir /var/lib/teleport --shell /usr/sbin/nologin teleport \
  && install -d -o teleport -g teleport -m 0700 /var/lib/teleport /etc/teleport
COPY --from=build /src/dist/teleportd /src/dist/teleport /usr/local/bin/
LABEL org.opencontainers.image.title="teleport" \
  org.opencontainers.image.description="Runs processes on a remote machine and streams their output" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
USER teleport
WORKDIR /var/lib/teleport
ENV TELEPORT_CERTS=/etc/teleport \
  TELEPORT_ADDRESS=127.0.0.1:50051 \
  HOME=/var/lib/teleport
# The first volume has certificates and keys. The second has jobs, their output and the audit log.
VOLUME ["/etc/teleport", "/var/lib/teleport"]
EXPOSE 50051
# An answered call proves that the server accepts, verifies and serves. The call needs admin.crt and admin.key in the
# volume. If they are not there, set TELEPORT_IDENTITY to a user whose files are there, such as a viewer.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 \
  CMD ["teleport", "list", "--quiet", "--limit", "1"]
# The jobs end with the container. Tini forwards SIGTERM to teleportd, which stops them in order and exits with 0. Docker
# kills a container 10 seconds later, so jobs get less than their own grace period. Raise both together: --shutdown-grace 60s
# with "docker stop -t 70".
STOPSIGNAL SIGTERM
# The entry point has the options, so options of "docker run" add to them. A repeated option replaces the one here. Docker
# can publish a port only if the server listens on 0.0.0.0.
ENTRYPOINT ["/usr/bin/tini", "--", "teleportd", "--listen", "0.0.0.0:50051", "--certs", "/etc/teleport", \
  "--data", "/var/lib/teleport", "--job-dir", "/tmp", "--stop-jobs", "--shutdown-grace", "5s"]
CMD []
