import type { FindingView } from "#server/contract/index.ts";
import { findingLine, millilitres, type Texts } from "../texts.ts";

/** Pieces that get a button of their own. */
const MOST_PIECES = 8;

/** The answer to one prompt, with ways to each of its pieces. */
export function FindingRow({
  finding,
  texts,
  onJump,
}: {
  readonly finding: FindingView;
  readonly texts: Texts;
  onJump(pointLps: readonly [number, number, number]): void;
}) {
  const { prompt, present, components } = finding;
  const [largest] = components;
  return (
    <>
      <div className="p3d-row" data-cy="parse3d-finding" data-present={present}>
        <span>
          {prompt.text}: {findingLine(finding, texts)}
        </span>
        {largest && (
          <button
            type="button"
            className="p3d-button p3d-small"
            data-cy="parse3d-go"
            aria-label={texts.goToFinding(prompt.text)}
            onClick={() => onJump(largest.centroidLps)}
          >
            {texts.goTo}
          </button>
        )}
      </div>
      {components.length > 1 && (
        <div className="p3d-pieces">
          {components.slice(0, MOST_PIECES).map(({ centroidLps, volumeMl }, index) => {
            const name = texts.piece(prompt.text, index + 1, millilitres(volumeMl));
            return (
              <button
                type="button"
                key={centroidLps.join()}
                className="p3d-button p3d-small"
                aria-label={name}
                title={name}
                onClick={() => onJump(centroidLps)}
              >
                {index + 1}
              </button>
            );
          })}
        </div>
      )}
    </>
  );
}
