# The images of docker-compose.yml. Nobody has built them yet: they were written where no container engine is at hand.
#   docker build -t parse3d .                        the server, and workers on the CPU
#   docker build -t parse3d-gpu --target gpu .       workers with an NVIDIA GPU
#   docker build -t parse3d-viewer --target viewer . OHIF with the panel
# The images have Node 24 already: the packages that bring it are left out.

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# onnxruntime-node's CPU build is inside its package; its own installer would download GPU libraries.
ENV ONNXRUNTIME_NODE_INSTALL=skip
RUN npm ci --omit=dev --omit=optional && npm cache clean --force

# The one step that takes something from elsewhere than npm: onnxruntime's CUDA libraries.
FROM packages AS gpu-packages
RUN ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node --ignore-scripts=false

FROM node:24-bookworm-slim AS viewer-files
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
ENV ONNXRUNTIME_NODE_INSTALL=skip
RUN npm ci --include=dev --omit=optional && npm cache clean --force
COPY . .
RUN node bin/write-viewer.ts /viewer

FROM nginxinc/nginx-unprivileged:1.29-alpine AS viewer
COPY --from=viewer-files /viewer /usr/share/nginx/html
COPY deploy/viewer/default.conf.template /etc/nginx/templates/
COPY deploy/viewer/proxy.conf /etc/nginx/parse3d-proxy.conf
COPY deploy/viewer/15-authorization.envsh /docker-entrypoint.d/
# An .envsh that is not executable is left out.
USER root
RUN chmod 755 /docker-entrypoint.d/15-authorization.envsh
USER 101
# Only these are filled in: nginx has variables of its own with names like theirs.
ENV NGINX_ENTRYPOINT_LOCAL_RESOLVERS=1 \
    NGINX_ENVSUBST_FILTER="^(VIEWER_|PARSE3D_TOKEN|NGINX_LOCAL_)" \
    VIEWER_LISTEN=8080 \
    VIEWER_NAMES="localhost 127.0.0.1" \
    VIEWER_FILES=/usr/share/nginx/html \
    VIEWER_PROXY=/etc/nginx/parse3d-proxy.conf
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"]

FROM nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04 AS gpu
WORKDIR /app
COPY --from=packages /usr/local/bin/node /usr/local/bin/node
COPY --from=gpu-packages /app ./
COPY . .
# As in node's own images, so that a volume can be shared with the server's.
RUN userdel --remove ubuntu && useradd --uid 1000 --user-group --no-create-home node && mkdir /data && chown node:node /data
VOLUME /data
USER node
# The second and third as bin/parse3d has them: what a server has let go of goes back to the system.
ENV NODE_ENV=production \
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=393216 \
    NODE_OPTIONS=--max-semi-space-size=4 \
    PARSE3D_HOST=0.0.0.0 \
    PARSE3D_DATA_DIR=/data \
    PARSE3D_EXECUTION_PROVIDER=cuda
CMD ["node", "server/cli/main.ts", "worker"]

# What `docker build .` makes, for it is the last.
FROM packages AS server
COPY . .
# Models, the cache and kept probabilities; everything else may be read-only.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
# The second and third as bin/parse3d has them: what a server has let go of goes back to the system.
ENV NODE_ENV=production \
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=393216 \
    NODE_OPTIONS=--max-semi-space-size=4 \
    PARSE3D_HOST=0.0.0.0 \
    PARSE3D_PORT=8117 \
    PARSE3D_DATA_DIR=/data
EXPOSE 8117
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8117/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server/cli/main.ts", "serve"]
