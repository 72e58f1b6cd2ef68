import type { Problem } from "#server/contract/index.ts";
import type { Texts } from "../texts.ts";

/** What went wrong and what to do, in the server's words. */
export function ProblemNote({
  text,
  problem,
  texts,
  serverUrl,
}: {
  readonly text: string;
  readonly problem?: Problem;
  readonly texts: Texts;
  readonly serverUrl: string;
}) {
  return (
    <p className="p3d-error" data-cy="parse3d-problem">
      {text}
      {problem && (
        <>
          {" "}
          <a href={`${serverUrl}/docs#problem-${problem.code}`} target="_blank" rel="noreferrer">
            {texts.moreAbout}
          </a>
        </>
      )}
    </p>
  );
}
