import { z } from "zod";
import { cardFields } from "../card-fields.ts";
import { AxisCodes, CtWindows, Percentiles, TextTargets } from "../contract.ts";
import { isOverheard, Patience, RemoteAddress } from "./remote-address.ts";

/** manifest.json of MedImageParse 3D behind an Azure ML online endpoint: nothing lies in the folder but this. */
export const AzureMlManifest = z
  .object({
    ...cardFields,
    engine: z.literal("azure-ml"),
    /** `open`: any words may be asked, `targets` are those recommended. */
    vocabulary: z.literal("open"),
    targets: TextTargets,
    endpoint: z
      .object({
        /** The endpoint's scoring URI. */
        url: RemoteAddress.refine((url) => !isOverheard(url), "images leave the machine: the address has to be https"),
        /** One deployment of the endpoint; its traffic rules choose where absent. */
        deployment: z
          .string()
          .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/)
          .exactOptional(),
        ...Patience,
        /** The largest request that is sent; larger images are refused before they leave. */
        maxRequestBytes: z.int().min(1000),
      })
      .readonly(),
    /** What columns, rows and slices of the image point to when it is sent. */
    orientation: z.union([z.literal("any"), AxisCodes]),
    /** For CT: HU windows by name, and the one for prompts that name no target, or one without a window of its own. */
    windows: CtWindows,
    /** For everything but CT: the percentiles of the grey values (of those above zero where `positiveOnly`) that become 0 and 255. */
    percentiles: Percentiles,
  })
  .readonly()
  .refine(
    ({ targets, windows }) =>
      targets.every(({ window }) => window === undefined || Object.hasOwn(windows.presets, window)),
    { path: ["targets"], message: "a target's window is one of the presets" },
  );

export type AzureMlManifest = z.infer<typeof AzureMlManifest>;
