import type { Command } from "commander";
import { type ReviewView, Verdict } from "#server/contract/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { writeOutput } from "../files.ts";
import { runCommand } from "./command.ts";
import { findServer } from "./running-server.ts";

interface ExportOptions {
  readonly format: string;
  readonly output?: string;
  readonly verdict?: string;
  readonly study?: string;
}

export function addReviewsCommand(program: Command): void {
  const reviews = program.command("reviews").summary("what people thought of results");

  reviews
    .command("export", { isDefault: true })
    .description(
      "All verdicts that you may see, newest first: one line for each prompt (CSV), or as the API gives them.",
    )
    .option("--format <format>", "csv or json", "csv")
    .option("-o, --output <file>", "a file instead of the terminal")
    .option("--verdict <verdict>", `only ${Verdict.options.join(", ")}`)
    .option("--study <uid>", "only those of a study")
    .action((options: ExportOptions) =>
      runCommand(options.format === "json", async ({ terminal, signal }) => {
        const { format, output, verdict, study } = options;
        if (format !== "csv" && format !== "json") throw new InvalidRequestError("--format is csv or json.");
        const query = { limit: "10000", ...(verdict && { verdict }), ...(study && { studyInstanceUid: study }) };
        const document = await findServer({ signal }).call("listReviews", { query });
        const lines = csvOf(document.reviews);
        if (output === undefined) return terminal.answer(document, lines);
        const text = format === "json" ? `${JSON.stringify(document, null, 2)}\n` : `${lines.join("\r\n")}\r\n`;
        await writeOutput(output, new TextEncoder().encode(text));
        terminal.answer({ reviews: document.reviews.length, output }, [
          `${document.reviews.length} reviews in ${output}`,
        ]);
      }),
    );
}

const columns = [
  "jobId",
  "at",
  "verdict",
  "reason",
  "mine",
  "studyInstanceUid",
  "seriesInstanceUid",
  "model",
  "modelVersion",
  "prompt",
  "present",
  "score",
  "volumeMl",
  "dice",
  "editedSopInstanceUid",
] as const;

/** RFC 4180, one line for each prompt of each review, after a line of names. */
export function csvOf(reviews: readonly ReviewView[]): readonly string[] {
  const rows = reviews.flatMap((review) =>
    review.prompts.map(({ prompt, present, score, volumeMl, dice }) => {
      const values: Readonly<Record<(typeof columns)[number], unknown>> = {
        ...review,
        reason: review.reason,
        model: review.model.name,
        modelVersion: review.model.version,
        prompt: prompt.text,
        present,
        score,
        volumeMl,
        dice,
        editedSopInstanceUid: review.seg?.sopInstanceUid,
      };
      return columns.map((column) => cell(values[column])).join(",");
    }),
  );
  return [columns.join(","), ...rows];
}

/** What begins like a formula is not to be one in a spreadsheet. */
function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
