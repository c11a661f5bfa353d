# A static binary and nothing else. Build: docker build -t cedargate .
FROM rust:1.95-alpine AS build
RUN apk add --no-cache ca-certificates gcc musl-dev make
WORKDIR /src
COPY . .
# SQLite makes a commit durable with fdatasync(2) and leaves times of files alone, as Debian's does; and counts no memory.
ENV LIBSQLITE3_FLAGS="-DHAVE_FDATASYNC=1 -DSQLITE_DEFAULT_MEMSTATUS=0"
# Alpine's own target is musl, and its binaries are static.
RUN cargo build --profile dist --locked --no-default-features \
    && mkdir -p /out/data \
    && cp target/dist/cedargate /out/cedargate

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/cedargate /cedargate
# 65532 is nobody in particular. The volume must be writable by it.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
# Settings name `data/…` relative to the working directory, so that everything lasting lands in the volume.
WORKDIR /
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/cedargate", "healthcheck"]
ENTRYPOINT ["/cedargate"]
CMD ["serve"]
