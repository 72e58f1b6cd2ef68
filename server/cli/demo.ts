import { once } from "node:events";
import { join } from "node:path";
import type { Command } from "commander";
import { refuseTakenPort } from "#server/http/index.ts";
import { startViewer, type Viewer, ViewerUnavailableError } from "#viewer/index.ts";
import { type AppPorts, openPorts, startServer } from "../app.ts";
import { type Config, readConfig } from "../config.ts";
import { ask } from "../demo/ask.ts";
import { openDemoArchive } from "../demo/demo-archive.ts";
import { demoStudies } from "../demo/demo-studies.ts";
import { loadStudy } from "../demo/load-studies.ts";
import { prove } from "../demo/prove.ts";
import { type DemoQuestion, demoQuestions } from "../demo/questions.ts";
import { ensureSystemPackages, type Purpose } from "../demo/system-packages.ts";
import { writeOutput } from "../files.ts";
import { createLogger } from "../logger.ts";
import { type CommandContext, runCommand } from "./command.ts";

interface Options {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly weights?: string;
}

export function addDemoCommand(program: Command): void {
  program
    .command("demo")
    .summary("an archive with two head scans, the server, and where to go from there")
    .description(
      "Starts an Orthanc of its own (or takes the archive that PARSE3D_DICOMWEB_URL names), loads a CT and an MR of a head, and starts the server. Ctrl-C stops all that it started.",
    )
    .option("--once", "ask one prompt of each scan, check the stored results, and stop")
    .option(
      "--json",
      "with --once: one JSON document for each prompt on standard output (npm: npm run -s demo -- --once --json)",
    )
    .option("--weights <folder>", "brainchop's public/models folder: MeshNet is installed too")
    .action((options: Options) => runCommand(options.json === true, (context) => demo(options, context)));
}

async function demo(options: Options, context: CommandContext): Promise<void> {
  const { signal } = context;
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const configured = readConfig();
  const { isNamed: named } = configured.pacs;
  const { access, port: httpPort } = configured.http;
  if (!options.once) await refuseTakenPort(access.host, httpPort);
  const purposes: readonly Purpose[] = named ? ["demo-studies"] : ["archive", "demo-studies"];
  await ensureSystemPackages(purposes, { say, signal });

  say(named ? "Using the archive that PARSE3D_DICOMWEB_URL names." : "Starting Orthanc.");
  const token = access.kind === "tokens" ? access.tokens[0] : undefined;
  // One run answers by itself and ends; nobody adds a rule to it.
  const routes = !options.once && configured.database.kind !== "none" && httpPort !== 0;
  await using archive = await openDemoArchive(configured, {
    named,
    ...(routes && { tells: { url: `http://127.0.0.1:${httpPort}`, ...(token !== undefined && { token }) } }),
    signal,
  });
  const level = configured.log.level === "info" ? "warn" : configured.log.level;
  const config: Config = {
    ...configured,
    log: { level },
    pacs: { ...configured.pacs, url: archive.dicomwebUrl },
    ...(routes && archive.orthancUrl && { routing: demoRouting(archive.orthancUrl) }),
  };
  const logger = createLogger(config.log);
  await using ports = await openPorts(config, logger);

  const studies = await demoStudies();
  for (const study of studies) {
    say(`Loading ${study.name}: ${study.description}, ${study.instanceCount} slices.`);
    await loadStudy(ports, study, { signal, onStored: () => {} });
  }
  const questions = await demoQuestions(studies, ports.store, {
    signal,
    ...(options.weights && { weights: options.weights }),
  });

  const port = options.once ? 0 : config.http.port;
  await using server = await startServer({ ...config, http: { ...config.http, port } }, logger);
  if (options.once) {
    await answerOnce(questions, server.url, ports, config, context);
    return;
  }

  await using viewer = await openViewer(archive.dicomwebUrl, server.url, config, { say, signal });
  for (const line of [
    "",
    ...(viewer
      ? studies.map(({ name, studyInstanceUid }) => `${name.padEnd(15)}${viewer.studyUrl(studyInstanceUid)}`)
      : []),
    `Parse3D        ${server.url}/docs`,
    ...(archive.explorerUrl ? [`Orthanc        ${archive.explorerUrl}`] : []),
    `DICOMweb       ${archive.dicomwebUrl}`,
    "",
    "Try, in another terminal:",
    ...questions.map(
      ({ study, prompt }) =>
        `  PARSE3D_DICOMWEB_URL=${archive.dicomwebUrl} bin/parse3d segment --series ${study.seriesInstanceUid} --prompt "${prompt}"`,
    ),
    "",
    "Research use only. Ctrl-C stops what this command started.",
  ]) {
    say(line);
  }
  await Promise.race([once(signal, "abort"), ...(archive.exited ? [archive.exited] : [])]);
  if (!signal.aborted) throw new Error("Orthanc ended by itself");
}

/** Of what arrives in the demo's Orthanc, once a rule is added. */
function demoRouting(url: string): Config["routing"] {
  return { kind: "orthanc", url, pollMs: 10_000, superseded: "keep", modalities: ["CT", "MR", "PT"] };
}

/** OHIF with the panel; where it cannot be had, the demo goes on without it. */
async function openViewer(
  dicomwebUrl: string,
  serverUrl: string,
  { dataFolder, http: { access } }: Config,
  { say, signal }: { say(line: string): void; readonly signal: AbortSignal },
): Promise<Viewer | undefined> {
  const token = access.kind === "tokens" ? access.tokens[0] : undefined;
  try {
    return await startViewer({
      port: 0,
      dicomwebUrl,
      serverUrl,
      ...(token !== undefined && { serverHeaders: { Authorization: `Bearer ${token}` } }),
      cacheFolder: join(dataFolder, "viewer"),
      signal,
      say,
    });
  } catch (error) {
    if (!(error instanceof ViewerUnavailableError)) throw error;
    say(`No viewer: ${error.message}`);
    return undefined;
  }
}

/** Each prompt from the API to the archive and back, with a report and a picture beside it. */
async function answerOnce(
  questions: readonly DemoQuestion[],
  serverUrl: string,
  ports: AppPorts,
  config: Config,
  { terminal, signal }: CommandContext,
): Promise<void> {
  const folder = join(config.dataFolder, "demo", "report");
  const answers = [];
  for (const { study, prompt, name } of questions) {
    process.stderr.write(`Asking for "${prompt}" on the ${study.name}.\n`);
    using watch = terminal.watch(signal);
    const job = await ask(serverUrl, study, prompt, {
      signal,
      onProgress: ({ stage, fraction, detail }) => watch.progress(stage, fraction, detail),
    });
    const answer = await prove(ports, study, job, { folder, name, signal });
    answers.push(answer);
    terminal.answer(answer, [
      `${prompt}: ${answer.voxels} voxels, ${answer.volumeMl.toFixed(1)} mL, by ${answer.model}; picture: ${answer.overlay}`,
    ]);
  }
  await writeOutput(
    join(folder, "report.json"),
    new TextEncoder().encode(`${JSON.stringify(answers, undefined, 2)}\n`),
  );
}
