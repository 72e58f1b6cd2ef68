export { type BoltzFormerOptions, buildBoltzFormer } from "./boltzformer/build.ts";
export { buildHalfBoltzFormer } from "./boltzformer/build-half.ts";
export type { GraphRunner, GraphTensor } from "./boltzformer/graph-runner.ts";
export { type NetworkConfig, parseNetworkConfig } from "./boltzformer/network-config.ts";
export { layerNoise } from "./boltzformer/noise.ts";
export { type Agreement, verifyBundle, verifyOwnSample } from "./boltzformer/verify-bundle.ts";
export { type PipelineAgreement, verifyPipeline } from "./boltzformer/verify-pipeline.ts";
export {
  type InstalledAzureMl,
  type InstalledBundle,
  type InstalledLabels,
  type InstalledModel,
  type InstalledOpenInference,
  openBundle,
} from "./bundle.ts";
export type { Figures } from "./card-fields.ts";
export { type ClipTokenizer, createClipTokenizer } from "./clip/clip-tokenizer.ts";
export { type ClipVocabulary, huggingFaceVocabulary } from "./clip/vocabulary.ts";
export { BundleManifest, type GoldenSample, IMAGE_GRAPH, NOISE_INPUT, TEXT_GRAPH } from "./contract.ts";
export { buildDensityCt } from "./density-ct/build.ts";
export { downloadFromHub, type HubDownload, type HubDownloadOptions } from "./download-from-hub.ts";
export { ModelAccessError, ModelBundleError, ModelDownloadError } from "./errors.ts";
export { goldenDifference, goldenImage } from "./golden-sample.ts";
export { type HubFile, MEDIMAGEPARSE3D_CHECKPOINT } from "./hub-file.ts";
export { KNOWN_MODELS, type KnownModel } from "./known-models.ts";
export { convertMeshNet } from "./labels/convert-meshnet.ts";
export { type LabelTarget, labelTargets } from "./labels/label-targets.ts";
export { LabelsManifest } from "./labels/manifest.ts";
export type { ModelCard, Target } from "./model-card.ts";
export { AzureMlManifest } from "./remote/azure-ml-manifest.ts";
export { connectAzureMl, connectOpenInference } from "./remote/connect.ts";
export { OpenInferenceManifest, type ServedModel } from "./remote/open-inference-manifest.ts";
export { resolveTarget, type TargetResolution } from "./resolve-target.ts";
export { type BrokenModel, type ModelStore, openModelStore, type PullOptions } from "./store.ts";
export { regionsOfBodyPart, windowOfBodyPart } from "./vocabulary/body-part.ts";
export { recommendedTargets } from "./vocabulary/recommended-targets.ts";
export { sentPhrase } from "./vocabulary/sent-phrase.ts";
export type { RecommendedTarget } from "./vocabulary/target-group.ts";
