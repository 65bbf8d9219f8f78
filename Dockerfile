# The image of Onsale: one program, no shell, no package manager.
#
#   docker build --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" --tag onsale:0.1.0 .
#
# Where the digests come from, and how to move them: infra/IMAGES.md. The Rust here is the one of rust-toolchain.toml
# (server/tests/deployment.rs holds them together).

FROM rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS chef
# The toolchain file also asks for clippy and rustfmt, which nobody needs here: the image's own toolchain is used as it is.
ENV RUSTUP_TOOLCHAIN=1.95.0 CARGO_INCREMENTAL=0
# Dependencies are a layer of their own, which changes with the manifests alone. cargo-chef and not a cache mount: a layer
# goes along with a registry's build cache, so that a fresh builder has it too.
RUN cargo install cargo-chef --version 0.1.78 --locked
WORKDIR /build

FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS builder
# The queries are checked against the checked-in .sqlx: a build needs no database.
ENV SQLX_OFFLINE=true
COPY --from=planner /build/recipe.json recipe.json
RUN cargo chef cook --release --locked --package onsale-server --features s3,otlp --recipe-path recipe.json
COPY . .
# After the dependencies, so that another revision does not build them again.
ARG REVISION=unknown
ENV ONSALE_REVISION=$REVISION
# What the running program may write to is made here, because the last stage has no shell to make it with.
RUN cargo build --release --locked --package onsale-server --features s3,otlp \
    && install -D --mode=0755 target/release/onsale /out/onsale \
    && install --directory --mode=0700 /out/data/onsale

# glibc, libgcc and the certificates that SMTP, S3 and payment providers are checked against. Debian 12, as the builder.
FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Onsale" \
      org.opencontainers.image.description="Sells event tickets at the moment everybody wants them" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION
COPY --from=builder /out/onsale /usr/local/bin/onsale
COPY --from=builder --chown=10001:10001 /out/data/ /var/lib/
# Both ports on every address: who reaches the internal one is decided by what publishes it. The root may be read-only: only
# /var/lib/onsale (a local journal, or files without a bucket) and /tmp are written to, and neither with the postgres
# journal and a bucket.
ENV ONSALE_LISTEN=0.0.0.0:8080 \
    ONSALE_INTERNAL_LISTEN=0.0.0.0:9464 \
    ONSALE_LOG_FORMAT=json \
    ONSALE_JOURNAL_DIRECTORY=/var/lib/onsale/journal \
    ONSALE_FILES_FOLDER=/var/lib/onsale/files
WORKDIR /var/lib/onsale
USER 10001:10001
EXPOSE 8080 9464
# Ready, not only alive: what waits for `service_healthy` waits for a server that sells.
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["onsale", "healthcheck"]
ENTRYPOINT ["onsale"]
CMD ["serve"]
