export { openProbabilityFiles, type ProbabilityFile, type ProbabilityFiles } from "./probability-files.ts";
