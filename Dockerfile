# Two stages: one compiles teleportd and teleport to programs that need no Deno; the other holds little more than them
# and a shell with its tools, since jobs are programs of this image. Build: docker build -t teleport .
FROM denoland/deno:2.9.6 AS build
WORKDIR /src
COPY deno.json deno.lock ./
# Fetches the locked packages in a layer of its own: it is rebuilt only when the lock file changes.
RUN deno install --frozen
COPY server.ts cli.ts certs.ts mod.ts ./
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

# glibc, as Deno's programs want; a shell and the usual tools for the jobs.
FROM debian:bookworm-slim
# teleportd is not PID 1: what a job leaves behind is handed to PID 1, which must reap it, and tini does nothing else.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
# The numbers are fixed so that the owner of a volume's files is the same user in every build.
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
# Certificates and keys; jobs, their records and their output.
VOLUME ["/etc/teleport", "/var/lib/teleport"]
EXPOSE 50051
# An answered call proves that the server accepts, verifies and serves. It is made with the admin's certificate of the
# volume; where there is none, set TELEPORT_IDENTITY to a client whose certificate is there (a viewer will do).
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 \
  CMD ["teleport", "list", "--quiet", "--limit", "1"]
# tini sends SIGTERM on to teleportd, which drains and exits 0. Docker kills a container 10 seconds after that, so jobs get
# less than the 10 seconds of their own grace. Raise both together: --shutdown-grace 60s with "docker stop -t 70".
STOPSIGNAL SIGTERM
# The options stand in the entry point, so that options of "docker run" add to them. A repeated option replaces its
# default: without 0.0.0.0 no port could be published.
ENTRYPOINT ["/usr/bin/tini", "--", "teleportd", "--listen", "0.0.0.0:50051", "--certs", "/etc/teleport", \
  "--data", "/var/lib/teleport", "--job-dir", "/tmp", "--shutdown-grace", "5s"]
CMD []
