import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDicomweb } from "#server/dicomweb/index.ts";
import { collect } from "../fixtures/collect.ts";
import { startFaultyPacs } from "../fixtures/faulty-pacs.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";

const folder = mkdtempSync(join(tmpdir(), "parse3d-tls-"));
const trustedBefore = getCACertificates();
const ct = syntheticCt(6, 256);
const files = [...ct.instances()];
const { signal } = new AbortController();
let tls = { key: "", cert: "" };

beforeAll(() => {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, ...subject], {
    stdio: "ignore",
  });
  tls = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
});
afterAll(() => {
  setDefaultCACertificates(trustedBefore);
  rmSync(folder, { recursive: true });
});

test("an archive whose certificate nobody vouches for is refused, with what to do", async () => {
  await using pacs = await startFaultyPacs(files, {}, tls);
  using dicomweb = openDicomweb({ url: pacs.url });
  for (const asking of [
    dicomweb.source.describe(ct.series, { signal }),
    collect(dicomweb.source.instances(ct.series, { signal })),
  ]) {
    await expect(asking).rejects.toMatchObject({
      code: "pacs-unavailable",
      retryable: false,
      message: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
    });
  }
  expect(pacs.requests).toEqual([]);
});

test("a series comes over TLS byte for byte", async () => {
  setDefaultCACertificates([...trustedBefore, tls.cert]);
  await using pacs = await startFaultyPacs(files, {}, tls);
  using dicomweb = openDicomweb({ url: pacs.url });
  const came = await collect(dicomweb.source.instances(ct.series, { signal }));
  expect(came.map((bytes, n) => Buffer.compare(bytes, files[n] ?? Buffer.alloc(0)))).toEqual(files.map(() => 0));
  expect(pacs.requests).toEqual(["GET series", "GET series?"]);
});
