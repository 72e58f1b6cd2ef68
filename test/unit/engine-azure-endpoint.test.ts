import { expect, test } from "vitest";
import { writeNifti } from "#converters/nifti/index.ts";
import type { AzureMlManifest } from "#models/index.ts";
import { type Endpoint, openEndpoint } from "../../server/engines/azure-ml/endpoint.ts";
import { encodeImage } from "../../server/engines/azure-ml/request-body.ts";
import type { RemoteKey } from "../../server/engines/remote/remote-key.ts";
import { KEY, startAzureEndpoint, type Trouble, wrap } from "../fixtures/azure-endpoint.ts";
import { startHttpFixture } from "../fixtures/http-fixture.ts";
import { twoLamps } from "../fixtures/two-lamps.ts";

const size = [4, 3, 2] as const;
const geometry = { ...twoLamps().geometry, size };
const image = await encodeImage(new Uint8Array(24).fill(200), geometry);

function openAt(
  url: string,
  changes: Partial<AzureMlManifest["endpoint"]> = {},
  key: RemoteKey = { kind: "value", value: KEY },
): Endpoint {
  const endpoint = { url: `${url}/score`, timeoutSeconds: 10, attempts: 3, maxRequestBytes: 1e6, ...changes };
  return openEndpoint(endpoint, key, { firstDelayMs: 1, maxDelayMs: 1000 });
}

/** The endpoint in trouble, asked for these prompts. */
async function inTrouble(
  trouble: Trouble,
  changes: Partial<AzureMlManifest["endpoint"]> = {},
  prompts: readonly string[] = ["bright"],
) {
  const server = await startAzureEndpoint("labels", trouble);
  return {
    ...server,
    answer: openAt(server.url, changes)(image, size, prompts).catch((error: unknown) => error),
  };
}

const answered = { form: "labels", labels: new Int16Array(24).fill(1) };

test("a key that is refused, or is not there, is named with its settings and not sent again", async () => {
  await using server = await startAzureEndpoint("labels");
  for (const key of [{ kind: "none" }, { kind: "value", value: "another" }] as const) {
    const refused = openAt(server.url, {}, key)(image, size, ["bright"]);
    await expect(refused).rejects.toMatchObject({ fault: "unauthorized", status: 401, retryable: false });
    await expect(refused).rejects.toThrow(/PARSE3D_AZURE_ML_KEY/);
  }
  expect(server.requests).toHaveLength(2);
});

test("a model that failed (424) is not asked again, and the server's words are not repeated", async () => {
  await using server = await inTrouble((_, response) => {
    response.writeHead(424).end("an error with a patient's name");
  });
  expect(await server.answer).toMatchObject({
    fault: "model-failed",
    status: 424,
    retryable: true,
    message: expect.not.stringMatching(/patient/),
  });
  expect(server.requests).toHaveLength(1);
});

test("a busy endpoint (429) is asked again after Retry-After, for the same", async () => {
  await using server = await inTrouble((n, response, answer) => {
    if (n === 1) response.writeHead(429, { "Retry-After": "0" }).end();
    else response.end(answer());
  });
  expect(await server.answer).toEqual(answered);
  expect(server.requests).toHaveLength(2);
  expect(server.requests[1]!.body.equals(server.requests[0]!.body)).toBe(true);
});

test("one that wants to be left alone for longer than anybody waits is asked once", async () => {
  await using server = await inTrouble((_, response) => {
    response.writeHead(429, { "Retry-After": "86400" }).end();
  });
  expect(await server.answer).toMatchObject({ fault: "busy", status: 429, retryable: true });
  expect(server.requests).toHaveLength(1);
});

test.each([429, 500, 502, 503, 504])(
  "one that stays in trouble (%i) is given up after the manifest's attempts",
  async (status) => {
    await using server = await inTrouble((_, response) => {
      response.writeHead(status).end();
    });
    expect(await server.answer).toMatchObject({ status, retryable: true });
    expect(server.requests).toHaveLength(3);
  },
);

test("a connection that broke is made again", async () => {
  await using server = await inTrouble((n, response, answer) => {
    if (n === 1) response.destroy();
    else response.end(answer());
  });
  expect(await server.answer).toEqual(answered);
});

test("one that is slow is given up, and so is one that is not there", async () => {
  await using server = await inTrouble(() => {}, { timeoutSeconds: 0.2, attempts: 1 });
  expect(await server.answer).toMatchObject({ fault: "timeout", retryable: true });
  await server.abandoned;
  const nobody = openAt("http://127.0.0.1:9", { attempts: 2 })(image, size, ["bright"]);
  await expect(nobody).rejects.toMatchObject({ fault: "unreachable", retryable: true });
});

