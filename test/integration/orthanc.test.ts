import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openDicomweb } from "#server/dicomweb/index.ts";
import { freePort, OrthancNotInstalledError, OrthancStartError, startOrthanc } from "#server/orthanc/index.ts";
import { findOrthanc } from "../../server/orthanc/find-orthanc.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";

const folders: string[] = [];
const newFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), "parse3d-orthanc-"));
  folders.push(folder);
  return folder;
};
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const { signal } = new AbortController();
const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("it answers when it is started, is gone when it is disposed of, and keeps what it stored", async () => {
  const storageFolder = await newFolder();
  const ct = syntheticCt(2, 16);
  let pid = 0;
  {
    await using orthanc = await startOrthanc({ storageFolder });
    pid = orthanc.pid;
    expect(isRunning(pid)).toBe(true);
    using dicomweb = openDicomweb({ url: orthanc.dicomwebUrl });
    for (const instance of ct.instances()) await dicomweb.sink.store(instance, { signal });
  }
  expect(isRunning(pid)).toBe(false);

  await using again = await startOrthanc({ storageFolder });
  using dicomweb = openDicomweb({ url: again.dicomwebUrl });
  expect(await dicomweb.source.describe(ct.series, { signal })).toEqual({ modality: "CT", instanceCount: 2 });
});

test("a folder that another Orthanc still holds is refused with its process, which is left alone", async () => {
  const storageFolder = await newFolder();
  await using holder = await startOrthanc({ storageFolder });
  await expect(startOrthanc({ storageFolder })).rejects.toThrow(`kill ${holder.pid}`);
  expect(isRunning(holder.pid)).toBe(true);
});

test("several run side by side", async () => {
  await using one = await startOrthanc({ storageFolder: await newFolder() });
  await using two = await startOrthanc({ storageFolder: await newFolder() });
  expect(one.baseUrl).not.toBe(two.baseUrl);
  await one[Symbol.asyncDispose]();
  expect((await fetch(`${two.baseUrl}/system`)).ok).toBe(true);
});

test("it speaks the DICOM protocol only where it is told to", async () => {
  await using without = await startOrthanc({ storageFolder: await newFolder() });
  const port = await freePort();
  await using speaking = await startOrthanc({ storageFolder: await newFolder(), dicomPort: port });
  const echo = (url: string) =>
    fetch(`${url}/tools/dicom-echo`, {
      method: "POST",
      body: JSON.stringify({ AET: "ORTHANC", Host: "127.0.0.1", Port: port, Timeout: 2 }),
    });
  expect((await echo(without.baseUrl)).status).toBe(200);
  await speaking[Symbol.asyncDispose]();
  expect((await echo(without.baseUrl)).status).not.toBe(200);
});

test("a port that is taken ends in the reason from its log", async () => {
  await using taken = await listening();
  const starting = startOrthanc({ storageFolder: await newFolder(), httpPort: taken.port });
  await expect(starting).rejects.toBeInstanceOf(OrthancStartError);
  await expect(starting).rejects.toThrow(/ended by itself[\s\S]*port/i);
});

test("an abort while it starts leaves nothing running", async () => {
  const storageFolder = await newFolder();
  const stop = new AbortController();
  const starting = startOrthanc({ storageFolder, signal: stop.signal });
  setTimeout(() => stop.abort(new Error("stopped by the test")), 20);
  await expect(starting).rejects.toThrow("stopped by the test");
  await using again = await startOrthanc({ storageFolder });
  expect(isRunning(again.pid)).toBe(true);
});

test.each([
  ["Orthanc is not installed", () => false],
  ["Orthanc's DICOMweb plugin is not installed", (path: string) => !path.endsWith(".so")],
])("%s: it says what to install", (says, exists) => {
  expect(() => findOrthanc(exists)).toThrow(OrthancNotInstalledError);
  expect(() => findOrthanc(exists)).toThrow(says);
  expect(() => findOrthanc(exists)).toThrow("apt-get install orthanc orthanc-dicomweb");
});

async function listening(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer().listen(0);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
