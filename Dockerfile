# The program, its views and its rules on Node 24, for an unprivileged user and a read-only root file system.
# What it writes goes to /data (SQLite only) and /var/cache/citygate (compiled code, may be lost).

# The full image has the compiler that sqlite3 needs; both stages are the same Debian, so what is built here runs there.
FROM node:24-bookworm AS build
WORKDIR /app
# sqlite3 is compiled here, with the headers of the image's own Node: nothing is downloaded but packages.
ENV npm_config_build_from_source=true \
    npm_config_nodedir=/usr/local
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-bookworm-slim
# NODE_OPTIONS: a small young generation takes the long pauses off short requests, and memory with them.
# HOST: the default of production, every address, wants IPv6, which a container may be without.
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=8 \
    NODE_COMPILE_CACHE=/var/cache/citygate \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/data
RUN install --directory --owner=node --group=node --mode=0700 /data /var/cache/citygate
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY package.json LICENSE ./
COPY views views
COPY config config
COPY bin bin
COPY src src
# `node`, by number: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
VOLUME ["/data", "/var/cache/citygate"]
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/citygate.js"]
CMD ["serve"]