test("a redirection is not followed: key and image go to the configured address alone", async () => {
  await using elsewhere = await startHttpFixture((_, response) => {
    response.end("[]");
  });
  await using server = await inTrouble((_, response) => {
    response.writeHead(307, { Location: `${elsewhere.url}/score` }).end();
  });
  expect(await server.answer).toMatchObject({ fault: "wrong-protocol", status: 307 });
  expect(elsewhere.requests).toEqual([]);
});

test("a request that is larger than allowed is not sent", async () => {
  await using server = await inTrouble(() => {}, { maxRequestBytes: 1000 });
  const large = await encodeImage(
    Uint8Array.from({ length: 24_000 }, () => Math.random() * 256),
    { ...geometry, size: [40, 30, 20] },
  );
  const refused = openAt(server.url, { maxRequestBytes: 1000 })(large, [40, 30, 20], ["bright"]);
  await expect(refused).rejects.toMatchObject({ fault: "too-large", retryable: false });
  expect(server.requests.filter(({ body }) => body.length > 1000)).toEqual([]);
});

const file = (of: readonly [number, number, number], volumes = 1, value = 0) =>
  writeNifti(
    { geometry: { ...geometry, size: of }, voxels: new Float32Array(of[0] * of[1] * of[2] * volumes).fill(value) },
    { volumes, gzip: true },
  );
const half = (text: string) => text.slice(0, text.length / 2);

test.each<readonly [string, string, string, Trouble]>([
  [
    "breaks off its connection",
    "cut-off",
    "bright",
    (_, response, answer) => {
      response.writeHead(200, { "Content-Length": "100000" });
      response.write(half(answer()), () => response.destroy());
    },
  ],
  [
    "ends in the middle of its JSON",
    "wrong-protocol",
    "bright",
    (_, response, answer) => {
      response.end(half(answer()));
    },
  ],
  [
    "ends in the middle of its gzip",
    "cut-off",
    "bright",
    (_, response) => {
      response.end(wrap(file(size).subarray(0, 60)));
    },
  ],
  [
    "ends in the middle of its voxels",
    "cut-off",
    "bright",
    (_, response) => {
      response.end(wrap(writeNifti({ geometry, voxels: new Uint8Array(24) }).subarray(0, 360)));
    },
  ],
  [
    "answers with a page",
    "wrong-protocol",
    "bright",
    (_, response) => {
      response.end("<html>sign in</html>");
    },
  ],
  [
    "answers for ever",
    "too-large",
    "bright",
    (_, response) => {
      response.end(Buffer.alloc(2_000_000, 32));
    },
  ],
  [
    "answers with another file",
    "wrong-shape",
    "bright",
    (_, response) => {
      response.end(wrap(Buffer.from("not an image at all")));
    },
  ],
  [
    "answers on another grid",
    "wrong-shape",
    "bright",
    (_, response) => {
      response.end(wrap(file([3, 4, 2])));
    },
  ],
  [
    "answers with more volumes than prompts",
    "wrong-shape",
    "bright",
    (_, response) => {
      response.end(wrap(file(size, 2)));
    },
  ],
  [
    "answers two prompts with three volumes",
    "wrong-shape",
    "bright,dark",
    (_, response) => {
      response.end(wrap(file(size, 3, 0.3)));
    },
  ],
  [
    "answers three prompts with two volumes",
    "wrong-shape",
    "bright,dark,dim",
    (_, response) => {
      response.end(wrap(file(size, 2, 0.3)));
    },
  ],
  [
    "answers two prompts with one volume of probabilities",
    "wrong-shape",
    "bright,dark",
    (_, response) => {
      response.end(wrap(file(size, 1, 0.7)));
    },
  ],
])("an endpoint that %s is named: %s", async (_, fault, prompts, trouble) => {
  await using server = await inTrouble(trouble, { attempts: 1 }, prompts.split(","));
  expect(await server.answer).toMatchObject({ fault });
});

test.each([
  ["integers up to the number of prompts are labels", 2, 1, "labels"],
  ["anything else is a probability of the one prompt", 1, 0.7, "probabilities"],
  ["so is an integer that no prompt has", 1, 2, "probabilities"],
] as const)("%s", async (_, prompts, value, form) => {
  await using server = await inTrouble(
    (_n, response) => {
      response.end(wrap(file(size, 1, value)));
    },
    {},
    ["bright", "dark"].slice(0, prompts),
  );
  expect(await server.answer).toMatchObject({ form });
});
