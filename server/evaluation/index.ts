export { readCaseList } from "./case-list.ts";
export { EvaluationCaseError, GridMismatchError } from "./errors.ts";
export { type Estimate, estimate, type Share, shareOf } from "./estimate.ts";
export { type Compared, evaluate, type Row } from "./evaluate.ts";
export { worstPictures } from "./pictures.ts";
export { reportPage } from "./report.ts";
export { type Summary, summarise } from "./summary.ts";
export { casesCsv, summaryCsv } from "./tables.ts";
export { estimateInWords, shareInWords } from "./words.ts";
