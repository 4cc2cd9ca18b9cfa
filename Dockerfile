# The double as an image of one static program. docs/recipes/docker-compose.md shows how to use it.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
# With --target, the flag is not for build scripts and macros, which cannot be static.
RUN target=$(rustc -vV | sed -n 's/^host: //p') \
    && RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --package mock-apns --target "$target" \
    && mkdir -p /image/apns \
    && cp "target/$target/release/mock-apns" /image/

FROM scratch
COPY --from=build --chown=65532:65532 /image/ /
USER 65532:65532
# Every address of the container; what is written goes to a folder that other containers can mount.
ENV MOCK_APNS_BIND=0.0.0.0 MOCK_APNS_OUT=/apns MOCK_APNS_READY_FILE=/apns/ready.json
VOLUME /apns
EXPOSE 2197 2198 5223
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s CMD ["/mock-apns", "ready"]
ENTRYPOINT ["/mock-apns"]
