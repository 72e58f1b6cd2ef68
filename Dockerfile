# The Parse3D server. The image has Node 24 already: the packages that bring it are left out, and so are the tools.
FROM node:24-bookworm-slim

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# onnxruntime-node's CPU build is inside its package; its own installer would download GPU libraries.
ENV ONNXRUNTIME_NODE_INSTALL=skip
RUN npm ci --omit=dev --omit=optional && npm cache clean --force

COPY . .

# Models are kept here; everything else may be read-only.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node

ENV NODE_ENV=production \
    PARSE3D_HOST=0.0.0.0 \
    PARSE3D_PORT=8117 \
    PARSE3D_DATA_DIR=/data
EXPOSE 8117
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8117/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

CMD ["node", "server/cli/main.ts", "serve"]
